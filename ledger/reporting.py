"""What the ledger tells of a portfolio: how it did."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain.clock import business_date
from domain.loan import Entry, EntryKind, EntryStatus, LoanKey
from domain.money import plain
from ledger.money import money_of
from ledger.named import queries

REPORTS = queries("reporting")


async def portfolio_report(conn: Any, now: datetime) -> dict[str, Any]:
    """How a portfolio did: stage reached, contacts by channel, money by when it came, shortfalls of fees alone, outcomes.

    Money is settled payments, less what was reversed of them, summed by currency. `before_contact` came while the case had made no
    contact yet, `under_plan` after a plan was agreed, `after_contact` in between. `recovered_after_write_off` and
    `recovered_after_close` are of all loans, written off or with a case that somebody closed. `without_who_or_why` counts waivers,
    adjustments and write-offs that lack a source or a reason.
    """
    money: dict[str, Counter[str]] = {n: Counter() for n in ("before_contact", "after_contact", "under_plan")}
    outcomes: Counter[str] = Counter()
    fee_only: Counter[str] = Counter()
    cases = [r async for r in REPORTS.portfolio(conn)]
    for row in cases:
        key = LoanKey(row["lender_id"], row["loan_id"])
        books = await money_of(conn, key)
        today = business_date(now, row["timezone"])
        stands = books.stands(today)
        for paid_on, amount in _payments(books.entries, today):
            if business_date(row["opened_at"], row["timezone"]) <= paid_on:
                money[_when(row, paid_on)][row["currency"]] += amount  # type: ignore[assignment]
        short_of_fees = stands.cured and stands.fee_arrears > 0
        if short_of_fees:
            fee_only[row["currency"]] += stands.fee_arrears  # type: ignore[assignment]
        outcomes["fees only left" if short_of_fees else "cured" if stands.cured else "still past due"] += 1
    return {
        "as_of": now,
        "cases": len(cases),
        "open": sum(r["open"] for r in cases),
        "stage_reached": await _stages(conn),
        "contacts": {
            f"{r['channel']} {r['purpose']} {r['state']}": r["contacts"]
            async for r in REPORTS.contacts_by_channel(conn)
        },
        "tasks": {f"{r['kind']} {r['status']}": r["tasks"] async for r in REPORTS.tasks_by_kind(conn)},
        **{f"collected_{name}": _amounts(sums) for name, sums in money.items()},
        "recovered_after_write_off": {
            r["currency"]: plain(r["amount"], r["currency"])
            async for r in REPORTS.recovered_after_write_off(conn, now=now)
        },
        "recovered_after_close": {
            r["currency"]: plain(r["amount"], r["currency"]) async for r in REPORTS.recovered_after_close(conn, now=now)
        },
        "in_suspense": {r["currency"]: plain(r["amount"], r["currency"]) async for r in REPORTS.in_suspense(conn)},
        "without_who_or_why": {r["kind"]: r["entries"] async for r in REPORTS.without_who_or_why(conn)},
        "fee_only_shortfall": _amounts(fee_only),
        "outcomes": dict(sorted(outcomes.items())),
    }


def _payments(entries: list[Entry], today: date) -> list[tuple[date, Decimal]]:
    """Value date and amount of each settled payment up to a day, less what went back of it."""
    settled = [e for e in entries if e.status is EntryStatus.SETTLED and e.value_date <= today]
    back: Counter[str | None] = Counter()
    for entry in settled:
        if entry.kind is EntryKind.REVERSAL:
            back[entry.reverses] += entry.amount  # type: ignore[assignment]
    return [(e.value_date, e.amount - back[e.entry_id]) for e in settled if e.kind is EntryKind.PAYMENT]


def _when(row: Any, value_date: date) -> str:
    if row["planned_at"] is not None and value_date >= business_date(row["planned_at"], row["timezone"]):
        return "under_plan"
    first = row["first_contact"]
    return (
        "after_contact"
        if first is not None and value_date >= business_date(first, row["timezone"])
        else "before_contact"
    )


def _amounts(sums: Counter[str]) -> dict[str, str]:
    return {currency: plain(Decimal(total), currency) for currency, total in sorted(sums.items())}


async def _stages(conn: Any) -> dict[str, int]:
    reached: Counter[str] = Counter()
    async for row in REPORTS.stages_reached(conn):
        done = set(row["step_ids"]) - {None}
        names = [s["name"] for s in row["content"]["stages"] if any(step["id"] in done for step in s["steps"])]
        reached[names[-1] if names else "none"] += 1
    return dict(reached)
