"""Commands about the secrets by which lenders and their payment processors sign what they send."""

import sys
from getpass import getpass
from typing import Annotated

import typer

from arrears.context import ledger, print_json, readable, run, say
from domain.errors import BadInput
from ledger import secrets
from ledger.secrets import KINDS, Kind

Lender = Annotated[str, typer.Argument(metavar="LENDER", help="Whose secret it is.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add(
    lender: Lender,
    kind: Annotated[str, typer.Option(help=f"What it is for: {', '.join(KINDS)}.")] = "arrears",
    as_json: Json = False,
) -> None:
    """Add a secret that holds at once, beside the one there is. A new one is shown this once; a processor's is asked for."""
    chosen = _kind(kind)
    given = None if chosen == "arrears" else _given(chosen)

    async def main() -> secrets.Secret:
        async with ledger() as books, books.pool.acquire() as conn:
            return await secrets.add_secret(conn, lender, chosen, given)

    made = run(main)
    shown = {"secret_id": made.secret_id, "lender_id": lender, "kind": kind}
    if as_json:
        print_json(shown | ({} if given else {"secret": made.secret}))
    elif given:
        say(f"Secret {made.secret_id} of lender {lender} holds.")
    else:
        say(f"Secret {made.secret_id} of lender {lender} holds. It is shown only now:")
        say(made.secret)


def list_(
    lender: Annotated[str | None, typer.Argument(metavar="[LENDER]", help="Whose; all without.")] = None,
    as_json: Json = False,
) -> None:
    """List secrets: which hold, since when and until when. The secrets themselves are not shown."""

    async def main() -> list[dict[str, object]]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await secrets.list_secrets(conn, lender)

    found = run(main)
    if as_json:
        print_json(found)
        return
    for each in found:
        ends = f" until {readable(each['until'])}" if each["until"] else ""
        state = "holds" if each["valid"] else "is over"
        say(f"{each['secret_id']}  {each['lender_id']}  {each['kind']}  {state}, since {readable(each['since'])}{ends}")
    if not found:
        say("There are no secrets.")


def retire(
    lender: Lender,
    secret_id: Annotated[str, typer.Argument(metavar="SECRET_ID", help="Its id, as `arrears secret list` shows it.")],
    hours: Annotated[float, typer.Option(min=0, max=87600, help="Hours of real time until it ends.")] = 0,
    as_json: Json = False,
) -> None:
    """End a secret, now or after some hours."""

    async def main() -> dict[str, object]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await secrets.retire_secret(conn, lender, secret_id, hours=hours)

    ended = run(main)
    print_json(ended) if as_json else say(f"Secret {secret_id} ends {readable(ended['until'])}.")


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise BadInput(f"--kind {name!r} is unknown: it is one of {', '.join(KINDS)}.")
    return name  # type: ignore[return-value]


def _given(kind: str) -> str:
    """A secret that somebody else made, from the terminal or a pipe: never an argument, which other programs can see."""
    given = getpass(f"The {kind} secret: ") if sys.stdin.isatty() else sys.stdin.readline()
    return given.strip()
