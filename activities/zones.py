"""Where somebody may plausibly be: the zones whose hours a contact must keep."""

from functools import lru_cache

import phonenumbers
from babel.core import get_global
from phonenumbers.timezone import time_zones_for_number

UNKNOWN = "Etc/Unknown"


def zones_of(told: list[str], number: str | None, country: str, otherwise: str) -> tuple[str, ...]:
    """A zone given on the tape is the known location; without one the number's, the country's, or at last the lender's.

    Several candidates mean the hours common to all of them (design.md 4).
    """
    if told:
        return tuple(sorted(set(told)))
    return (_of_number(number) if number else ()) or _of_country(country) or (otherwise,)


@lru_cache(maxsize=4096)
def _of_number(number: str) -> tuple[str, ...]:
    try:
        found = time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(sorted(zone for zone in found if zone != UNKNOWN))


@lru_cache(maxsize=256)
def _of_country(country: str) -> tuple[str, ...]:
    return tuple(sorted(get_global("territory_zones").get(country.upper(), ())))
