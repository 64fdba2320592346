"""What is owed part by part while a position is worked out, and how money is spent on it."""

from bisect import bisect_right, insort_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from domain.interest import Accrual, Interest
from domain.loan import COMPONENTS, DATED, Component, Instalment
from domain.money import ZERO
from domain.waterfall import DEFAULT, Step, Waterfall

NEVER = date.max
DAY = timedelta(days=1)


class Disputed(NamedTuple):
    """What a borrower disputes: an instalment with its charges, or one component, or that of the instalment; from a day, until before another."""

    since: date
    until: date | None = None
    instalment: int | None = None
    component: Component | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """A lender's policy for reading a position.

    `tolerance` is what may be missing of an instalment that still counts as paid; `materiality` is the arrears of a whole loan up
    to which nobody counts days. Both are amounts in the loan's currency, none by default. `interest` is None where none is worked out here.
    """

    tolerance: Decimal = ZERO
    materiality: Decimal = ZERO
    waterfall: Waterfall = DEFAULT
    interest: Interest | None = None
    disputed: tuple[Disputed, ...] = ()


@dataclass(slots=True)
class Part:
    """Something owed: an instalment, an opening balance or a charge, and what is left of it, whole and by component.

    `paid` is what payments paid of it, by component; `since` the day from which it is owed at all, where it was not from the start.
    """

    due_on: date
    left: Decimal
    lefts: dict[Component, Decimal]
    number: int | None = None
    since: date = date.min
    paid: dict[Component, Decimal] = field(default_factory=dict)
    overdue: "Part | None" = None  # the interest on this part's overdue principal
    accrual: Accrual | None = None  # how a part that is interest grows


def charged(due_on: date, component: Component, amount: Decimal, number: int | None = None) -> Part:
    """A part of one component."""
    return Part(due_on, amount, {component: amount}, number)


def _place(charge: Part) -> tuple[date, bool]:
    """Charges stand by date; interest worked out here comes before what was posted on its day."""
    return charge.due_on, charge.accrual is None


@dataclass(slots=True)
class Book:
    """The running state of a replay of all entries in value-date order.

    `parts` and `unpaid` are instalments and opening balances by due date, all of them and those with something left. `credit` is free
    money, of which `forgiven` never came from the payer.
    """

    terms: Terms
    parts: list[Part]
    unpaid: list[Part]
    annual_rate: Decimal | None = None
    charged_elsewhere: set[int | None] = field(
        default_factory=set
    )  # instalments with interest of the tape's own; None is the loan
    charges: list[Part] = field(default_factory=list)
    credit: Decimal = ZERO
    forgiven: Decimal = ZERO
    paid: Decimal = ZERO
    paid_by: dict[Component, Decimal] = field(default_factory=lambda: dict.fromkeys(COMPONENTS, ZERO))
    accelerated_on: date | None = None
    written_off: bool = False
    paid_before_write_off: Decimal = ZERO
    today: date = date.min
    reached: date | None = None  # how far interest has grown
    period: Part | None = None  # the interest that falls due with the next instalment
    spared: tuple[Disputed, ...] = ()

    @classmethod
    def begin(cls, instalments: Iterable[Instalment], terms: Terms) -> "Book":
        """A book with the schedule alone."""
        schedule = sorted(instalments, key=lambda i: (i.due_on, i.number))
        parts = [
            Part(i.due_on, i.amount, {"interest": i.interest, "principal": i.principal, "fee": i.fee}, i.number)
            for i in schedule
        ]
        book = cls(terms, parts, [p for p in parts if p.left > 0])
        if (policy := terms.interest) is not None:
            book.reached = policy.since
            if not any(i.interest for i in schedule):
                book.annual_rate = policy.annual_rate
        return book

    def due(self, part: Part) -> date:
        """The day a part falls due; acceleration pulls all later ones forward, to no day before they were owed."""
        return part.due_on if self.accelerated_on is None else min(part.due_on, max(self.accelerated_on, part.since))

    def add(self, part: Part) -> None:
        """Add to the schedule, behind what falls due on the same day: what ages like an instalment and is none."""
        for parts in (self.parts, self.unpaid):
            insort_right(parts, part, key=lambda p: p.due_on)

    def increase(self, on: date, component: Component, amount: Decimal, number: int | None) -> None:
        """Let the schedule come to more: the instalment itself while it is not late, else a part of it that falls due on the day."""
        whole = next((p for p in self.parts if p.number == number), None) if number is not None else None
        if whole is None or self.due(whole) < on:
            due_on = on if whole is None else max(on, whole.due_on)
            self.add(Part(due_on, amount, {component: amount}, number, since=on))
            return
        whole.left += amount
        whole.lefts[component] = whole.lefts.get(component, ZERO) + amount
        self.unpaid = [p for p in self.parts if p.left]

    def charge(self, part: Part) -> None:
        """Add a charge."""
        insort_right(self.charges, part, key=_place)

    def split(self, on: date) -> tuple[list[Part], list[Part]]:
        """What is unpaid and due on a day, and what is to come."""
        if self.accelerated_on is not None:
            return self.unpaid, []
        place = bisect_right(self.unpaid, on, key=lambda p: p.due_on)
        return self.unpaid[:place], self.unpaid[place:]

    def _charges(self, on: date) -> tuple[list[Part], list[Part]]:
        """Charges that are due on a day, and interest that grows until it is."""
        if not self.charges or self.charges[-1].due_on <= on:
            return self.charges, []
        return [p for p in self.charges if self.due(p) <= on], [p for p in self.charges if self.due(p) > on]

    def days_past_due(self, due: Iterable[Part], on: date) -> int:
        """Of the oldest instalment that is late by more than tolerance and materiality allow."""
        late = [p for p in due if p.left > self.terms.tolerance]
        if sum((p.left for p in late), ZERO) <= self.terms.materiality:
            return 0
        return max(((on - self.due(p)).days for p in late), default=0)

    # Money

    def settle(self, on: date, spare: bool = True) -> None:
        """Spend free money by the waterfall, with the day's eyes: what is due, what is to come, and remainders within the tolerance last."""
        if self.credit <= 0:
            return
        self._spare(on, spare)
        due, later = self.split(on)
        steps = self._steps(due, on)
        late, remainders = due, []
        if self.terms.tolerance:
            late = [p for p in due if p.left > self.terms.tolerance]
            remainders = [p for p in due if p.left <= self.terms.tolerance]
        charges, growing = self._charges(on)
        for step in steps:
            match step.of:
                case "due":
                    self._step(step, late)
                case "charges":
                    self._step(step, charges)
                case "owed":
                    self._step(step, sorted([*late, *charges], key=self.due))
                case "to_come":
                    self._step(step, sorted([*growing, *later], key=lambda p: p.due_on))
            if self.credit <= 0:
                break
        for part in remainders:
            for component in DATED:
                self._pay(part, component)
        self._drop_paid()

    def direct(
        self,
        number: int | None,
        component: Component | None,
        on: date,
        *,
        to_come: bool,
        paid: Decimal,
        forgiven: Decimal,
    ) -> Decimal:
        """Spend money on what it was given for; returns what is left of it.

        What is due comes first, then charges that are due, then what is to come, each the oldest first. The instalment `number` with its charges, or one component, or both; `to_come` leaves out what is due already. Components come
        in the order in which the waterfall names them first.
        """
        aside = self.credit, self.forgiven
        self.credit, self.forgiven = paid + forgiven, forgiven
        self._spare(on, spare=False)
        due, later = self.split(on)
        charges, growing = self._charges(on)
        coming = sorted([*growing, *later], key=lambda p: p.due_on)
        pool = later if to_come else [*due, *charges, *coming]
        pool = [p for p in pool if number is None or p.number == number]
        order = dict.fromkeys(each for step in self._steps(due, on) for each in step.pay)
        for each in (component,) if component else order:
            for part in pool:
                self._pay(part, each)
        left = self.credit
        self.credit, self.forgiven = aside
        self._drop_paid()
        return left

    def take_back(self, amount: Decimal, on: date) -> Decimal:
        """Take money back from what it paid in advance, then from charges that it paid, each the last first; returns what is left to take."""
        charges, growing = self._charges(on)
        ahead = sorted([*growing, *(p for p in self.parts if self.due(p) > on)], key=lambda p: p.due_on)
        for part in [*charges, *ahead][::-1]:
            for component in reversed(COMPONENTS):
                back = min(amount, part.paid.get(component, ZERO))
                if back > 0:
                    part.left += back
                    part.lefts[component] += back
                    part.paid[component] -= back
                    self.paid_by[component] -= back
                    amount -= back
        self.unpaid = [p for p in self.parts if p.left]
        return amount

    def _steps(self, due: Iterable[Part], on: date) -> Sequence[Step]:
        waterfall = self.terms.waterfall
        if waterfall.impaired is None:
            return waterfall.steps
        late = self.written_off or self.days_past_due(due, on) >= waterfall.impaired.from_days_past_due
        return waterfall.impaired.steps if late else waterfall.steps

    def _step(self, step: Step, parts: list[Part]) -> None:
        for group in self._groups(step, parts):
            for component in step.pay:
                for part in group:
                    self._pay(part, component)
                if self.credit <= 0:
                    return

    def _groups(self, step: Step, parts: list[Part]) -> Iterable[Sequence[Part]]:
        """The parts that a step pays together, component by component, in the order of the groups."""
        match step.by:
            case "component":
                return (parts,)
            case "age":
                return ((part,) for part in parts)
            case "instalment":
                return self._with_charges(parts)

    def _with_charges(self, parts: list[Part]) -> list[list[Part]]:
        """Each instalment with its charges where it stands itself, and each charge of none by itself; the oldest first."""
        whole = {p.number: p for p in reversed(self.parts) if p.number is not None}
        groups: dict[int, list[Part]] = {}
        for part in parts:
            stands = part if part.number is None else whole.get(part.number, part)
            groups.setdefault(id(stands), [stands]).append(part)
        ordered = sorted(
            groups.values(), key=lambda g: (self.due(g[0]), g[0].due_on, g[0].number is None, g[0].number or 0)
        )
        return [group[1:] for group in ordered]

    def _pay(self, part: Part, component: Component) -> None:
        left = part.lefts.get(component)
        if not left or (self.spared and self._is_spared(part, component)):
            return
        spent = min(left, self.credit)
        part.lefts[component] = left - spent
        part.left -= spent
        self.credit -= spent
        given = min(spent, self.forgiven)
        self.forgiven -= given
        self.paid_by[component] += spent - given
        part.paid[component] = part.paid.get(component, ZERO) + spent - given

    def _drop_paid(self) -> None:
        if any(not p.left for p in self.unpaid):
            self.unpaid = [p for p in self.unpaid if p.left]

    def _spare(self, on: date, spare: bool) -> None:
        disputed = self.terms.disputed if spare and self.terms.waterfall.spares_disputed else ()
        self.spared = tuple(d for d in disputed if d.since <= on and (d.until is None or on < d.until))

    def _is_spared(self, part: Part, component: Component) -> bool:
        return any(
            (d.instalment is None or d.instalment == part.number) and (d.component is None or d.component == component)
            for d in self.spared
        )
