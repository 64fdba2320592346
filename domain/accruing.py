"""Lets interest grow on a book, from one day of its replay to the next."""

from bisect import bisect_left
from datetime import date
from decimal import Decimal

from domain.book import DAY, NEVER, Book, Part, charged
from domain.interest import Accrual, Interest
from domain.money import ZERO


def accrue(book: Book, until: date) -> None:
    """Grow interest to the end of a day; what is owed changes at the due dates on the way."""
    policy = book.terms.interest
    if policy is None or book.reached is None or until <= book.reached or None in book.charged_elsewhere:
        return
    since = book.reached
    # Interest that is not yet due falls due with the next instalment, even with one that is paid in advance.
    bounds = book.unpaid if book.annual_rate is None else book.parts
    for day in sorted({p.due_on for p in bounds if since < p.due_on < until} | {until}):
        _grow(book, policy, since, day)
        since = day
    book.reached = until


def _grow(book: Book, policy: Interest, since: date, until: date) -> None:
    """Grow interest over days of which none but the last is a due date."""
    to_come = ZERO
    for part in book.unpaid:
        principal = part.lefts.get("principal", ZERO)
        if book.due(part) > since:
            to_come += principal
        elif principal and (rate := _overdue_rate(book, policy, part)) is not None:
            if part.overdue is None:
                part.overdue = _growing(book, policy, rate, book.due(part) + DAY, part.number)
            _add(part.overdue, principal, since, until)
    if to_come and book.annual_rate is not None:
        _add(_of_the_period(book, policy, book.annual_rate, until), to_come, since, until)


def _overdue_rate(book: Book, policy: Interest, part: Part) -> Decimal | None:
    """None where interest on this instalment is charged by entries."""
    if part.number is not None and part.number in book.charged_elsewhere:
        return None
    return policy.penalty_rate if policy.penalty_rate is not None else book.annual_rate


def _of_the_period(book: Book, policy: Interest, rate: Decimal, until: date) -> Part:
    """The interest that falls due with the next instalment."""
    if book.period is None or book.period.due_on < until:
        place = bisect_left(book.parts, until, key=lambda p: p.due_on)
        following = book.parts[place] if place < len(book.parts) else None
        due_on, number = (following.due_on, following.number) if following else (NEVER, None)
        book.period = _growing(book, policy, rate, due_on, number)
    return book.period


def _growing(book: Book, policy: Interest, rate: Decimal, due_on: date, number: int | None) -> Part:
    part = charged(due_on, "interest", ZERO, number)
    part.accrual = Accrual(rate, policy)
    book.charge(part)
    return part


def _add(part: Part, principal: Decimal, since: date, until: date) -> None:
    assert part.accrual is not None
    grown = part.accrual.grow(principal, since, until)
    part.left += grown
    part.lefts["interest"] += grown
