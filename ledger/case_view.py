"""A case as the command line and the HTTP API show it (design.md 9): figures and ids, no names, no numbers."""

from datetime import date, datetime
from typing import Any

from domain.clock import business_date
from domain.errors import BadInput, UnknownLoan
from domain.holds import Hold
from domain.ladder import collection_days
from domain.loan import LoanKey
from domain.money import plain
from domain.position import Position
from ledger.facts import Snapshot, load_case
from ledger.money import position_of
from ledger.named import queries

AGREED, CONTACTS = queries("agreements"), queries("contacts")
CHANNELS = ("sms", "call", "visit", "letter")
ASKED_OF = {
    "send_sms": "sms",
    "thank_borrower": "sms",
    "send_bounce_notice": "sms",
    "remind_of_promise": "sms",
    "place_voice_call": "voice",
}
OPTED_OUT = "the borrower asked to be left alone on this channel (core.OPTED_OUT), so it will not be sent"


async def find_loan(conn: Any, name: str) -> LoanKey:
    """The loan that `loan_id` or `lender_id/loan_id` names.

    Raises:
        UnknownLoan: there is none.
        BadInput: several lenders have one of that id.
    """
    lender, _, loan = name.rpartition("/")
    rows = await conn.fetch(
        """
        select lender_id, loan_id from loans
        where (loan_id = $1 and lender_id = coalesce(nullif($2, ''), lender_id)) or (lender_id = 'default' and loan_id = $3)
        order by (lender_id = 'default') desc, lender_id limit 3
        """,
        loan,
        lender,
        name,
    )
    keys = [LoanKey(r["lender_id"], r["loan_id"]) for r in rows]
    if not keys:
        raise UnknownLoan(f"loan {name!r} is unknown: take it in with `arrears intake`, or check its id.")
    if len(keys) > 1 and keys[0].lender_id != "default":
        raise BadInput(f"loan {name!r} is one of several lenders: write {keys[0]} or {keys[1]}.")
    return keys[0]


async def case_view(conn: Any, key: LoanKey, now: datetime, as_of: date | None = None) -> dict[str, Any]:
    """The JSON of `arrears case`; figures as of the end of a day where one is given."""
    loan = await conn.fetchrow(
        """
        select l.currency, l.borrower_id, b.timezone from loans l join lenders b using (lender_id)
        where l.lender_id = $1 and l.loan_id = $2
        """,
        *key,
    )
    if loan is None:
        raise UnknownLoan(f"loan {key} is unknown: take it in with `arrears intake`, or check its id.")
    case = await load_case(conn, key, now)
    stands = await position_of(conn, key, as_of or business_date(now, loan["timezone"]))
    money = {n: plain(getattr(stands, n), loan["currency"]) for n in ("arrears", "outstanding", "overpaid")}
    counts = {
        r["channel"]: r["contacts"] async for r in CONTACTS.counts(conn, lender_id=key.lender_id, loan_id=key.loan_id)
    }
    return {
        "lender_id": key.lender_id,
        "loan_id": key.loan_id,
        "status": _status(case, stands, as_of),
        "stage": await conn.fetchval("select stage from cases where lender_id = $1 and loan_id = $2", *key),
        "currency": loan["currency"],
        **money,
        "days_past_due": stands.days_past_due,
        "collection_days": collection_days(case.facts) if case and as_of is None else stands.days_past_due,
        "oldest_due_on": stands.oldest_due_on,
        "holds": [_hold(h) for h in await _holds(conn, key, loan["borrower_id"]) if h.active(now)],
        "promise": _promise(case, loan["currency"]),
        "plan": _plan(case, loan["currency"]),
        "contacts": {channel: counts.get(channel, 0) for channel in CHANNELS}
        | {"call": counts.get("call", 0) + counts.get("voice", 0)},
        "next_step": await _next_step(conn, key, case),
        "workflow_id": case.row.workflow_id if case else None,
    }


async def _next_step(conn: Any, key: LoanKey, case: Snapshot | None) -> dict[str, Any] | None:
    """What the case means to do; where the borrower asked to be left alone on that channel, that the gate will forbid it."""
    step: dict[str, Any] | None = await conn.fetchval(
        "select next_step from cases where lender_id = $1 and loan_id = $2", *key
    )
    channel = ASKED_OF.get(step["what"]) if step else None
    if step is None or case is None or channel is None:
        return step
    numbers = [p[kind] for p in case.row.people if p["role"] == "borrower" for kind in ("mobile", "landline")]
    if not await CONTACTS.opted_out(conn, lender_id=key.lender_id, channel=channel, values=[n for n in numbers if n]):
        return step
    return {**step, "why": f"{step['why']}; {OPTED_OUT}"}


def _status(case: Snapshot | None, stands: Position, as_of: date | None) -> str:
    """The status of design.md 9; for a day in the past, what the figures of that day say."""
    if stands.written_off:
        return "written_off"
    if case is not None and as_of is None:
        if case.facts.open:
            return "probation" if stands.cured else "delinquent"
        if case.facts.closing:
            return "closed"
    if stands.outstanding <= 0:
        return "settled"
    return "current" if stands.cured else "delinquent"


async def _holds(conn: Any, key: LoanKey, party_id: str) -> list[Hold]:
    rows = AGREED.holds(conn, lender_id=key.lender_id, loan_id=key.loan_id, party_id=party_id)
    return [Hold(**dict(r)) async for r in rows]


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.hold_id,
        "reason": hold.reason,
        "scopes": sorted(hold.scopes),
        "from": hold.since,
        "until": hold.until,
    }


def _promise(case: Snapshot | None, currency: str) -> dict[str, Any] | None:
    promise = case.facts.promise() if case else None
    if promise is None:
        return None
    return {
        "id": promise.promise_id,
        "amount": plain(promise.amount, currency),
        "due_on": promise.due_on,
        "paid": plain(promise.paid, currency),
        "status": promise.status,
    }


def _plan(case: Snapshot | None, currency: str) -> dict[str, Any] | None:
    agreed = case.facts.plan() if case else None
    if agreed is None:
        return None
    return {
        "id": agreed.plan_id,
        "status": agreed.status,
        "paid": plain(agreed.paid, currency),
        "instalments": [{"due_on": i.due_on, "amount": plain(i.amount, currency)} for i in agreed.instalments],
    }
