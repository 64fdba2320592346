"""What is asked of the rules: the request and the facts, with the person's local days as stretches of time.

Where a person may be in several zones, every day is read in the way that allows least.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.gate.facts import ContactRequest, GateFacts

FIRST, LAST = date(2, 1, 1), date(9998, 1, 1)  # days before and after count as never and for ever


class Stretch(NamedTuple):
    """From a moment to another, which is not in it any more."""

    begins: datetime
    ends: datetime


class Asked(NamedTuple):
    """A contact and what is known."""

    request: ContactRequest
    facts: GateFacts


@lru_cache(maxsize=8192)
def midnight(zone: str, day: date) -> datetime:
    """When a day begins in a zone."""
    day = min(max(day, FIRST), LAST)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def begins(zones: Sequence[str], day: date) -> datetime:
    """When a day has begun in every zone."""
    return max(midnight(zone, day) for zone in zones)


def dawns(zones: Sequence[str], day: date) -> datetime:
    """When a day begins in the first zone."""
    return min(midnight(zone, day) for zone in zones)


def ends(zones: Sequence[str], day: date) -> datetime:
    """When a day is over in the first zone."""
    return dawns(zones, later(day, 1))


def later(day: date, days: int) -> date:
    """Some days later; never beyond the calendar."""
    return day + timedelta(days=min(days, max((LAST - day).days, 0)))


def local_day(zone: str, at: datetime) -> date:
    """The date of a moment in a zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def consented(asked: Asked, scope: str, days: int | None = None) -> list[Stretch]:
    """When consents of a scope hold; each for so many days, its own day being the first, where that is given."""
    zones, found = asked.facts.zones, []
    for consent in asked.facts.consents:
        if consent.scope != scope:
            continue
        until = min(
            ends(zones, consent.expires_on or LAST),
            ends(zones, later(consent.given_on, days - 1) if days else LAST),
            dawns(zones, consent.revoked_on or LAST),
        )
        since = begins(zones, consent.given_on)
        if since < until:
            found.append(Stretch(since, until))
    return found


def first_in(stretches: Sequence[Stretch], at: datetime) -> datetime | None:
    """The first moment from `at` on that lies in one of them."""
    return min((max(at, s.begins) for s in stretches if s.ends > at), default=None)


def soonest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two moments; None never comes."""
    return min((at for at in (one, other) if at is not None), default=None)
