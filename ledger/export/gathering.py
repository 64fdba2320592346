"""Gathers everything that is known of a case, in an order and a form that the same ledger always gives alike."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.clock import business_date
from domain.errors import BadInput
from domain.loan import LoanKey
from domain.money import plain
from ledger.explain import why
from ledger.money import position_of
from ledger.named import queries

EXPORT = queries("export")
BY_LOAN = (
    "instalments", "entries", "steps", "effects", "promises", "plans", "notices", "limitation_events", "requests", "lender_contacts",
)  # fmt: skip
AS_LOGGED = ("contacts", "tasks", "events")  # compared with the audit log, and so in its form
MONEY = ("arrears", "outstanding", "overpaid", "paid")


async def gather(conn: Any, key: LoanKey) -> dict[str, Any]:
    """The file of a case as JSON values; call it in one snapshot.

    Raises:
        BadInput: the loan never had a case.
    """
    this = {"lender_id": key.lender_id, "loan_id": key.loan_id}
    case = await EXPORT.case(conn, **this)
    if case is None:
        raise BadInput(f"loan {key} has no case to export: `arrears sweep` begins one when something is past due.")
    people = await _rows(EXPORT.parties(conn, **this))
    parties = sorted({p["party_id"] for p in people})
    points = await _rows(EXPORT.contact_points(conn, lender_id=key.lender_id, parties=parties))
    values = sorted({p["value"] for p in points})
    file = {
        **this,
        "loan": _plain(dict(await EXPORT.loan(conn, **this))),
        "lender": _plain(dict(await EXPORT.lender(conn, lender_id=key.lender_id))),
        "case": _plain(dict(case)),
        "standing": await _standing(conn, key),
        "parties": people,
        "contact_points": points,
        "consents": await _rows(EXPORT.consents(conn, lender_id=key.lender_id, parties=parties)),
        "suppressions": await _rows(EXPORT.suppressions(conn, lender_id=key.lender_id, values=values)),
        "suppressions_lifted": await _rows(EXPORT.suppressions_lifted(conn, lender_id=key.lender_id, values=values)),
        "inbound": await _rows(EXPORT.inbound(conn, values=values)),
        "holds": await _rows(EXPORT.holds(conn, **this, parties=parties, values=values)),
    }
    for name in BY_LOAN:
        file[name] = await _rows(getattr(EXPORT, name)(conn, **this))
    for name in AS_LOGGED:
        file[name] = [_plain(r["line"]) async for r in getattr(EXPORT, name)(conn, **this)]
    file["rulebooks"] = await _rows(EXPORT.rulebooks(conn, digests=_digests(file)))
    file["explained"] = _plain((await why(conn, key))["told"])
    file["audit"] = await _rows(EXPORT.audit(conn, **this))
    return file


async def letters(conn: Any, key: LoanKey) -> dict[str, bytes]:
    """The letters of a case, byte for byte as they went out, by the contact that each was."""
    found = EXPORT.letters(conn, lender_id=key.lender_id, loan_id=key.loan_id)
    return {r["contact_id"]: r["pdf"] async for r in found}


async def head(conn: Any, key: LoanKey) -> dict[str, Any]:
    """Where the audit log of the loan ends."""
    found = await EXPORT.audit_head(conn, lender_id=key.lender_id, loan_id=key.loan_id)
    return dict(found) if found else {"seq": 0, "hash": ""}


async def _standing(conn: Any, key: LoanKey) -> dict[str, Any]:
    """What is owed at the end of the last day of which anything is on record."""
    this = {"lender_id": key.lender_id, "loan_id": key.loan_id}
    loan, lender = await EXPORT.loan(conn, **this), await EXPORT.lender(conn, lender_id=key.lender_id)
    last: datetime | None = await EXPORT.last_day(conn, **this)
    day = business_date(last, lender["timezone"]) if last else loan["opened_on"]
    stands = await position_of(conn, key, day)
    money = {name: plain(getattr(stands, name), loan["currency"]) for name in MONEY}
    since = stands.oldest_due_on.isoformat() if stands.oldest_due_on else None
    return {"as_of": day.isoformat(), **money, "days_past_due": stands.days_past_due, "oldest_due_on": since}


def _digests(file: dict[str, Any]) -> list[str]:
    permits = [r["permit"] for r in (*file["contacts"], *file["tasks"])] + [
        e["data"].get("permit") for e in file["events"]
    ]
    books = [p["rulebooks"] for p in permits if p and isinstance(p.get("rulebooks"), dict)]
    return sorted({digest for each in books for digest in each.values()})


async def _rows(found: Any) -> list[dict[str, Any]]:
    return [_plain(dict(row)) async for row in found]


def _plain(value: Any) -> Any:
    """A value as JSON carries it: amounts as strings, times in UTC."""
    match value:
        case dict():
            return {str(name): _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case _:
            return value
