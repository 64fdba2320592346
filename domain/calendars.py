"""Working days, by country, from the `holidays` library."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import holidays
from pydantic import Field

from domain.errors import BadInput
from domain.loan import Frozen


@lru_cache
def _holidays(code: str) -> holidays.HolidayBase:
    country, _, subdivision = code.partition("-")
    return holidays.country_holidays(country, subdiv=subdivision or None)


def check_calendar(code: str) -> str:
    """Return the code of a calendar that exists: an ISO 3166 country, or country and subdivision such as `US-NY`.

    Raises:
        BadInput: there is no such calendar.
    """
    country, dash, subdivision = code.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known or (dash and subdivision not in known[country]):
        raise BadInput(f"calendar {code!r} is unknown: use an ISO 3166 country code such as CN, or US-NY.")
    return code


def is_working_day(day: date, calendar: str) -> bool:
    """Whether people work on a day there; make-up working days at weekends count where the library knows them."""
    return bool(_holidays(calendar).is_working_day(day))


def holidays_between(country: str, first: date, last: date) -> tuple[date, ...]:
    """The public holidays of a country in a stretch of days, both included; none where the library does not know the country."""
    if country not in holidays.list_supported_countries(include_aliases=False):
        return ()
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(day for day in days if day in _holidays(country))


LONGEST = 9999  # of any unit: beyond it dates leave the calendar


class Span(Frozen):
    """A length of time in hours, calendar days or working days, written `12 hours`, `7 days` or `2 working days`."""

    count: int = Field(ge=0, le=LONGEST)
    unit: Literal["hour", "day", "working day"]

    @classmethod
    def read(cls, text: str) -> "Span":
        """Parse the written form.

        Raises:
            ValueError: the text is in none of the three forms.
        """
        number, _, unit = text.strip().partition(" ")
        singular = unit.strip().removesuffix("s")
        if not (number.isascii() and number.isdigit() and len(number) <= len(str(LONGEST))):
            raise ValueError(f"{text!r} is no length of time: write 12 hours, 7 days or 2 working days")
        match singular:
            case "hour" | "day" | "working day":
                return cls(count=int(number), unit=singular)
            case _:
                raise ValueError(f"{text!r} is no length of time: write 12 hours, 7 days or 2 working days")

    def after(self, start: datetime, calendar: str, timezone: str) -> datetime:
        """The moment this long after `start`: days and working days keep the local time of day."""
        if self.unit == "hour":
            return start + timedelta(hours=self.count)
        zone = ZoneInfo(timezone)
        local = start.astimezone(zone)
        day = local.date()
        if self.unit == "day":
            day += timedelta(days=self.count)
        else:
            left = self.count
            while left:
                day += timedelta(days=1)
                left -= is_working_day(day, calendar)
        return datetime.combine(day, local.timetz().replace(tzinfo=None), tzinfo=zone).astimezone(start.tzinfo)

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"
