"""The closed lists that fields are held against: ISO 3166, ISO 4217, IANA zones, languages."""

from functools import lru_cache
from importlib.resources import files
from zoneinfo import available_timezones

from babel.localedata import locale_identifiers

from domain.currencies import DECIMALS

Code = tuple[str, str, int | None]


@lru_cache
def known_codes() -> list[Code]:
    """All codes as rows (kind, code, decimals); decimals for currencies alone."""
    languages = {identifier.split("_")[0] for identifier in locale_identifiers()}
    return [
        *(("country", code, None) for code in countries()),
        *(("currency", code, decimals) for code, decimals in sorted(DECIMALS.items())),
        *(("language", code, None) for code in sorted(languages)),
        *(("timezone", name, None) for name in sorted(available_timezones())),
    ]


def countries() -> list[str]:
    """The two-letter codes of ISO 3166, from the list that comes with the time zones."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8")
    return [line.split("\t")[0] for line in table.splitlines() if not line.startswith("#")]
