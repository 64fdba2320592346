"""When a debt becomes time-barred, from dated events; nobody guesses."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

from domain.loan import Frozen


class LimitationEvent(Frozen):
    """What moves the day: `start` and `interrupt` begin the `years` anew, `suspend` stops them until `until_on`."""

    kind: Literal["start", "interrupt", "suspend"]
    happened_on: date
    until_on: date | None = None
    years: int | None = None


def time_barred_on(events: Iterable[LimitationEvent], as_told: date | None) -> date | None:
    """The first day on which the debt is time-barred; None where it is not known.

    An interruption begins the last known number of years anew, unless it brings its own; a suspension that has not ended leaves the
    day unknown. Without a start the day is the one that the lender told, moved by what happened since.
    """
    expires, years = as_told, None
    for event in sorted(events, key=lambda e: e.happened_on):
        match event.kind:
            case "suspend":
                if expires is None or expires <= event.happened_on:
                    continue
                if event.until_on is None:
                    return None
                expires += max(event.until_on - event.happened_on, timedelta(0))
            case _:
                if expires is not None and expires <= event.happened_on and event.kind == "interrupt":
                    continue  # what is time-barred is not revived by a later interruption
                years = event.years or years
                expires = _years_later(event.happened_on, years) if years is not None else None
    return expires


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)
