"""A ledger so slow and plain that it is easy to believe: it lives through every day and spends every cent by itself.

Amounts are whole cents. It knows nothing of the code it checks but the names of facts and policies.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from domain.book import Terms
from domain.loan import Entry, Instalment

ALL = ["interest", "principal", "fee", "late_fee", "cost", "other"]
TAPE = ["interest", "principal", "fee"]
DATED = [*TAPE, "other"]
LAST = ["interest", "late_fee", "cost", "principal", "fee", "other"]
COSTS_FIRST = ["cost", "interest", "principal", "fee", "late_fee", "other"]
PRINCIPAL_FIRST = ["principal", "interest", "fee", "late_fee", "cost", "other"]
IN = ("payment", "waiver", "settlement_discount")


def cents(amount: Decimal) -> int:
    return int(amount * 100)


@dataclass
class Pile:
    """Cents of one component, of one instalment or charge."""

    group: int  # piles of one instalment share it
    scheduled: bool
    due_on: date
    number: int | None
    component: str
    cents: int
    grows: bool = False
    grown: Fraction = Fraction(0)
    so_far: int = 0
    since: date = date.min  # owed from then on
    paid: int = 0


class Model:
    """All that is known on one day, and then on the next."""

    def __init__(self, instalments: list[Instalment], entries: list[Entry], as_of: date, terms: Terms) -> None:
        self.terms, self.as_of = terms, as_of
        self.piles: list[Pile] = []
        self.groups = 0
        self.overdue_interest: dict[int, Pile] = {}
        self.period: Pile | None = None
        self.accelerated: date | None = None
        self.purse: list[str] = []  # each free cent: "paid" or "forgiven"
        self.paid = self.paid_before = 0
        self.paid_by = dict.fromkeys(ALL, 0)
        self.written_off = False
        for one in sorted(instalments, key=lambda i: (i.due_on, i.number)):
            amounts = {"interest": one.interest, "principal": one.principal, "fee": one.fee}
            self.group(True, one.due_on, one.number, {name: cents(amount) for name, amount in amounts.items()})
        self.entries = self.net(entries)
        self.tape_interest = any(i.interest for i in instalments)
        self.live()

    def group(
        self, scheduled: bool, due_on: date, number: int | None, amounts: dict[str, int], grows: bool = False
    ) -> list[Pile]:
        self.groups += 1
        new = [Pile(self.groups, scheduled, due_on, number, name, amount, grows) for name, amount in amounts.items()]
        self.piles += new
        return new

    def net(self, entries: list[Entry]) -> list[Entry]:
        there = [e for e in entries if e.status == "settled" and e.value_date <= self.as_of]
        kept = []
        for e in there:
            back = sum(r.amount for r in there if r.kind == "reversal" and r.reverses == e.entry_id)
            if e.kind == "reversal" or back >= abs(e.amount):
                continue
            kept.append(e._replace(amount=e.amount - back if e.amount > 0 else e.amount + back))
        return sorted(kept, key=lambda e: (e.value_date, e.kind in IN, e.entry_id))

    # Time

    def live(self) -> None:
        interest = self.terms.interest
        first = (
            [p.due_on for p in self.piles if p.due_on != date.max] + [e.value_date for e in self.entries] + [self.as_of]
        )
        day = min([*first, interest.since] if interest else first)
        while day <= self.as_of:
            if interest and day > interest.since:
                self.earn(day)
            if any(d.until == day for d in self.terms.disputed):
                self.spend(day)
            for entry in [e for e in self.entries if e.value_date == day]:
                self.take(entry)
            day += timedelta(days=1)
        self.spend(self.as_of)

    def due(self, pile: Pile) -> date:
        return min(pile.due_on, max(self.accelerated, pile.since)) if self.accelerated else pile.due_on

    def earn(self, day: date) -> None:
        """The interest of one day, on what was owed when it began."""
        interest = self.terms.interest
        assert interest is not None
        before = day - timedelta(days=1)
        weight, year = Fraction(1), {"act/365": 365, "act/360": 360, "30/360": 360}[interest.day_count]
        if interest.day_count == "30/360":
            weight = Fraction(0) if day.day == 31 else Fraction(1)
            if day.day == 1:
                weight = Fraction(1 + 30 - min(before.day, 30))
        charged = {e.instalment for e in self.entries if e.kind == "interest" and e.value_date < day}
        if None in charged:
            return
        contract = None if self.tape_interest else interest.annual_rate
        for pile in [p for p in self.piles if p.scheduled and p.component == "principal" and p.cents]:
            if self.due(pile) < day:
                rate = interest.penalty_rate if interest.penalty_rate is not None else contract
                if rate is None or pile.number in charged:
                    continue
                if pile.group not in self.overdue_interest:
                    starts = self.due(pile) + timedelta(days=1)
                    self.overdue_interest[pile.group] = self.group(False, starts, pile.number, {"interest": 0}, True)[0]
                self.grow(self.overdue_interest[pile.group], pile.cents * Fraction(rate) * weight / year)
            elif contract is not None:
                coming = min(
                    (p for p in self.piles if p.scheduled and p.due_on >= day),
                    key=lambda p: (p.due_on, p.group),
                    default=None,
                )
                due_on, number = (coming.due_on, coming.number) if coming else (date.max, None)
                if self.period is None or self.period.due_on < day:
                    self.period = self.group(False, due_on, number, {"interest": 0}, True)[0]
                self.grow(self.period, pile.cents * Fraction(contract) * weight / year)

    @staticmethod
    def grow(pile: Pile, amount: Fraction) -> None:
        pile.grown += amount
        rounded = floor(pile.grown + Fraction(1, 2))
        pile.cents += rounded - pile.so_far
        pile.so_far = rounded

    # Money

    def take(self, e: Entry) -> None:
        amount = cents(abs(e.amount))
        component = e.component if e.component in ALL else None
        if e.kind in IN or (e.kind == "adjustment" and e.amount < 0):
            self.paid += amount if e.kind == "payment" else 0
            if e.kind in ("waiver", "settlement_discount"):
                self.spend(e.value_date, True)  # nothing is waived that free money pays
            money = ["paid" if e.kind == "payment" else "forgiven"] * amount
            if component or e.instalment is not None or e.direction == "to_come":
                money = self.spend_on(money, e.instalment, component, e.direction == "to_come", e.value_date)
                money = [] if e.kind in ("waiver", "settlement_discount") else money
            spare, waits = e.direction != "disputed", self.purse
            if e.kind in ("waiver", "settlement_discount"):
                self.purse = money
                self.spend(e.value_date, spare)
                self.purse = waits
            else:
                self.purse += money
                self.spend(e.value_date, spare)
        elif e.kind in ("interest", "late_fee", "cost"):
            self.group(False, e.value_date, e.instalment, {e.kind: amount})
        elif e.kind == "adjustment":
            self.owe_more(e.value_date, component or "other", amount, e.instalment)
        elif e.kind == "refund":
            self.refund(amount, e.value_date)
        elif e.kind == "opening_balance":
            what = component or "principal"
            due_on = date.max if e.reason == "not_due" and what in TAPE else e.value_date
            for pile in self.group(what in TAPE, due_on, e.instalment, {what: amount}):
                pile.since = e.value_date if pile.scheduled else date.min
        elif e.kind == "accelerate":
            self.accelerated = e.value_date
        elif e.kind == "reinstate":
            self.accelerated = None
        elif e.kind == "write_off":
            self.paid_before = self.paid_before if self.written_off else self.paid
            self.written_off = True

    def refund(self, amount: int, day: date) -> None:
        self.paid -= amount
        owed_again = 0
        for _ in range(amount):
            if "paid" in self.purse:
                self.purse.remove("paid")
                continue
            charges = sorted([p for p in self.piles if not p.scheduled and self.due(p) <= day], key=self.among_charges)
            again = [] if self.purse else [p for p in [*charges, *self.to_come(day)] if p.paid]
            self.paid_by[again[-1].component if again else "other"] -= 1
            if again:
                again[-1].paid -= 1
                again[-1].cents += 1
            elif self.purse:
                self.purse.pop()
            else:
                owed_again += 1
        if owed_again:
            self.group(True, day, None, {"other": owed_again})[0].since = day

    def owe_more(self, day: date, what: str, amount: int, number: int | None) -> None:
        """The instalment grows while it is not late; afterwards there is one more to be paid that day. The rest is a charge."""
        if what not in TAPE and (what != "other" or number is None):
            self.group(False, day, number, {what: amount})
            return
        same = [p for p in self.piles if p.scheduled and p.number == number and number is not None]
        first = min(same, key=lambda p: p.due_on, default=None)
        if first and self.due(first) >= day:
            self.piles.append(Pile(first.group, True, first.due_on, number, what, amount, since=first.since))
        else:
            due_on = max(day, first.due_on) if first else day
            self.group(True, due_on, number, {what: amount})[0].since = day

    def to_come(self, day: date) -> list[Pile]:
        """In the order in which it falls due, and each in the order of its parts."""
        charges = sorted([p for p in self.piles if not p.scheduled], key=self.among_charges)
        coming = [p for p in [*charges, *[p for p in self.piles if p.scheduled]] if self.due(p) > day]
        return self.in_turn(sorted(coming, key=lambda p: p.due_on), ALL)

    def left_of(self, group: int) -> int:
        return sum(p.cents for p in self.piles if p.group == group)

    def spend(self, day: date, spare: bool = True) -> None:
        if not self.purse:
            return
        order = self.order(day)
        if spare:
            order = [p for p in order if not self.disputed(p, day)]
        for pile in order:
            while pile.cents and self.purse:
                self.pay_a_cent(pile, self.purse)

    def spend_on(
        self, money: list[str], number: int | None, component: str | None, to_come: bool, day: date
    ) -> list[str]:
        """What is due, then charges that are due, then what is to come; `to_come` is the part of the schedule that is not due."""
        schedule = sorted([p for p in self.piles if p.scheduled], key=lambda p: p.due_on)
        if to_come:
            pool = [p for p in schedule if self.due(p) > day]
        else:
            charges = sorted([p for p in self.piles if not p.scheduled], key=self.among_charges)
            now = [p for p in [*schedule, *charges] if self.due(p) <= day]
            pool = [*now, *sorted([p for p in [*charges, *schedule] if self.due(p) > day], key=lambda p: p.due_on)]
        if number is not None:
            pool = [p for p in pool if p.number == number]
        names = [component] if component else self.names(day)
        for pile in [p for name in names for p in pool if p.component == name]:
            while pile.cents and money:
                self.pay_a_cent(pile, money)
        return money

    def pay_a_cent(self, pile: Pile, purse: list[str]) -> None:
        pile.cents -= 1
        if "forgiven" in purse:
            purse.remove("forgiven")
        else:
            purse.remove("paid")
            pile.paid += 1
            self.paid_by[pile.component] += 1

    def disputed(self, pile: Pile, day: date) -> bool:
        return any(
            d.since <= day
            and (d.until is None or day < d.until)
            and d.instalment in (None, pile.number)
            and d.component in (None, pile.component)
            for d in self.terms.disputed
        )

    # Orders

    def late_groups(self, day: date) -> set[int]:
        tolerated = cents(self.terms.tolerance)
        return {p.group for p in self.piles if p.scheduled and self.due(p) <= day and self.left_of(p.group) > tolerated}

    def oldest_late(self, day: date) -> date | None:
        late = [p for p in self.piles if p.group in self.late_groups(day)]
        if sum(p.cents for p in late) <= cents(self.terms.materiality):
            return None
        return min((self.due(p) for p in late), default=None)

    def impaired(self, day: date) -> bool:
        oldest = self.oldest_late(day)
        late_for = (day - oldest).days if oldest else 0
        return self.terms.waterfall.name == "principal-first" and (self.written_off or late_for > 90)

    def names(self, day: date) -> list[str]:
        if self.terms.waterfall.name == "cn-561":
            return COSTS_FIRST
        if self.impaired(day):
            return PRINCIPAL_FIRST
        if self.terms.waterfall.name == "instalment-wise":
            return ALL
        return ["interest", "principal", "fee", "other", "late_fee", "cost"]

    @staticmethod
    def among_charges(pile: Pile) -> tuple[date, bool]:
        return pile.due_on, not pile.grows

    def order(self, day: date) -> list[Pile]:
        late = self.late_groups(day)
        due = sorted([p for p in self.piles if p.group in late], key=lambda p: p.due_on)
        charges = sorted([p for p in self.piles if not p.scheduled], key=self.among_charges)
        owed_charges = [p for p in charges if self.due(p) <= day]
        to_come = [p for p in charges if self.due(p) > day] + [
            p for p in self.piles if p.scheduled and self.due(p) > day
        ]
        to_come.sort(key=lambda p: p.due_on)
        rest = sorted(
            [p for p in self.piles if p.scheduled and self.due(p) <= day and p.group not in late],
            key=lambda p: p.due_on,
        )
        last = [*self.in_turn(to_come, DATED), *self.in_turn(rest, DATED)]
        if self.impaired(day):
            last = [*self.by_name(to_come, PRINCIPAL_FIRST), *self.in_turn(rest, DATED)]
        return [*self.now_owed(day, due, owed_charges), *last]

    def now_owed(self, day: date, due: list[Pile], charges: list[Pile]) -> list[Pile]:
        name = self.terms.waterfall.name
        together = sorted([*due, *charges], key=self.due)
        if name == "cn-561":
            return self.by_name(together, COSTS_FIRST)
        if self.impaired(day):
            return self.by_name(together, PRINCIPAL_FIRST)
        if name == "instalment-wise":
            return self.instalments_with_charges(together)
        return [*self.in_turn(due, DATED), *self.in_turn(charges, LAST)]

    def instalments_with_charges(self, piles: list[Pile]) -> list[Pile]:
        def where(pile: Pile) -> Pile:
            same = [p for p in self.piles if p.scheduled and p.number == pile.number and p.number is not None]
            return min(same, key=lambda p: p.due_on, default=pile)

        whole = {where(p).group: where(p) for p in piles}
        order = sorted(whole.values(), key=lambda p: (self.due(p), p.due_on, p.number is None, p.number or 0))
        return [p for one in order for p in self.by_name([p for p in piles if where(p).group == one.group], ALL)]

    @staticmethod
    def by_name(piles: list[Pile], names: list[str]) -> list[Pile]:
        return [p for name in names for p in piles if p.component == name]

    @staticmethod
    def in_turn(piles: list[Pile], names: list[str]) -> list[Pile]:
        groups = list(dict.fromkeys(p.group for p in piles))
        return [p for g in groups for name in names for p in piles if p.group == g and p.component == name]

    # What it says

    def says(self) -> dict[str, object]:
        day = self.as_of
        late = [p for p in self.piles if p.group in self.late_groups(day)]
        charges = [p for p in self.piles if not p.scheduled and self.due(p) <= day]
        coming = [p for p in self.piles if self.due(p) > day]
        oldest = self.oldest_late(day)
        next_due = min(
            (p.due_on for p in coming if p.scheduled and p.due_on != date.max and self.left_of(p.group)), default=None
        )
        due_groups = {p.group for p in self.piles if p.scheduled and self.due(p) <= day}
        outstanding = sum(p.cents for p in self.piles)
        return {
            "arrears": sum(p.cents for p in [*late, *charges]),
            "fee_arrears": sum(p.cents for p in charges),
            "outstanding": outstanding,
            "overpaid": max(0, len(self.purse) - outstanding),
            "paid": self.paid,
            "oldest_due_on": oldest,
            "days_past_due": (day - oldest).days if oldest else 0,
            "next_due_on": next_due,
            "next_due_amount": sum(p.cents for p in coming if p.due_on == next_due),
            "instalments_due": len(due_groups),
            "instalments_paid": len(due_groups) - (len({p.group for p in late}) if oldest else 0),
            "written_off": self.written_off,
            "arrears_by": tuple(sum(p.cents for p in [*late, *charges] if p.component == name) for name in ALL),
            "paid_by": tuple(self.paid_by[name] for name in ALL),
            "recovered": max(0, self.paid - self.paid_before) if self.written_off else 0,
            "accrued": sum(p.cents for p in coming if not p.scheduled),
            "held_back": min(len(self.purse), outstanding),
        }
