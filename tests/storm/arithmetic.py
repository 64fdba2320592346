"""Where a loan of the storm stands, added up from its files by hand and in cents: nothing of `domain.position` takes part.

Enough for what a storm sends, no more: payments, reversals of payments, and costs, in the default order, without tolerance.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.loan import Entry, Instalment

CENT = Decimal("0.01")


@dataclass
class Bill:
    """Something to pay, and what is left of it in cents."""

    due_on: date
    left: int


@dataclass(frozen=True)
class Standing:
    """What `arrears case` should show."""

    arrears: Decimal
    outstanding: Decimal
    overpaid: Decimal
    days_past_due: int
    oldest_due_on: date | None


def stands(schedule: Iterable[Instalment], entries: Iterable[Entry], today: date) -> Standing:
    """The loan at the end of a day."""
    bills = [Bill(i.due_on, _cents(i.principal + i.interest + i.fee)) for i in sorted(schedule, key=lambda i: i.due_on)]
    costs: list[Bill] = []
    there = [e for e in entries if e.value_date <= today]
    taken_back: dict[str | None, int] = {}
    for entry in there:
        if entry.kind == "reversal":
            taken_back[entry.reverses] = taken_back.get(entry.reverses, 0) + _cents(entry.amount)
    free = 0
    for entry in sorted(there, key=lambda e: (e.value_date, e.kind == "payment", e.entry_id)):
        if entry.kind == "cost":
            costs.append(Bill(entry.value_date, _cents(entry.amount)))
        elif entry.kind == "payment":
            free += _cents(entry.amount) - taken_back.get(entry.entry_id, 0)
            free = _spend(free, bills, costs, entry.value_date)
    free = _spend(free, bills, costs, today)
    late = [b for b in bills if b.due_on <= today and b.left]
    oldest = late[0].due_on if late else None
    return Standing(
        arrears=sum(b.left for b in [*late, *costs]) * CENT,
        outstanding=sum(b.left for b in [*bills, *costs]) * CENT,
        overpaid=free * CENT,
        days_past_due=(today - oldest).days if oldest else 0,
        oldest_due_on=oldest,
    )


def _spend(free: int, bills: list[Bill], costs: list[Bill], day: date) -> int:
    """Pay what is due, oldest first, then costs, then what is to come; what is left over."""
    due = [b for b in bills if b.due_on <= day]
    for bill in [*due, *costs, *bills]:
        paid = min(free, bill.left)
        bill.left -= paid
        free -= paid
    return free


def _cents(amount: Decimal) -> int:
    return int(amount * 100)
