"""What is asked of the rules: the request and the facts, with the person's local days as stretches of time.

Where a person may be in several zones, every day is read in the way that allows least.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.gate.facts import Consent, ContactRequest, GateFacts, PastContact

FIRST, LAST = date(2, 1, 1), date(9998, 1, 1)  # days before and after count as never and for ever


class Stretch(NamedTuple):
    """From a moment to another, which is not in it any more."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A contact and what is known; what several rules look for is looked for once."""

    request: ContactRequest
    facts: GateFacts
    _windows: dict[tuple[datetime, int], list[tuple[str, datetime]]] = field(default_factory=dict)
    _placed: dict[datetime, list[PastContact]] = field(default_factory=dict)
    _consented: dict[tuple[str, int | None], list[Stretch]] = field(default_factory=dict)

    def windows(self, at: datetime, days: int) -> list[tuple[str, datetime]]:
        """When so many days began of which a moment's is the last, in each zone."""
        if (found := self._windows.get((at, days))) is None:
            back = timedelta(days=days - 1)
            zones = self.facts.zones
            found = self._windows[at, days] = [(zone, midnight(zone, local_day(zone, at) - back)) for zone in zones]
        return found

    def placed(self, since: datetime) -> list[PastContact]:
        """The contacts that we made from a moment on."""
        if (found := self._placed.get(since)) is None:
            found = self._placed[since] = [p for p in self.facts.past if p.at >= since and not p.inbound]
        return found

    def consented(self, scope: str, days: int | None = None) -> list[Stretch]:
        """When consents of a scope hold; each for so many days, its own day being the first, where that is given."""
        if (found := self._consented.get((scope, days))) is None:
            all_of_it = (_holds(self.facts.zones, c, days) for c in self.facts.consents if c.scope == scope)
            found = self._consented[scope, days] = [s for s in all_of_it if s.begins < s.ends]
        return found


@lru_cache(maxsize=8192)
def midnight(zone: str, day: date) -> datetime:
    """When a day begins in a zone."""
    day = min(max(day, FIRST), LAST)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def begins(zones: Sequence[str], day: date) -> datetime:
    """When a day has begun in every zone."""
    return max([midnight(zone, day) for zone in zones])


def dawns(zones: Sequence[str], day: date) -> datetime:
    """When a day begins in the first zone."""
    return min([midnight(zone, day) for zone in zones])


def ends(zones: Sequence[str], day: date) -> datetime:
    """When a day is over in the first zone."""
    return dawns(zones, later(day, 1))


def later(day: date, days: int) -> date:
    """Some days later; never beyond the calendar."""
    return day + timedelta(days=min(days, max((LAST - day).days, 0)))


def local_day(zone: str, at: datetime) -> date:
    """The date of a moment in a zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def _holds(zones: Sequence[str], consent: Consent, days: int | None) -> Stretch:
    until = ends(zones, consent.expires_on or LAST)
    if days is not None:
        until = min(until, ends(zones, later(consent.given_on, days - 1)))
    if consent.revoked_on is not None:
        until = min(until, dawns(zones, consent.revoked_on))
    return Stretch(begins(zones, consent.given_on), until)


def first_in(stretches: Sequence[Stretch], at: datetime) -> datetime | None:
    """The first moment from `at` on that lies in one of them."""
    return min([max(at, s.begins) for s in stretches if s.ends > at], default=None)


def soonest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two moments; None never comes."""
    return min((at for at in (one, other) if at is not None), default=None)
