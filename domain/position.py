"""Where a loan stands on a day, worked out anew from its facts each time it is asked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from domain.loan import Entry, EntryKind, EntryStatus, Instalment
from domain.money import ZERO

CHARGES = {EntryKind.INTEREST, EntryKind.LATE_FEE, EntryKind.COST}
CREDITS = {EntryKind.PAYMENT, EntryKind.WAIVER, EntryKind.SETTLEMENT_DISCOUNT}


@dataclass(frozen=True, slots=True)
class Terms:
    """A lender's policy for reading a position.

    `tolerance` is what may be missing of an instalment that still counts as paid; `materiality` is the arrears of a whole loan up
    to which nobody counts days. Both are amounts in the loan's currency, none by default.
    """

    tolerance: Decimal = ZERO
    materiality: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Position:
    """What is owed on a day (design.md 3); amounts in the loan's currency, dates in the lender's calendar.

    `arrears` is all that is due and unpaid, late fees and costs included; `fee_arrears` is the part of it that is late fees,
    costs and charged interest, which alone make no day past due. `overpaid` starts beyond `outstanding`.
    """

    as_of: date
    arrears: Decimal
    fee_arrears: Decimal
    outstanding: Decimal
    overpaid: Decimal
    paid: Decimal
    oldest_due_on: date | None
    days_past_due: int
    next_due_on: date | None
    next_due_amount: Decimal
    instalments_due: int
    instalments_paid: int
    written_off: bool

    @property
    def cured(self) -> bool:
        """No instalment is past due: the end of the reason to collect."""
        return self.days_past_due == 0


@dataclass(slots=True)
class _Part:
    """Something owed: an instalment or a charge, and what is left of it."""

    due_on: date
    left: Decimal


@dataclass(slots=True)
class _Book:
    """The running state of a replay of all entries in value-date order."""

    parts: list[_Part]
    tolerance: Decimal
    credit: Decimal = ZERO
    paid: Decimal = ZERO
    accelerated_on: date | None = None
    written_off: bool = False
    charges: list[_Part] = field(default_factory=list)

    def due(self, part: _Part) -> date:
        """The day a part falls due; acceleration pulls all later ones forward."""
        return part.due_on if self.accelerated_on is None else min(part.due_on, self.accelerated_on)

    def settle(self, on: date) -> None:
        """Spend free money: what is due, oldest instalment first; then late fees and costs; then what is to come.

        Within an instalment the order is interest, principal, fee; it does not change what is left of the whole, so one figure
        a part is kept here. A remainder within the tolerance counts as paid and so takes no money from the next instalment.
        """
        due = [p for p in self.parts if self.due(p) <= on]
        late = [p for p in due if p.left > self.tolerance]
        remainders = [p for p in due if p.left <= self.tolerance]
        later = [p for p in self.parts if self.due(p) > on]
        for part in (*late, *self.charges, *later, *remainders):
            if self.credit <= 0:
                return
            spent = min(self.credit, part.left)
            part.left -= spent
            self.credit -= spent


def position(
    instalments: Iterable[Instalment], entries: Iterable[Entry], as_of: date, terms: Terms | None = None
) -> Position:
    """The position at the end of `as_of`, whatever order the entries arrived in.

    Entries and instalments count from their own date, `as_of` included. On one date charges come before payments, then the entry id
    decides. A reversal takes its amount out of the entry it names, as if that money had never come.
    """
    terms = terms or Terms()
    book = _Book(
        parts=[_Part(i.due_on, i.amount) for i in sorted(instalments, key=lambda i: (i.due_on, i.number))],
        tolerance=terms.tolerance,
    )
    for entry in _in_order(entries, as_of):
        _post(book, entry)
    book.settle(as_of)
    return _read(book, as_of, terms)


def _in_order(entries: Iterable[Entry], as_of: date) -> list[Entry]:
    """The settled entries up to a day, net of their reversals, sorted by date, charges first, then id."""
    counted = [e for e in entries if e.value_date <= as_of and e.status is EntryStatus.SETTLED]
    taken_back: dict[str, Decimal] = {}
    for entry in counted:
        if entry.kind is EntryKind.REVERSAL and entry.reverses:
            taken_back[entry.reverses] = taken_back.get(entry.reverses, ZERO) + entry.amount
    net = [
        e._replace(amount=max(ZERO, e.amount - taken_back[e.entry_id])) if e.entry_id in taken_back else e
        for e in counted
        if e.kind is not EntryKind.REVERSAL
    ]
    return sorted(net, key=lambda e: (e.value_date, e.kind in CREDITS, e.entry_id))


def _post(book: _Book, entry: Entry) -> None:
    """Let one entry act on the book. Money is spent only as of its own date, so that a later fee cannot reach back for it."""
    match entry.kind:
        case EntryKind.PAYMENT | EntryKind.WAIVER | EntryKind.SETTLEMENT_DISCOUNT:
            book.credit += entry.amount
            book.paid += entry.amount if entry.kind is EntryKind.PAYMENT else ZERO
            book.settle(entry.value_date)
        case EntryKind.INTEREST | EntryKind.LATE_FEE | EntryKind.COST:
            _charge(book, entry, entry.amount)
        case EntryKind.ADJUSTMENT if entry.amount > 0:
            _charge(book, entry, entry.amount)
        case EntryKind.ADJUSTMENT:
            book.credit -= entry.amount
            book.settle(entry.value_date)
        case EntryKind.REFUND:
            book.credit -= entry.amount
            book.paid -= entry.amount
            if book.credit < 0:  # more went back than was free: the borrower owes it again
                _charge(book, entry, -book.credit)
                book.credit = ZERO
        case EntryKind.OPENING_BALANCE:
            book.parts.append(_Part(entry.value_date, entry.amount))
            book.parts.sort(key=lambda p: p.due_on)
        case EntryKind.ACCELERATE:
            book.accelerated_on = entry.value_date
        case EntryKind.REINSTATE:
            book.accelerated_on = None
        case EntryKind.WRITE_OFF:
            book.written_off = True
        case EntryKind.REVERSAL:
            raise AssertionError("reversals are netted before they are posted")


def _charge(book: _Book, entry: Entry, amount: Decimal) -> None:
    book.charges.append(_Part(entry.value_date, amount))


def _read(book: _Book, as_of: date, terms: Terms) -> Position:
    due = [p for p in book.parts if book.due(p) <= as_of]
    late = [p for p in due if p.left > terms.tolerance]
    to_come = [p for p in book.parts if book.due(p) > as_of and p.left > 0]
    fee_arrears = sum((p.left for p in book.charges), ZERO)
    instalment_arrears = sum((p.left for p in late), ZERO)
    if instalment_arrears <= terms.materiality:
        late = []
    oldest = min((book.due(p) for p in late), default=None)
    next_due_on = min((p.due_on for p in to_come), default=None)
    return Position(
        as_of=as_of,
        arrears=instalment_arrears + fee_arrears,
        fee_arrears=fee_arrears,
        outstanding=sum((p.left for p in book.parts), ZERO) + fee_arrears,
        overpaid=book.credit,
        paid=book.paid,
        oldest_due_on=oldest,
        days_past_due=(as_of - oldest).days if oldest else 0,
        next_due_on=next_due_on,
        next_due_amount=sum((p.left for p in to_come if p.due_on == next_due_on), ZERO),
        instalments_due=len(due),
        instalments_paid=len(due) - len(late),
        written_off=book.written_off,
    )


def future_dates(entries: Iterable[Entry], as_of: date) -> list[date]:
    """The days after `as_of` on which an entry already in the ledger starts to count."""
    return sorted({e.value_date for e in entries if e.value_date > as_of and e.status is EntryStatus.SETTLED})
