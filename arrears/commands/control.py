"""Commands that stop, release, and prove."""

import sys
from typing import Annotated, Any, get_args

import typer

from arrears.context import ledger, print_json, run, say
from domain.errors import BadInput
from domain.rulebook.rules import Channel as Limited
from ledger.named import queries
from ledger.proof import prove
from ledger.recovery import refuse_while_recovering
from ledger.stops import press_stop, release_stop

CONTACTS, GATE, STOPS, TAPE = queries("contacts"), queries("gate"), queries("stops"), queries("tape")
CHANNELS = get_args(Limited)
WHERE = ("lender_id", "channel", "strategy")
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
            await _must_exist(conn, lender, channel, strategy)
            await press_stop(conn, **what, reason=reason)

    run(main)
    print_json({"stopped": what}) if as_json else say(f"Stopped: {stop_in_words(what)}.")


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
    """Release the same stop; with a lender, and no channel and strategy, it also takes that lender out of shadow mode."""
    what = {"lender_id": lender or "*", "channel": channel or "*", "strategy": strategy or "*"}
    packs = _rulebooks(rulebooks)
    if packs and lender is None:
        raise BadInput("--rulebooks sets the rules of one lender: name it with --lender.")

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn, conn.transaction():
            if set(what.values()) == {"*"}:
                await refuse_while_recovering(conn)
            pressed = [_where(r) async for r in STOPS.pressed(conn)]
            if what not in pressed:  # one that was pressed before such checks were made can be released all the same
                await _must_exist(conn, lender, channel, strategy)
            await release_stop(conn, **what)
            if packs:
                await conn.execute("update lenders set packs = $1 where lender_id = $2", {"*": packs}, lender)
            shadows = await conn.fetch("select lender_id from lenders where mode = 'shadow' order by 1")
            before = [r["lender_id"] for r in shadows]
            alone = lender if channel is None and strategy is None else None
            if alone is not None:
                await CONTACTS.set_mode(conn, mode="live", lenders=[alone], now=await books.clock.now())
            return {
                "released": what if what in pressed else None,
                "live": [name for name in before if name == alone],
                "still_stopped": [where for where in pressed if where != what],
                "in_shadow": [name for name in before if name != alone],
                "without_rulebook": [alone] if alone is not None and not await _packs(conn, alone) else [],
            }

    told = run(main)
    print_json(told) if as_json else _show_going(what, told)
    for each in told["without_rulebook"]:
        sys.stderr.write(
            f"lender {each} names no rulebook: where no shipped one governs, its contacts stay forbidden until"
            f" `arrears go --lender {each} --rulebooks house`.\n"
        )


def _show_going(what: dict[str, str], told: dict[str, Any]) -> None:
    if told["released"]:
        say(f"Released: {stop_in_words(what)}.")
    elif not told["live"]:
        say(f"Nothing is released: no stop was pressed for {stop_in_words(what)}.")
    for each in told["live"]:
        say(f"Lender {each} is out of shadow mode.")
    for where in told["still_stopped"]:
        say(f"Still stopped: {stop_in_words(where)}; `arrears go{options_of(where)}` releases it.")
    if what["channel"] == what["strategy"] == "*":
        for each in told["in_shadow"]:
            say(f"Lender {each} stays in shadow mode; `arrears go --lender {each}` ends that.")


async def _must_exist(conn: Any, lender: str | None, channel: str | None, strategy: str | None) -> None:
    """Refuse a stop of something that does not exist: it would stop nothing, and look as if it did."""
    if channel is not None and channel not in CHANNELS:
        raise BadInput(f"channel {channel!r} is unknown: use one of {', '.join(CHANNELS)}.")
    if lender is not None and await GATE.lender_known(conn, lender_id=lender) is None:
        raise BadInput(f"lender {lender!r} is unknown: lenders come with the loans of `arrears intake`.")
    if strategy is not None and not await TAPE.strategy_published(conn, name=strategy):
        raise BadInput(f"strategy {strategy!r} is not published: `arrears strategy list` shows those that are.")


async def _packs(conn: Any, lender: str) -> dict[str, Any]:
    packs: dict[str, Any] = await conn.fetchval("select packs from lenders where lender_id = $1", lender)
    return packs


def _rulebooks(names: str | None) -> list[str]:
    from activities.gate import shipped

    named = [name.strip() for name in names.split(",")] if names else []
    for name in named:
        if name not in shipped():
            raise BadInput(f"rulebook {name!r} is unknown: `arrears rules list` shows the rules of those there are.")
    return named


def _where(stop: Any) -> dict[str, str]:
    return {name: stop[name] for name in WHERE}


def options_of(stop: Any) -> str:
    """The options that name a stop on the command line."""
    return "".join(f" --{name.removesuffix('_id')} {stop[name]}" for name in WHERE if stop[name] != "*")


def stop_in_words(stop: Any) -> str:
    """What a stop is on, for people."""
    parts = (f"{name.removesuffix('_id')} {stop[name]}" for name in WHERE if stop[name] != "*")
    return ", ".join(parts) or "all contacts"
