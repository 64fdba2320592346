"""Contact hours: the person's own clock, its changes, several zones, weekdays and holidays."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from domain.gate import Consent, Defer, Forbid, Permit
from tests.domain.gate.asking import ROME, TICK, ask, hours, local, verdict

NEW_YORK, LOS_ANGELES, HONOLULU, SHANGHAI = (
    "America/New_York",
    "America/Los_Angeles",
    "Pacific/Honolulu",
    "Asia/Shanghai",
)


def until(said: object) -> datetime:
    assert isinstance(said, Defer), said
    assert said.rules[0].startswith("x.")
    return said.until


@pytest.mark.parametrize(
    ("clock", "opens"),
    [((7, 59, 59), (11, 8)), ((8, 0, 0), None), ((20, 59, 59), None), ((21, 0, 0), (12, 8))],
)
def test_hours_open_at_eight_and_close_at_nine_in_the_evening(
    clock: tuple[int, int, int], opens: tuple[int, int] | None
) -> None:
    said = verdict(ask(), hours(), now=local(2026, 5, 11, *clock))
    if opens is None:
        assert isinstance(said, Permit)
    else:
        assert until(said) == local(2026, 5, *opens)


@pytest.mark.parametrize(("day", "utc_hour"), [((2026, 3, 28), 6), ((2026, 10, 24), 7)])
def test_hours_follow_the_persons_clock_over_a_change_of_the_clocks(day: tuple[int, int, int], utc_hour: int) -> None:
    opens = until(verdict(ask(), hours(), now=local(*day, 22)))
    assert (opens.day, opens.hour) == (day[2] + 1, utc_hour)


@pytest.mark.parametrize(
    ("now", "permitted"),
    [
        (datetime(2026, 3, 8, 11, 59, tzinfo=UTC), False),  # 07:59 EDT, on the day the clocks went forward
        (datetime(2026, 3, 8, 12, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 7, 12, 30, tzinfo=UTC), False),  # 07:30 EST, the day before
        (datetime(2026, 11, 1, 12, 59, tzinfo=UTC), False),  # 07:59 EST, on the day the clocks went back
        (datetime(2026, 11, 1, 13, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 2, 1, 59, tzinfo=UTC), True),  # 20:59 EST
        (datetime(2026, 11, 2, 2, 0, tzinfo=UTC), False),
    ],
)
def test_days_of_a_change_of_the_clocks_open_and_close_by_the_new_time(now: datetime, permitted: bool) -> None:
    assert isinstance(verdict(ask(), hours(), now=now, zone=NEW_YORK), Permit) is permitted


def test_an_opening_that_the_clocks_skip_comes_when_they_have_gone_forward() -> None:
    night = hours(2, 4)  # on 29 March 2026 Rome has no 02:30
    early = night.model_copy(update={"start": time(2, 30)})
    assert until(verdict(ask(), early, now=local(2026, 3, 29, 1))) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_an_opening_in_the_hour_told_twice_is_not_put_before_now() -> None:
    night = hours(2, 4).model_copy(update={"start": time(2, 30)})
    again = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 in Rome for the second time
    assert until(verdict(ask(), night, now=again)) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_same_moment_is_night_for_one_and_day_for_another() -> None:
    assert isinstance(verdict(ask(), hours(), zone=HONOLULU), Defer)
    assert isinstance(verdict(ask(), hours(), zone=ROME), Permit)


def test_several_zones_leave_the_hours_common_to_all() -> None:
    coasts = {"zones": (NEW_YORK, LOS_ANGELES)}
    opens, closes = local(2026, 5, 11, 8, zone=LOS_ANGELES), local(2026, 5, 11, 21, zone=NEW_YORK)
    assert isinstance(verdict(ask(), hours(), now=opens, **coasts), Permit)
    assert isinstance(verdict(ask(), hours(), now=closes - TICK, **coasts), Permit)
    assert until(verdict(ask(), hours(), now=opens - TICK, **coasts)) == opens
    assert until(verdict(ask(), hours(), now=closes, **coasts)) == opens + timedelta(days=1)


def test_zones_without_a_common_hour_wait_for_the_first_day_that_has_one() -> None:
    apart = {"zones": (ROME, SHANGHAI)}  # six hours apart in summer, seven in winter
    seven_hours = hours(9, 16)
    assert until(verdict(ask(), seven_hours, now=local(2026, 10, 24, 12), **apart)) == local(2027, 3, 28, 9)
    assert until(verdict(ask(), seven_hours, now=local(2026, 10, 23, 12), **apart)) == local(2026, 10, 24, 9)


def test_zones_that_never_have_a_common_hour_forbid() -> None:
    assert verdict(ask(), hours(9, 15), zones=(ROME, SHANGHAI)) == Forbid(rules=("x.HOURS",))


def test_weekdays_and_the_next_of_them() -> None:
    week = hours(weekdays=(1, 2, 3, 4, 5))
    assert isinstance(verdict(ask(), week, now=local(2026, 5, 8, 20, 59)), Permit)
    assert until(verdict(ask(), week, now=local(2026, 5, 9, 12))) == local(2026, 5, 11, 8)


def test_a_rule_about_one_weekday_may_leave_the_others_open() -> None:
    saturday = hours(9, 13, weekdays=(6,), other_days="open")
    assert isinstance(verdict(ask(), saturday, now=local(2026, 5, 8, 3)), Permit)
    assert until(verdict(ask(), saturday, now=local(2026, 5, 9, 13))) == local(2026, 5, 10)


def test_public_holidays_are_closed_where_a_rule_says_so() -> None:
    closed, noon = hours(on_holidays=False), local(2026, 5, 11, 12)
    holidays = (date(2026, 5, 11), date(2026, 5, 12))
    assert until(verdict(ask(), closed, now=noon, holidays=holidays)) == local(2026, 5, 13, 8)
    assert isinstance(verdict(ask(), hours(), now=noon, holidays=holidays), Permit)


def test_a_consent_to_other_hours_lifts_them_from_its_day_on() -> None:
    lifted, night = hours(lifted_by_consent=True), local(2026, 5, 11, 22)
    today, tomorrow = (Consent(scope="hours", given_on=date(2026, 5, day)) for day in (11, 12))
    assert isinstance(verdict(ask(), lifted, now=night, consents=(today,)), Permit)
    assert until(verdict(ask(), lifted, now=night, consents=(tomorrow,))) == local(2026, 5, 12)
    assert until(verdict(ask(), hours(), now=night, consents=(today,))) == local(2026, 5, 12, 8)


def test_rules_that_never_agree_on_an_hour_forbid() -> None:
    morning, evening = hours(8, 12), hours(13, 20, id="x.EVENING")
    assert verdict(ask(), morning, evening) == Forbid(rules=("x.HOURS", "x.EVENING"))
