from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.book import Disputed, Terms
from domain.late_fee import LateFee, LateFeePolicy, late_fees
from domain.loan import Entry, EntryKind, Instalment

D = Decimal
DUE = date(2026, 3, 1)
NEXT = date(2026, 4, 1)
SCHEDULE = [Instalment(1, DUE, D(90), D(10), D(0)), Instalment(2, NEXT, D(90), D(10), D(0))]
POLICY = LateFeePolicy(since=date(2026, 1, 1), amount=D(15), grace_days=5)
FEE_DAY = DUE + timedelta(days=6)


def entry(kind: EntryKind, amount: str, on: date, **more: Any) -> Entry:
    return Entry(f"{kind}-{on}-{amount}", kind, D(amount), on, **more)


def charged(
    *entries: Entry, today: date = FEE_DAY, policy: LateFeePolicy = POLICY, terms: Terms | None = None, held: Any = None
) -> list[LateFee]:
    return late_fees(SCHEDULE, entries, today, terms or Terms(), policy, held or (lambda day: False), D("0.01"))


def test_it_falls_due_the_day_after_the_grace() -> None:
    assert charged(today=FEE_DAY - timedelta(days=1)) == []
    assert charged() == [LateFee(1, FEE_DAY, D("15.00"))]


def test_each_late_instalment_has_its_own() -> None:
    assert [fee.instalment for fee in charged(today=date(2026, 6, 1))] == [1, 2]


@pytest.mark.parametrize(("on", "fees"), [(FEE_DAY - timedelta(days=1), 0), (FEE_DAY, 1)])
def test_what_was_paid_within_the_grace_costs_nothing(on: date, fees: int) -> None:
    assert len(charged(entry(EntryKind.PAYMENT, "100", on), today=date(2026, 3, 20))) == fees


def test_a_share_is_of_what_is_unpaid_and_has_its_cap() -> None:
    paid = entry(EntryKind.PAYMENT, "33.33", DUE)
    rate = LateFeePolicy(since=POLICY.since, rate=D("0.05"), grace_days=5)
    assert charged(paid, policy=rate)[0].amount == D("3.33")  # 5% of 66.67
    assert charged(paid, policy=rate.model_copy(update={"cap": D(2)}))[0].amount == D("2.00")


@pytest.mark.parametrize("number", [1, None])
def test_never_beside_the_tape_s_own_even_when_that_was_taken_back(number: int | None) -> None:
    own = entry(EntryKind.LATE_FEE, "8", DUE + timedelta(days=3), instalment=number)
    back = entry(EntryKind.REVERSAL, "8", DUE + timedelta(days=4), reverses=own.entry_id)
    assert charged(own) == charged(own, back) == []


def test_a_fee_of_another_instalment_is_another() -> None:
    other = entry(EntryKind.LATE_FEE, "8", DUE, instalment=2)
    before = entry(EntryKind.LATE_FEE, "8", DUE)  # on the due date itself nothing of this one is late
    assert len(charged(other)) == len(charged(before)) == 1


def test_what_would_fall_into_a_hold_is_never_charged() -> None:
    assert charged(today=date(2026, 3, 30), held=lambda day: day == FEE_DAY) == []
    assert len(charged(held=lambda day: day != FEE_DAY)) == 1


def test_nothing_on_what_is_disputed_written_off_or_due_as_a_whole() -> None:
    assert charged(terms=replace(Terms(), disputed=(Disputed(DUE, None, 1),))) == []
    assert len(charged(terms=replace(Terms(), disputed=(Disputed(DUE, FEE_DAY, 1),)))) == 1
    assert charged(entry(EntryKind.WRITE_OFF, "200", DUE)) == []
    assert charged(entry(EntryKind.ACCELERATE, "200", DUE)) == []


def test_a_policy_does_not_reach_back() -> None:
    later = POLICY.model_copy(update={"since": FEE_DAY + timedelta(days=1)})
    assert charged(policy=later, today=date(2026, 3, 30)) == []


def test_what_is_within_the_tolerance_is_not_late() -> None:
    paid = entry(EntryKind.PAYMENT, "99", DUE)
    assert len(charged(paid)) == 1
    assert charged(paid, terms=replace(Terms(), tolerance=D(1))) == []


@pytest.mark.parametrize("wrong", [{}, {"amount": D(1), "rate": D("0.1")}, {"amount": D(0)}, {"rate": D(2)}])
def test_a_policy_is_one_amount_or_one_rate(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LateFeePolicy(since=DUE, **wrong)
