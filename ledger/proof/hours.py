"""None in quiet hours."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.errors import BadInput
from domain.rulebook import Hours
from ledger.proof.findings import Findings
from ledger.proof.reading import PROOF, Library, consented, part, stream

BY_HAND = frozenset({"call", "visit"})


async def hours(conn: Any, findings: Findings) -> None:
    """No contact outside the hours that held for it, in any zone where the person may be, worked out anew from its own time.

    A call or a visit by a person is recorded when its outcome is told, perhaps in the evening: its hours are those of its permit,
    which its task was handed out under.
    """
    library = Library(conn)
    async for row in stream(conn, PROOF.timed_contacts):
        if row["rulebooks"] is None or row["zones"] is None:
            continue  # the check of permits names it
        findings.checked += 1
        try:
            books = await library.books(part(row["rulebooks"]))
        except BadInput:
            continue  # the check of permits names it too
        for book in books:
            for rule in book.rules:
                if isinstance(rule, Hours) and row["purpose"] in rule.purposes and row["channel"] in rule.channels:
                    _judge(row, rule, findings)


def _judge(row: Any, rule: Hours, findings: Findings) -> None:
    at = row["permitted_at"] if row["channel"] in BY_HAND else row["sending_at"]
    for zone in part(row["zones"]):
        local = at.astimezone(ZoneInfo(zone))
        if rule.lifted_by_consent and consented(part(row["consents"]), "hours", local.date()):
            continue
        if not _open(rule, local, part(row["holidays"])):
            detail = (
                f"this {row['channel']} was made on {local:%A %Y-%m-%d at %H:%M} in {zone}, which {rule.id} forbids"
            )
            findings.broken("quiet_hours", row, row["contact_id"], detail)
            return


def _open(rule: Hours, local: datetime, holidays: list[str] | None) -> bool:
    if local.isoweekday() not in rule.weekdays:
        return rule.other_days == "open"
    if not rule.on_holidays and local.date().isoformat() in (holidays or ()):
        return False
    return rule.start <= local.time() < rule.end
