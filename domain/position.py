"""Where a loan stands on a day, worked out anew from its facts each time it is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from domain.accruing import accrue
from domain.book import NEVER, Book, Disputed, Part, Terms, charged
from domain.loan import COMPONENTS, SCHEDULED, Component, Entry, EntryKind, EntryStatus, Instalment
from domain.money import ZERO

__all__ = [
    "CHARGES",
    "CREDITS",
    "DIRECTIONS",
    "NOT_DUE",
    "Disputed",
    "Position",
    "Split",
    "Terms",
    "Unpaid",
    "future_dates",
    "position",
    "unpaid_on",
]

CHARGES: dict[EntryKind, Component] = {
    EntryKind.INTEREST: "interest",
    EntryKind.LATE_FEE: "late_fee",
    EntryKind.COST: "cost",
}
LET_OFF = {EntryKind.WAIVER, EntryKind.SETTLEMENT_DISCOUNT}
CREDITS = {EntryKind.PAYMENT, *LET_OFF}
NOT_DUE = "not_due"  # the reason of an opening balance that is owed and falls due only when the loan is accelerated
# What a direction may say: pay what is to come before what is due, or what is disputed like all else.
DIRECTIONS = TO_COME, DISPUTED = "to_come", "disputed"


class Split(NamedTuple):
    """An amount by what it is for. `other` is what no kind names: an adjustment, and money that went back and is owed again."""

    interest: Decimal = ZERO
    principal: Decimal = ZERO
    fee: Decimal = ZERO
    late_fee: Decimal = ZERO
    cost: Decimal = ZERO
    other: Decimal = ZERO


NOTHING = Split()


@dataclass(frozen=True, slots=True)
class Position:
    """What is owed on a day (design.md 3); amounts in the loan's currency, dates in the lender's calendar.

    `arrears` is all that is due and unpaid, late fees and costs included; `fee_arrears` is the part of it that is late fees,
    costs and charged interest, which alone make no day past due. `overpaid` starts beyond `outstanding`.

    `arrears_by` is all of `arrears`. `paid_by` is `paid` without what is still free; its `other` is below zero where more was refunded
    than was free, paid in advance or paid for charges. `recovered` was paid since the write-off. `accrued` is interest worked out here that is in `outstanding` and not
    yet due. `held_back` is free money that waits beside what is disputed.
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
    arrears_by: Split = NOTHING
    paid_by: Split = NOTHING
    recovered: Decimal = ZERO
    accrued: Decimal = ZERO
    held_back: Decimal = ZERO

    @property
    def cured(self) -> bool:
        """No instalment is past due: the end of the reason to collect."""
        return self.days_past_due == 0


class Unpaid(NamedTuple):
    """What is left of each instalment by its number, in the loan's currency; `ended` where the debt is written off or due as a whole."""

    left: dict[int, Decimal]
    ended: bool


def position(
    instalments: Iterable[Instalment], entries: Iterable[Entry], as_of: date, terms: Terms | None = None
) -> Position:
    """The position at the end of `as_of`, whatever order the entries arrived in.

    Entries and instalments count from their own date, `as_of` included. On one date charges come before payments, then the entry id
    decides. A reversal takes its amount out of the entry it names, as if that money had never come.
    """
    return _read(_replay(instalments, entries, as_of, terms or Terms()), as_of)


def unpaid_on(
    instalments: Iterable[Instalment], entries: Iterable[Entry], as_of: date, terms: Terms | None = None
) -> Unpaid:
    """What is unpaid of each instalment at the end of `as_of`, by the same reading as `position`."""
    book = _replay(instalments, entries, as_of, terms or Terms())
    left: dict[int, Decimal] = {}
    for part in book.unpaid:
        if part.number is not None:
            left[part.number] = left.get(part.number, ZERO) + part.left
    return Unpaid(left, ended=book.written_off or book.accelerated_on is not None)


def _replay(instalments: Iterable[Instalment], entries: Iterable[Entry], as_of: date, terms: Terms) -> Book:
    counted = _in_order(entries, as_of)
    book = Book.begin(instalments, terms)
    for entry in counted:
        _reach(book, entry.value_date)
        _post(book, entry)
    _reach(book, as_of)
    book.settle(as_of)
    return book


def _in_order(entries: Iterable[Entry], as_of: date) -> list[Entry]:
    """The settled entries up to a day, net of their reversals, sorted by date, charges first, then id."""
    counted = [e for e in entries if e.value_date <= as_of and e.status is EntryStatus.SETTLED]
    taken_back: dict[str, Decimal] = {}
    for entry in counted:
        if entry.kind is EntryKind.REVERSAL and entry.reverses:
            taken_back[entry.reverses] = taken_back.get(entry.reverses, ZERO) + entry.amount
    net = [
        _without(e, taken_back[e.entry_id]) if e.entry_id in taken_back else e
        for e in counted
        if e.kind is not EntryKind.REVERSAL and taken_back.get(e.entry_id, ZERO) < (abs(e.amount) or 1)
    ]
    return sorted(net, key=lambda e: (e.value_date, e.kind in CREDITS, e.entry_id))


def _without(entry: Entry, taken_back: Decimal) -> Entry:
    return entry._replace(amount=entry.amount - taken_back if entry.amount > 0 else entry.amount + taken_back)


def _reach(book: Book, day: date) -> None:
    """Let time pass: interest grows, and money that waited beside a dispute is spent on the day the dispute ends."""
    if book.terms.disputed:
        for end in sorted({d.until for d in book.terms.disputed if d.until and book.today < d.until <= day}):
            accrue(book, end)
            book.settle(end)
    accrue(book, day)
    book.today = day


def _post(book: Book, entry: Entry) -> None:
    """Let one entry act on the book. Money is spent only as of its own date, so that a later fee cannot reach back for it."""
    match entry.kind:
        case EntryKind.PAYMENT:
            book.paid += entry.amount
            _credit(book, entry, paid=entry.amount)
        case _ if entry.kind in LET_OFF:
            _credit(book, entry, forgiven=entry.amount)
        case EntryKind.INTEREST | EntryKind.LATE_FEE | EntryKind.COST:
            book.charge(charged(entry.value_date, CHARGES[entry.kind], entry.amount, entry.instalment))
            if entry.kind is EntryKind.INTEREST:
                book.charged_elsewhere.add(entry.instalment)
        case EntryKind.ADJUSTMENT if entry.amount > 0:
            _raise(book, entry)
        case EntryKind.ADJUSTMENT:
            _credit(book, entry, forgiven=-entry.amount)
        case EntryKind.REFUND:
            _refund(book, entry)
        case EntryKind.OPENING_BALANCE:
            _open(book, entry)
        case EntryKind.ACCELERATE:
            book.accelerated_on = entry.value_date
        case EntryKind.REINSTATE:
            book.accelerated_on = None
        case EntryKind.WRITE_OFF:
            if not book.written_off:
                book.paid_before_write_off = book.paid
            book.written_off = True
        case EntryKind.REVERSAL:
            raise AssertionError("reversals are netted before they are posted")


def _credit(book: Book, entry: Entry, *, paid: Decimal = ZERO, forgiven: Decimal = ZERO) -> None:
    """Spend money on what it was given for, and what is left by the waterfall.

    What was waived of something is waived of nothing else, and what was waived of more than is owed of nothing at all: money that was
    free pays first what came after it.
    """
    if entry.kind in LET_OFF:
        book.settle(entry.value_date)
    component, left = _component(entry), paid + forgiven
    directed = component or entry.instalment is not None or entry.direction == TO_COME
    if directed:
        to_come = entry.direction == TO_COME
        left = book.direct(entry.instalment, component, entry.value_date, to_come=to_come, paid=paid, forgiven=forgiven)
    spare = entry.direction != DISPUTED
    if entry.kind not in LET_OFF:
        book.credit += left
        book.forgiven += left if forgiven else ZERO
        book.settle(entry.value_date, spare)
    elif not directed:
        aside, (book.credit, book.forgiven) = (book.credit, book.forgiven), (left, left)
        book.settle(entry.value_date, spare)
        book.credit, book.forgiven = aside


def _component(entry: Entry) -> Component | None:
    return next((c for c in COMPONENTS if c == entry.component), None) if entry.component else None


def _raise(book: Book, entry: Entry) -> None:
    """More is owed. What is of the schedule ages with it; late fees, costs, and what says nothing of what it is are charges."""
    component = _component(entry) or "other"
    if component in SCHEDULED or (component == "other" and entry.instalment is not None):
        book.increase(entry.value_date, component, entry.amount, entry.instalment)
    else:
        book.charge(charged(entry.value_date, component, entry.amount, entry.instalment))


def _refund(book: Book, entry: Entry) -> None:
    """Money goes back: what is free, what was paid in advance, what charges were paid. More is owed again, and falls due on the day."""
    from_payments = min(entry.amount, book.credit - book.forgiven)
    free = min(entry.amount, book.credit)
    book.paid -= entry.amount
    book.credit -= free
    book.forgiven -= free - from_payments
    again = book.take_back(entry.amount - free, entry.value_date)
    book.paid_by["other"] -= again + free - from_payments
    if again:
        book.increase(entry.value_date, "other", again, None)


def _open(book: Book, entry: Entry) -> None:
    """What is owed from before; late fees and costs among it are charges, due like any other."""
    component = _component(entry) or "principal"
    if component in SCHEDULED:
        due_on = NEVER if entry.reason == NOT_DUE else entry.value_date
        part = charged(due_on, component, entry.amount, entry.instalment)
        part.since = entry.value_date
        book.add(part)
    else:
        book.charge(charged(entry.value_date, component, entry.amount, entry.instalment))


def _read(book: Book, as_of: date) -> Position:
    terms = book.terms
    due, later = book.split(as_of)
    late = [p for p in due if p.left > terms.tolerance]
    charges = [p for p in book.charges if book.due(p) <= as_of]
    fee_arrears = _sum(charges)
    instalment_arrears = _sum(late)
    arrears_by = _by([*late, *charges])
    if instalment_arrears <= terms.materiality:
        late = []
    oldest = min((book.due(p) for p in late), default=None)
    to_come = [*later, *(p for p in book.charges if book.due(p) > as_of)]
    next_due_on = min((p.due_on for p in later if p.due_on != NEVER), default=None)
    outstanding = _sum(book.unpaid) + _sum(book.charges)
    instalments_due = sum(1 for p in book.parts if book.due(p) <= as_of)
    return Position(
        as_of=as_of,
        arrears=instalment_arrears + fee_arrears,
        fee_arrears=fee_arrears,
        outstanding=outstanding,
        overpaid=max(ZERO, book.credit - outstanding),
        paid=book.paid,
        oldest_due_on=oldest,
        days_past_due=(as_of - oldest).days if oldest else 0,
        next_due_on=next_due_on,
        next_due_amount=sum((p.left for p in to_come if p.due_on == next_due_on), ZERO),
        instalments_due=instalments_due,
        instalments_paid=instalments_due - len(late),
        written_off=book.written_off,
        arrears_by=arrears_by,
        paid_by=Split(*(book.paid_by[c] for c in COMPONENTS)),
        recovered=max(ZERO, book.paid - book.paid_before_write_off) if book.written_off else ZERO,
        accrued=_sum(p for p in book.charges if book.due(p) > as_of),
        held_back=min(book.credit, outstanding),
    )


def _sum(parts: Iterable[Part]) -> Decimal:
    return sum((p.left for p in parts), ZERO)


def _by(parts: Iterable[Part]) -> Split:
    found: dict[Component, Decimal] = dict.fromkeys(COMPONENTS, ZERO)
    for part in parts:
        for component, left in part.lefts.items():
            found[component] += left
    return Split(*(found[c] for c in COMPONENTS))


def future_dates(entries: Iterable[Entry], as_of: date) -> list[date]:
    """The days after `as_of` on which an entry already in the ledger starts to count."""
    return sorted({e.value_date for e in entries if e.value_date > as_of and e.status is EntryStatus.SETTLED})
