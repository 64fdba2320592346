"""Commands that stop, release, and prove."""

from typing import Annotated, Any

import typer

from arrears.context import ledger, print_json, run, say
from ledger.named import queries
from ledger.proof import prove

CONTACTS = queries("contacts")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Lender = Annotated[str | None, typer.Option(help="One lender; all without.")]
Channel = Annotated[str | None, typer.Option(help="sms, call, visit or letter; all without.")]
StrategyName = Annotated[str | None, typer.Option("--strategy", help="One strategy; all without.")]


def verify(as_json: Json = False) -> None:
    """Prove the five promises on the ledger as it stands; exit 1 where one does not hold."""

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await prove(conn)

    proof = run(main)
    if as_json:
        print_json(proof)
    else:
        for check in proof["checks"]:
            say(f"{check['name']:10} {'holds' if check['ok'] else 'BROKEN'}  {check['checked']} checked")
            for each in check["violations"][:20]:
                say(f"  {each['loan_id']} {each['id']}: {each['detail']}")
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
            await CONTACTS.stop(conn, **what, reason=reason)

    run(main)
    print_json({"stopped": what}) if as_json else say(f"Stopped: {_named(what)}.")


def go(lender: Lender = None, channel: Channel = None, strategy: StrategyName = None, as_json: Json = False) -> None:
    """Release the same stop; without a channel and a strategy it also takes the lender out of shadow mode."""
    what = {"lender_id": lender or "*", "channel": channel or "*", "strategy": strategy or "*"}

    async def main() -> None:
        async with ledger() as books, books.pool.acquire() as conn, conn.transaction():
            await CONTACTS.go(conn, **what)
            if channel is None and strategy is None:
                lenders = (
                    [lender] if lender else [r["lender_id"] for r in await conn.fetch("select lender_id from lenders")]
                )
                await CONTACTS.set_mode(conn, mode="live", lenders=lenders)

    run(main)
    print_json({"released": what}) if as_json else say(f"Released: {_named(what)}.")


def _named(what: dict[str, str]) -> str:
    return ", ".join(f"{k.removesuffix('_id')} {'all' if v == '*' else v}" for k, v in what.items())
