"""Money that went back, and a debt that was raised: both age like what fell due by the schedule."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.loan import Component, Entry, EntryKind, Instalment
from domain.position import Position, Split, Terms, position, unpaid_on

D = Decimal
JAN, FEB, MAR = date(2026, 1, 10), date(2026, 2, 10), date(2026, 3, 10)
SCHEDULE = [Instalment(n, day, D(80), D(15), D(5)) for n, day in enumerate((JAN, FEB, MAR), 1)]


def entry(kind: EntryKind, amount: int, on: date, **more: Any) -> Entry:
    return Entry(f"{kind}-{on}-{amount}", kind, D(amount), on, **more)


def paid(amount: int, on: date) -> Entry:
    return entry(EntryKind.PAYMENT, amount, on)


def raised(amount: int, on: date, component: Component | None = None, instalment: int | None = None) -> Entry:
    return entry(EntryKind.ADJUSTMENT, amount, on, component=component, instalment=instalment)


def stands(as_of: date, *entries: Entry, terms: Terms | None = None) -> Position:
    return position(SCHEDULE, entries, as_of, terms)


def days(number: int, since: date = FEB) -> date:
    return since + timedelta(days=number)


def test_what_was_refunded_of_a_paid_instalment_is_past_due_from_its_day() -> None:
    back = entry(EntryKind.REFUND, 100, days(3))
    assert stands(days(3), paid(200, FEB), back).cured
    later = stands(days(20), paid(200, FEB), back)
    assert (later.days_past_due, later.oldest_due_on, later.arrears) == (17, days(3), D(100))
    assert (later.fee_arrears, later.arrears_by, later.paid) == (D(0), Split(other=D(100)), D(100))
    assert stands(days(20), paid(200, FEB), back, paid(100, days(19))).cured


def test_a_refund_of_what_was_paid_in_advance_leaves_nothing_past_due() -> None:
    twice = [paid(200, FEB), paid(110, days(1))]  # the whole of March, and 10 that are free
    back = stands(days(3), *twice, entry(EntryKind.REFUND, 110, days(2)))
    assert back == stands(days(3), paid(200, FEB))
    part = stands(days(3), *twice, entry(EntryKind.REFUND, 20, days(2)))
    assert (part.days_past_due, part.next_due_on, part.next_due_amount, part.overpaid) == (0, MAR, D(10), D(0))
    assert part.paid_by == Split(interest=D(45), principal=D(235), fee=D(10))
    more = stands(days(3), *twice, entry(EntryKind.REFUND, 150, days(2)))
    assert (more.days_past_due, more.arrears, more.next_due_amount) == (1, D(40), D(100))


def test_a_refund_of_what_paid_a_late_fee_makes_the_fee_unpaid_and_no_day_past_due() -> None:
    fee = entry(EntryKind.LATE_FEE, 5, FEB)
    back = [fee, paid(205, FEB), entry(EntryKind.REFUND, 5, days(2))]
    assert stands(days(20), *back).arrears_by == Split(late_fee=D(5))
    assert stands(days(20), *back).days_past_due == 0
    assert stands(days(20), *back, entry(EntryKind.REFUND, 10, days(3))).days_past_due == 17
    assert stands(days(20), *back, paid(5, days(4))).arrears == 0


def test_what_comes_back_to_the_schedule_stands_in_its_order() -> None:
    same = [Instalment(n, MAR, D(100), D(0), D(0)) for n in (1, 2)]
    entries = [paid(200, FEB), entry(EntryKind.REFUND, 150, days(1)), paid(100, days(2))]
    assert unpaid_on(same, entries[:2], MAR).left == {1: D(50), 2: D(100)}  # the last to come went first
    assert unpaid_on(same, entries, MAR).left == {2: D(50)}
    entries = [
        paid(200, FEB),
        raised(10, days(1), "principal", 2),
        raised(10, days(2), "principal", 1),
        paid(10, days(3)),
    ]
    assert unpaid_on(same, entries, MAR).left == {2: D(10)}


@pytest.mark.parametrize("component", ["interest", "principal", "fee"])
def test_more_of_the_schedule_ages_from_its_day(component: Component) -> None:
    for more in (raised(10, FEB, component), raised(10, FEB, component, 1)):
        later = stands(days(7), paid(200, FEB), more)
        assert (later.days_past_due, later.oldest_due_on, later.fee_arrears) == (7, FEB, D(0))
        assert later.arrears_by == Split(**{component: D(10)})


def test_an_instalment_that_is_not_late_is_raised_itself() -> None:
    more = raised(10, days(1), "principal", 3)
    assert stands(days(1), paid(200, FEB), more).next_due_amount == D(110)
    assert stands(days(1), paid(300, FEB), more).next_due_amount == D(10)
    assert stands(days(5, MAR), paid(300, FEB), more).days_past_due == 5
    terms = Terms(tolerance=D(10))
    assert (
        stands(days(5, MAR), paid(299, FEB), more, terms=terms).days_past_due == 5
    )  # 11 are missing of one instalment


def test_what_names_an_instalment_and_no_charge_is_of_the_schedule() -> None:
    assert stands(days(7), paid(200, FEB), raised(10, FEB, None, 1)).days_past_due == 7


@pytest.mark.parametrize(
    "charge", [raised(10, FEB), raised(10, FEB, "late_fee", 1), raised(10, FEB, "cost"), raised(10, FEB, "other")]
)
def test_charges_make_no_day_past_due(charge: Entry) -> None:
    later = stands(days(7), paid(200, FEB), charge)
    assert (later.days_past_due, later.fee_arrears) == (0, D(10))


def test_nothing_falls_due_before_it_was_owed() -> None:
    called = entry(EntryKind.ACCELERATE, 1, JAN)
    back = entry(EntryKind.REFUND, 50, days(3))
    assert stands(days(20), paid(300, JAN), called, back).oldest_due_on == days(3)
    assert stands(days(20), paid(300, JAN), called, raised(10, FEB, "principal", 3)).oldest_due_on == FEB
    opened = entry(EntryKind.OPENING_BALANCE, 50, FEB)
    assert stands(days(20), paid(300, JAN), called, opened).oldest_due_on == FEB
