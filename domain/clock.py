"""Business time: real time everywhere, except in demonstrations, where a day may last two seconds."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.loan import Frozen


class Clock(Protocol):
    """Tells business time. Every process reads the same mapping from the ledger."""

    async def now(self) -> datetime:
        """The business time, in UTC."""
        ...

    async def real(self, at: datetime) -> datetime:
        """The real time at which the business clock will show `at`."""
        ...


class BusinessClock(Frozen):
    """A straight line from real time to business time: at `real_anchor` it was `business_anchor`, and time runs `speed` times as fast.

    While `paused`, business time stands still at its anchor.
    """

    real_anchor: datetime
    business_anchor: datetime
    speed: Decimal = Decimal(1)
    paused: bool = False

    @classmethod
    def plain(cls) -> "BusinessClock":
        """Business time is real time."""
        epoch = datetime(2000, 1, 1, tzinfo=UTC)
        return cls(real_anchor=epoch, business_anchor=epoch)

    @property
    def fast(self) -> bool:
        """Whether this is a demonstration: days are shorter than real ones."""
        return self.speed != 1

    def business(self, real: datetime) -> datetime:
        """The business time at a moment of real time."""
        if self.paused:
            return self.business_anchor
        return self.business_anchor + timedelta(
            seconds=float(Decimal((real - self.real_anchor).total_seconds()) * self.speed)
        )

    def real(self, business: datetime) -> datetime:
        """The moment of real time that shows a business time; rounded up, so that a wait never ends a moment too soon."""
        seconds = float(Decimal((business - self.business_anchor).total_seconds()) / self.speed)
        return self.real_anchor + timedelta(seconds=seconds) + timedelta(milliseconds=1 if self.fast else 0)

    def at(self, real: datetime, business: datetime) -> "BusinessClock":
        """The same speed from a new pair of anchors."""
        return self.model_copy(update={"real_anchor": real, "business_anchor": business, "paused": False})


def business_date(now: datetime, timezone: str) -> date:
    """The date in a zone; the lender's zone gives the business date."""
    return now.astimezone(ZoneInfo(timezone)).date()


def start_of(day: date, timezone: str) -> datetime:
    """Midnight at the start of a day in a zone, as UTC; of the calendar's first and last days what there is of them."""
    try:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time.min if day.year == 1 else time.max, tzinfo=UTC)
