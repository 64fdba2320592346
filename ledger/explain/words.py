"""The words in which a contact is explained, by language (policies/explain)."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from domain.errors import BadInput


class Words:
    """One language: sentences by section and name, and how dates are written."""

    def __init__(self, sections: Mapping[str, Any]) -> None:
        self._sections = sections

    def say(self, section: str, name: str, /, **values: Any) -> str:
        """A sentence with its values; a name that nobody wrote a sentence for is said as it is."""
        known = self._sections[section].get(name)
        return str(known).format(**values) if known else name.replace("_", " ")

    def counted(self, channel: str, number: int) -> str:
        """So many contacts of a channel."""
        one, many = self._sections["counted"][channel]
        return str(one if number == 1 else many).format(n=number)

    def several(self, items: Iterable[str]) -> str:
        """Things in a row."""
        return str(self._sections["list"]).join(items)

    def day(self, day: date) -> str:
        """A date, written out."""
        return str(format_date(day, "long", locale=self._sections["locale"]))

    def local(self, at: datetime, zone: str) -> str:
        """A moment in a zone, with the day of the week."""
        there = at.astimezone(ZoneInfo(zone))
        return f"{format_date(there, 'full', locale=self._sections['locale'])}, {there:%H:%M}"


def utc(at: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


@lru_cache
def words_of(language: str) -> Words:
    """The words of a language.

    Raises:
        BadInput: nobody wrote them.
    """
    folder = files("policies") / "explain"
    there = sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    if language not in there:
        raise BadInput(f"--language {language!r} is not there: use one of {', '.join(there)}.")
    return Words(tomllib.loads((folder / f"{language}.toml").read_text("utf-8")))
