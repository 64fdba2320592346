"""Interest by the day, where the lender wants it worked out here."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from domain.money import ZERO


class DayCount(StrEnum):
    """How days are counted, and how many make a year.

    `30/360` is the European form (30E/360): the 31st counts as the 30th, and each month has thirty days.
    """

    ACT_365 = "act/365"
    ACT_360 = "act/360"
    THIRTY_360 = "30/360"

    @property
    def year(self) -> int:
        """The days of a year."""
        return 365 if self is DayCount.ACT_365 else 360

    def days(self, since: date, until: date) -> int:
        """The days after `since` up to `until`; a stretch has as many as its pieces together."""
        if self is not DayCount.THIRTY_360:
            return (until - since).days
        return _on_thirty(until) - _on_thirty(since)


def _on_thirty(day: date) -> int:
    return day.year * 360 + day.month * 30 + min(day.day, 30)


@dataclass(frozen=True, slots=True)
class Interest:
    """A lender's policy and a loan's rates, as fractions a year: 0.18 is 18 %. A rate that is None bears nothing.

    `annual_rate` is borne by principal that is not yet due, from `since` on; `penalty_rate` by overdue principal from the day after it fell
    due, in place of the annual rate. Where there is no penalty rate, overdue principal goes on bearing the annual rate.
    `unit` is the smallest amount of the loan's currency, to which interest is rounded, half up.
    """

    since: date
    annual_rate: Decimal | None = None
    penalty_rate: Decimal | None = None
    day_count: DayCount = DayCount.ACT_365
    unit: Decimal = Decimal("0.01")


@dataclass(slots=True)
class Accrual:
    """Interest that grows on one principal at one rate.

    The whole is rounded, never its pieces: looking at it more often, or a payment in between, loses and gains no cent.
    """

    rate: Decimal
    terms: Interest
    principal_days: Decimal = ZERO
    so_far: Decimal = ZERO

    def grow(self, principal: Decimal, since: date, until: date) -> Decimal:
        """By how much it grows while this principal is owed over the days after `since` up to `until`."""
        self.principal_days += principal * self.terms.day_count.days(since, until)
        before, self.so_far = self.so_far, interest(self.principal_days, self.rate, self.terms)
        return self.so_far - before


def interest(principal_days: Decimal, rate: Decimal, terms: Interest) -> Decimal:
    """The interest on so much principal times days, rounded half up to the currency's smallest amount."""
    return (principal_days * rate / terms.day_count.year).quantize(terms.unit, ROUND_HALF_UP)
