"""Commands that stop, release, and prove."""

import sys
from typing import Annotated, Any

import typer

from arrears.context import ledger, print_json, run, say
from domain.errors import BadInput
from ledger.named import queries
from ledger.proof import prove
from ledger.stops import press_stop, release_stop

CONTACTS = queries("contacts")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Lender = Annotated[str | None, typer.Option(help="One lender; all without.")]
Channel = Annotated[str | None, typer.Option(help="sms, call, voice, visit, letter or filing; all without.")]
StrategyName = Annotated[str | None, typer.Option("--strategy", help="One strategy; all without.")]


def verify(as_json: Json = False) -> None:
    """Prove the five promises on the ledger as it stands; exit 1 where one does not hold."""

    def broken(check: str, violation: dict[str, Any]) -> None:
        say(f"{check}: loan {violation['loan_id']}, {violation['id']}: {violation['detail']}")

    def done(check: dict[str, Any]) -> None:
        holds = "holds" if check["ok"] else f"BROKEN by {check['violations_total']}"
        lost = f", {check['recovered']} of them recovered" if "recovered" in check else ""
        say(f"{check['name']:10} {holds}  {check['checked']} checked{lost}")

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await prove(conn) if as_json else await prove(conn, broken, done)

    proof = run(main)
    if as_json:
        print_json(proof)
    if not proof["ok"]:
        raise typer.Exit(1)


def stop(
    lender: Lender = None,
    channel: Channel = None,
    strategy: StrategyName = None,
    reason: Annotated[str | None, typer.Option(help="Why; kept with the stop.")] = None,
    as_json: Json = False,
) -> None:
    """Stop contacts, from the next one on: of a lender, on a channel, of a strategy, or all."""
    what = {"lender_id": lender or "*", "channel": channel or "*", "strategy": strategy or "*"}

    async def main() -> None:
        async with ledger() as books, books.pool.acquire() as conn:
            await press_stop(conn, **what, reason=reason)

    run(main)
    print_json({"stopped": what}) if as_json else say(f"Stopped: {_named(what)}.")


def go(
    lender: Lender = None,
    channel: Channel = None,
    strategy: StrategyName = None,
    rulebooks: Annotated[
        str | None,
        typer.Option(
            help="The rulebooks that hold for the lender, by commas, such as house; kept as they are without."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Release the same stop; without a channel and a strategy it also takes the lender out of shadow mode."""
    what = {"lender_id": lender or "*", "channel": channel or "*", "strategy": strategy or "*"}
    named = _rulebooks(rulebooks)

    async def main() -> list[str]:
        async with ledger() as books, books.pool.acquire() as conn, conn.transaction():
            lenders = [r["lender_id"] for r in await conn.fetch("select lender_id from lenders")]
            if lender is not None and lender not in lenders:
                raise BadInput(f"lender {lender!r} is unknown: lenders come with the loans of `arrears intake`.")
            chosen = [lender] if lender else lenders
            await release_stop(conn, **what)
            if named:
                packs = {"*": named}
                await conn.execute("update lenders set packs = $1 where lender_id = any($2)", packs, chosen)
            if channel is None and strategy is None:
                await CONTACTS.set_mode(conn, mode="live", lenders=chosen, now=await books.clock.now())
            bare = "select lender_id from lenders where packs = '{}' and lender_id = any($1) order by 1"
            return [r["lender_id"] for r in await conn.fetch(bare, chosen)]

    for each in run(main):
        sys.stderr.write(
            f"lender {each} has no rulebook, so its contacts stay forbidden: run `arrears go --lender {each} --rulebooks house`.\n"
        )
    print_json({"released": what}) if as_json else say(f"Released: {_named(what)}.")


def _rulebooks(names: str | None) -> list[str]:
    from activities.gate import shipped

    named = [name.strip() for name in names.split(",")] if names else []
    for name in named:
        if name not in shipped():
            raise BadInput(f"rulebook {name!r} is unknown: `arrears rules list` shows the rules of those there are.")
    return named


def _named(what: dict[str, str]) -> str:
    return ", ".join(f"{k.removesuffix('_id')} {'all' if v == '*' else v}" for k, v in what.items())
