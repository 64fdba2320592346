from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.clock import BusinessClock, business_date, start_of
from tests.domain.family import at

FAST = BusinessClock(real_anchor=at(2026, 11, 23, 8), business_anchor=at(2008, 3, 1), speed=Decimal(43200))
AHEAD = st.timedeltas(timedelta(0), timedelta(days=2000))


@given(AHEAD)
def test_a_wait_on_a_fast_clock_never_ends_too_soon_and_at_most_a_minute_late(ahead: timedelta) -> None:
    wanted = FAST.business_anchor + ahead
    shown = FAST.business(FAST.real(wanted))
    assert timedelta(0) <= shown - wanted < timedelta(minutes=1)


@given(AHEAD)
def test_a_plain_clock_shows_real_time_to_the_microsecond(ahead: timedelta) -> None:
    moment = at(2026, 1, 1) + ahead
    assert BusinessClock.plain().business(moment) == moment == BusinessClock.plain().real(moment)


def test_a_day_lasts_two_seconds_at_43200() -> None:
    assert FAST.business(FAST.real_anchor + timedelta(seconds=2)) == at(2008, 3, 2)


def test_a_paused_clock_stands_still() -> None:
    paused = FAST.model_copy(update={"paused": True})
    assert paused.business(at(2030, 1, 1)) == FAST.business_anchor


def test_a_clock_set_going_again_runs_on_from_where_it_stood() -> None:
    again = FAST.model_copy(update={"paused": True}).at(at(2030, 1, 1), FAST.business_anchor)
    assert again.business(at(2030, 1, 1) + timedelta(seconds=2)) == at(2008, 3, 2)


def test_the_business_date_is_the_zones_own() -> None:
    assert business_date(at(2026, 5, 10, 17), "Asia/Shanghai").isoformat() == "2026-05-11"


def test_a_day_starts_at_local_midnight() -> None:
    day = business_date(at(2026, 7, 1, 12), "America/New_York")
    assert start_of(day, "America/New_York") == at(2026, 7, 1, 4)


def test_the_first_and_last_days_of_the_calendar_start_somewhere() -> None:
    for day, zone in ((date.min, "Asia/Shanghai"), (date.max, "America/New_York")):
        assert start_of(day, zone).date() == day
