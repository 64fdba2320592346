"""No limit exceeded in any window, counted anew from the contacts themselves and not from what their permits saw."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from domain.rulebook import Limit, Silence
from ledger.proof.findings import Findings
from ledger.proof.reading import PROOF, Library, consented, grouped, part, stream

Per = Literal["person", "loan", "value"]
SCOPES: tuple[Per, ...] = ("person", "loan", "value")
OF = {"person": "this person", "loan": "this debt", "value": "this number or address"}
BROKEN = {"limit": "limit_exceeded", "silence": "silence_broken"}


async def limits(conn: Any, findings: Findings) -> None:
    """No limit and no silence after a conversation broken, per person, debt, and number or address, over all channels.

    A window with too many contacts is one that ends at its last contact, so each contact is judged by the windows that end with it.
    A contact without a permit, put in by hand, is judged by the rules of the one before it.
    """
    library = Library(conn)
    for per in SCOPES:
        async for _, rows in grouped(stream(conn, PROOF.subjects, per), lambda r: (r["lender_id"], r["subject"])):
            days: dict[str, list[date]] = {}
            rules: Sequence[Limit | Silence] = ()
            zones: Sequence[str] = ()
            for n, row in enumerate(rows):
                if row["direction"] == "in":
                    continue
                findings.checked += per == "person"
                if row["rulebooks"] is not None:
                    rules = [r for r in await library.counting(row["rulebooks"]) if r.per == per]
                    zones = part(row["zones"]) or ()
                for rule in rules:
                    if row["channel"] in rule.channels and row["purpose"] in rule.purposes:
                        _judge(rows, n, rule, [(z, _days(days, rows, z)) for z in zones], findings)


def _days(known: dict[str, list[date]], rows: Sequence[Any], zone: str) -> list[date]:
    """The local days of all contacts in a zone."""
    if zone not in known:
        known[zone] = [row["sending_at"].astimezone(ZoneInfo(zone)).date() for row in rows]
    return known[zone]


def _judge(
    rows: Sequence[Any], n: int, rule: Limit | Silence, days: Iterable[tuple[str, list[date]]], findings: Findings
) -> None:
    row = rows[n]
    for zone, local in days:
        if _lifted(rule, row, local[n]):
            continue
        first = bisect_right(local, local[n] - timedelta(days=rule.days), hi=n)
        before = [rows[i] for i in range(first, n) if not _lifted(rule, row, local[i])]
        match rule:
            case Silence():
                broken = any(b["conversation"] and b["channel"] in rule.channels for b in rows[first:n])
                detail = f"made within {rule.days} days of a conversation with {OF[rule.per]} ({zone}), which {rule.id} forbids"
            case Limit():
                counted = sum(_counts(rule, b) for b in before)
                broken = _counts(rule, row) and counted >= rule.count
                detail = f"number {counted + 1} with {OF[rule.per]} in {rule.days} days to {local[n]} ({zone}); {rule.id} allows {rule.count}"
        if broken:
            findings.broken(BROKEN[rule.kind], row, row["contact_id"], detail)
            return


def _lifted(rule: Limit | Silence, row: Any, on: date) -> bool:
    """Whether a consent that the permit saw lifts the rule on a day; what was made on such a day does not count."""
    return rule.lifted_by_consent and consented(part(row["consents"]), "frequency", on, rule.consent_days)


def _counts(rule: Limit, row: Any) -> bool:
    """Whether a contact is one of those that the rule limits."""
    if row["direction"] == "in" or row["channel"] not in rule.channels or row["purpose"] not in rule.purposes:
        return False
    match rule.counts:
        case "placed":
            return True
        case "unanswered":
            return not row["connected"]
        case flag:
            return bool(row[flag])
