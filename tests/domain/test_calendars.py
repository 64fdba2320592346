from datetime import date

import pytest

from domain.calendars import Span, check_calendar, is_working_day
from domain.errors import BadInput
from tests.domain.family import at


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2024-02-09", True),  # the eve, not a holiday in 2024
        ("2024-02-12", False),  # Chinese New Year
        ("2024-02-18", True),  # a Sunday made up for it
        ("2024-02-24", False),  # a plain Saturday
        ("2026-10-01", False),  # National Day
    ],
)
def test_chinese_working_days_know_holidays_and_the_weekends_made_up_for_them(day: str, works: bool) -> None:
    assert is_working_day(date.fromisoformat(day), "CN") is works


def test_two_working_days_before_chinese_new_year_end_after_it() -> None:
    start = at(2024, 2, 8, 2)  # Thursday, 10:00 in Shanghai
    assert Span.read("2 working days").after(start, "CN", "Asia/Shanghai") == at(2024, 2, 18, 2)


def test_a_day_keeps_the_local_hour_over_a_change_of_the_clocks() -> None:
    start = at(2026, 3, 7, 15)  # 10:00 in New York, the day before summer time
    assert Span.read("1 day").after(start, "US", "America/New_York") == at(2026, 3, 8, 14)
    assert Span.read("24 hours").after(start, "US", "America/New_York") == at(2026, 3, 8, 15)


def test_no_working_days_is_now() -> None:
    assert Span.read("0 working days").after(at(2024, 2, 12), "CN", "Asia/Shanghai") == at(2024, 2, 12)


@pytest.mark.parametrize("text", ["12 hours", "1 hour", "7 days", "2 working days", "1 working day"])
def test_a_span_is_written_as_it_was_read(text: str) -> None:
    assert str(Span.read(text)) == text


@pytest.mark.parametrize("text", ["", "soon", "7", "7 weeks", "-1 days", "1.5 days", "² days", "99999999 days"])
def test_anything_else_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match="is no length of time"):
        Span.read(text)


@pytest.mark.parametrize("code", ["CN", "US", "US-NY", "DE-BY"])
def test_countries_and_their_parts_are_calendars(code: str) -> None:
    assert check_calendar(code) == code


@pytest.mark.parametrize("code", ["", "XX", "cn", "US-XX", "US-", "utils", "HolidayBase", "China"])
def test_anything_else_is_no_calendar(code: str) -> None:
    with pytest.raises(BadInput, match="is unknown: use an ISO 3166 country code"):
        check_calendar(code)
