"""The command for after a restore: ledger and workflows are brought together again."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from arrears.context import ledger, print_json, run, say, say_rows, temporal
from channels.carrier import LookUpFailed
from domain.errors import BadInput
from workers.settings import TwilioSettings, settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def recover(
    since: Annotated[
        str | None,
        typer.Option(
            help="When the backup was taken, such as 2026-11-24T02:00:00Z; what the ledger says last without."
        ),
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="Release the stop once nothing is missing.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Release it although something is missing that nobody can bring.")
    ] = False,
    as_json: Json = False,
) -> None:
    """After a restore: stop contact, write back what histories and carrier know, start and wake cases; exit 1 while something is missing."""
    from ledger.recovery import end_recovery
    from starters.recovery import Recovering
    from workers.carrier import open_carrier

    at = _moment(since)
    if not TwilioSettings().account_sid:
        raise BadInput("TWILIO_ACCOUNT_SID is not set: recover asks the carrier what went out, so give its account.")

    async def main() -> tuple[dict[str, Any], bool, int | None]:
        client = await temporal()
        async with ledger() as books:
            async with open_carrier(settings(), await books.clock.mapping()) as line:
                work = Recovering(books.pool, books.clock, client, line.texts, line.calls, line.sender)
                try:
                    report = await work.run(at)
                except LookUpFailed as error:
                    raise BadInput(f"{error} Run `arrears recover` again when the carrier answers.") from None
            woken = None
            if anyway or (release and report.whole):
                async with books.pool.acquire() as conn:
                    woken = await end_recovery(conn)
            return report.as_json(), report.whole, woken

    found, whole, woken = run(main)
    print_json({**found, "released": woken is not None}) if as_json else _show(found, woken)
    if not whole and not anyway:
        raise typer.Exit(1)


def _show(found: dict[str, Any], woken: int | None) -> None:
    missing = found.pop("missing")
    say_rows(found)
    for kind, remedy in (
        ("loans", "take their tape in again"),
        ("strategies", "publish them again"),
        ("entries", "have their senders send them again"),
    ):
        if missing[kind]:
            say(f"Missing {kind}, {remedy}: {', '.join(missing[kind][:20])}{' ...' if missing[kind][20:] else ''}")
    if woken is not None:
        say(f"Released: contact goes on; {woken} cases told.")
    elif any(missing.values()):
        say("Contact stays stopped. Bring what is missing, then run `arrears recover --release`.")
    else:
        say("Nothing is missing. Contact stays stopped until `arrears recover --release`.")


def _moment(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(f"--since {text!r} is no time: write it as 2026-11-24T02:00:00Z.") from None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
