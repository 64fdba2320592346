"""Commands for whoever watches over the contacts: shadow mode, the payment feed, alerts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arrears.commands.control import options_of, stop_in_words
from arrears.context import ledger, print_json, readable, run, say, say_folded
from domain.errors import BadInput
from ledger.named import queries
from ledger.recovery import RECOVERING

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CONTACTS, GATE, STOPS = queries("contacts"), queries("gate"), queries("stops")


def shadow(
    did: Annotated[
        Path | None, typer.Option(help="What the lender did: CSV with source_id,loan_id,channel,made_at.")
    ] = None,
    lender: Annotated[str | None, typer.Option(help="One lender; all without.")] = None,
    as_json: Json = False,
) -> None:
    """Compare what would have gone out in shadow mode with what the lender did."""
    from ledger.shadow import shadow_report, take_lender_contacts

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn:
            if did is not None:
                await take_lender_contacts(conn, did)
            return await shadow_report(conn, lender)

    told = run(main)
    if as_json:
        print_json(told)
        return
    say(f"{'':10}{'would have made':>16}{'lender made':>14}{'both':>8}")
    for channel, counts in told["channels"].items():
        say(f"{channel:10}{counts['would_have_made']:>16}{counts['lender_made']:>14}{counts['both']:>8}")
    for rule, contacts in told["refused"].items():
        say(f"{rule} put off or forbade {contacts}.")
    for each in told["nothing_due"]:
        say(f"{each['loan_id']}: {each['channel']} {readable(each['made_at'])} although nothing was due.")
    for each in told["would_have_gone"]:
        if each["body"]:
            say(f"\n{each['loan_id']} {each['step_id']} {readable(each['at'])}")
            say_folded(each["body"], 2)


def feed(
    lender: Annotated[str, typer.Option(help="Whose payment feed.")] = "default",
    came: Annotated[bool, typer.Option("--came", help="It came now, though nothing was in it.")] = False,
    hours: Annotated[
        int | None, typer.Option(min=0, help="How old it may be from now on; 0 promises no feed any more.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show when a lender's files came; with --came say that its payment feed did, with --hours how old that may be before contact stops."""

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn, conn.transaction():
            if await GATE.lender_known(conn, lender_id=lender) is None:
                raise BadInput(f"lender {lender!r} is unknown: lenders come with the loans of `arrears intake`.")
            if hours is not None:
                await GATE.promise_feed(conn, lender_id=lender, hours=hours or None)
            if came:
                await GATE.feed_came(conn, lender_id=lender, now=await books.clock.now())
            return dict(await GATE.feed_of(conn, lender_id=lender))

    told = run(main)
    limit = f"may be {told['feed_hours']} hours old" if told["feed_hours"] else "nothing depends on it"
    if as_json:
        print_json(told)
        return
    say(f"Feed of {lender}: came {readable(told['fed_at'])}; {limit}.")
    say(f"Last tape: {readable(told['tape_at'])}. Last balances file: {readable(told['balances_at'])}.")


def alerts(
    clear: Annotated[int | None, typer.Option(help="The id of one that was looked at.")] = None,
    as_json: Json = False,
) -> None:
    """List the stops that hold, and what must be looked at, such as a carrier that refuses us."""

    async def main() -> list[dict[str, Any]]:
        async with ledger() as books, books.pool.acquire() as conn:
            if clear is not None:
                cleared = await CONTACTS.clear_alert(conn, alert_id=clear, now=await books.clock.now())
                if cleared is None:
                    raise BadInput(f"alert {clear} is not open: `arrears alerts` lists those that are.")
            raised = [dict(r) async for r in CONTACTS.alerts(conn)]
            return [_as_alert(stop) async for stop in STOPS.pressed(conn)] + raised

    found = run(main)
    if as_json:
        print_json(found)
        return
    for each in found:
        say(f"{each['alert_id'] or '':>5}  {readable(each['raised_at'])}")
        say_folded(each["about"], 7)
    if not found:
        say("Nothing must be looked at.")


def _as_alert(stop: Any) -> dict[str, Any]:
    """A stop in force beside the alerts; it is ended by releasing it, so it has no id to clear."""
    because = f" ({stop['reason']})" if stop["reason"] else ""
    command = "recover --release" if stop["reason"] == RECOVERING else f"go{options_of(stop)}"
    about = f"stopped: {stop_in_words(stop)}{because}; `arrears {command}` releases it"
    return {"alert_id": None, "kind": "stop", "about": about, "raised_at": stop["stopped_at"]}
