"""Interest by the day, against sums done by hand."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.interest import Accrual, DayCount, Interest
from domain.loan import Entry, EntryKind, Instalment
from domain.position import Position, Terms, position

D = Decimal
ZERO = D(0)
DUE = date(2026, 1, 31)
PENALTY = Terms(interest=Interest(date(2026, 1, 1), penalty_rate=D("0.18")))
ONE = [Instalment(1, DUE, D(1000), ZERO, ZERO)]
WITH_INTEREST = [Instalment(1, DUE, D(1000), D(20), ZERO)]
BOTH = Interest(date(2026, 1, 1), annual_rate=D("0.12"), penalty_rate=D("0.18"))


def after(days: int, *entries: Entry, schedule: list[Instalment] = ONE, terms: Terms = PENALTY) -> Position:
    return position(schedule, entries, DUE + timedelta(days=days), terms)


def paid(amount: int, days: int, id_: str = "P-1") -> Entry:
    return Entry(id_, EntryKind.PAYMENT, D(amount), DUE + timedelta(days=days))


@pytest.mark.parametrize(
    ("convention", "since", "until", "days", "year"),
    [
        (DayCount.ACT_365, date(2024, 2, 28), date(2024, 3, 1), 2, 365),
        (DayCount.ACT_360, date(2026, 2, 28), date(2026, 3, 1), 1, 360),
        (DayCount.THIRTY_360, date(2026, 1, 31), date(2026, 2, 28), 28, 360),
        (DayCount.THIRTY_360, date(2026, 2, 28), date(2026, 3, 31), 32, 360),
        (DayCount.THIRTY_360, date(2026, 1, 15), date(2027, 1, 15), 360, 360),
    ],
)
def test_days_of_each_convention(convention: DayCount, since: date, until: date, days: int, year: int) -> None:
    assert (convention.days(since, until), convention.year) == (days, year)


@pytest.mark.parametrize(
    ("days", "interest"), [(0, "0"), (1, "0.49"), (2, "0.99"), (30, "14.79"), (365, "180.00")]
)  # 1000 x 0.18 x days / 365
def test_penalty_interest_begins_on_the_day_after(days: int, interest: str) -> None:
    stands = after(days)
    assert stands.fee_arrears == stands.arrears_by.interest == D(interest)
    assert stands.days_past_due == days


def test_a_part_payment_lowers_it_from_the_next_day() -> None:
    # 10 days on 1000 and 20 on 600: (10000 + 12000) x 0.18 / 365 = 10.849...
    assert after(30, paid(400, 10)).fee_arrears == D("10.85")


def test_it_makes_no_day_past_due() -> None:
    stands = after(30, paid(1000, 10))
    assert (stands.days_past_due, stands.arrears, stands.outstanding) == (0, D("4.93"), D("4.93"))
    assert after(30, paid(1000, 10), paid(5, 12, "P-2")).overpaid == D("0.07")


def test_a_backdated_payment_makes_it_never_have_been() -> None:
    assert after(90, paid(1000, 0)).outstanding == 0


def test_the_tape_s_own_interest_leaves_penalty_interest_alone() -> None:
    terms = Terms(interest=BOTH)
    assert position(WITH_INTEREST, [], DUE, terms).outstanding == 1020
    assert after(365, schedule=WITH_INTEREST, terms=terms).fee_arrears == 180
    theirs = Entry("I-1", EntryKind.INTEREST, D(7), DUE + timedelta(days=9), instalment=1)
    assert after(365, theirs, schedule=WITH_INTEREST, terms=terms).fee_arrears == 7 + D("4.44")  # of nine days


@pytest.mark.parametrize("instalment", [None, 1])
def test_interest_that_is_posted_ends_what_is_worked_out_and_takes_none_of_it(instalment: int | None) -> None:
    theirs = Entry("I-1", EntryKind.INTEREST, D(1), DUE + timedelta(days=50), instalment=instalment)
    worked_out = D("24.66")  # 50 days
    assert after(50).fee_arrears == worked_out
    assert after(50, theirs).fee_arrears == after(300, theirs).fee_arrears == worked_out + 1


def test_interest_that_is_posted_on_one_instalment_leaves_the_others_alone() -> None:
    schedule = [*ONE, Instalment(2, DUE, D(1000), ZERO, ZERO)]
    theirs = Entry("I-1", EntryKind.INTEREST, D(1), DUE, instalment=1)
    assert after(365, theirs, schedule=schedule).fee_arrears == 181


def test_daily_interest_ends_where_the_tape_charges_its_own() -> None:
    terms = Terms(interest=BOTH)
    theirs = Entry("I-1", EntryKind.INTEREST, D(1), date(2026, 1, 21))
    assert position(ONE, [theirs], DUE, terms).fee_arrears == 1 + D("6.58")  # of 20 days, due with the instalment
    of_one = theirs._replace(instalment=1)
    assert position(ONE, [of_one], DUE, terms).fee_arrears == 1 + D("9.86")
    assert after(100, of_one, terms=terms).fee_arrears == 1 + D("9.86")


def test_daily_interest_falls_due_with_the_next_instalment() -> None:
    terms = Terms(interest=BOTH)
    before = position(ONE, [], date(2026, 1, 21), terms)
    assert (before.arrears, before.accrued, before.outstanding) == (ZERO, D("6.58"), D("1006.58"))  # 20 days
    assert (before.next_due_on, before.next_due_amount) == (DUE, D("1006.58"))
    due = position(ONE, [], DUE, terms)
    assert (due.arrears, due.accrued, due.days_past_due) == (D("1009.86"), ZERO, 0)  # 30 days
    assert after(10, terms=terms).fee_arrears == D("9.86") + D("4.93")


def test_without_a_penalty_rate_overdue_principal_bears_the_annual_rate() -> None:
    terms = Terms(interest=Interest(date(2026, 1, 31), annual_rate=D("0.365")))
    assert after(10, terms=terms).fee_arrears == 10


def test_acceleration_makes_all_principal_overdue() -> None:
    schedule = [*ONE, Instalment(2, DUE + timedelta(days=300), D(1000), ZERO, ZERO)]
    called = Entry("A-1", EntryKind.ACCELERATE, D(1), DUE + timedelta(days=20))
    given_time = Entry("A-2", EntryKind.REINSTATE, D(1), DUE + timedelta(days=30))
    # 40 days on 1000, and 20 more, or 10, on the other 1000, each rounded
    assert after(40, called, schedule=schedule).fee_arrears == D("19.73") + D("9.86")
    assert after(40, called, given_time, schedule=schedule).fee_arrears == D("19.73") + D("4.93")


def test_it_is_rounded_to_what_the_currency_has() -> None:
    yen = Interest(date(2026, 1, 1), penalty_rate=D("0.18"), unit=D(1))
    assert [after(n, terms=Terms(interest=yen)).fee_arrears for n in (1, 2, 4)] == [0, 1, 2]


@given(st.lists(st.integers(0, 400), max_size=8), st.sampled_from(DayCount), st.integers(1, 10**7))
def test_looking_more_often_changes_nothing(looks: list[int], convention: DayCount, cents: int) -> None:
    terms = Interest(DUE, penalty_rate=D("0.18"), day_count=convention)
    end = DUE + timedelta(days=400)
    stops = [DUE, *(DUE + timedelta(days=n) for n in sorted(looks)), end]
    often, once = Accrual(D("0.18"), terms), Accrual(D("0.18"), terms)
    grown = sum(often.grow(D(cents) / 100, a, b) for a, b in pairwise(stops))
    assert grown == once.grow(D(cents) / 100, DUE, end) == once.so_far
