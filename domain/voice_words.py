"""The words of a call in which a machine speaks: data by language, and the promise that none of them tells too much too early."""

import tomllib
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Annotated

from babel.core import Locale
from babel.dates import format_date
from pydantic import Field, ValidationError, model_validator

from domain.errors import BadInput
from domain.loan import Frozen
from domain.money import spoken
from domain.voice import Turn

BEFORE_PROOF = (
    "who",
    "fact",
    "fact_again",
    "call_back",
    "sorry",
    "wrong_number",
    "nothing",
    "opted_out",
    "goodbye",
    "voicemail",
)
"""Lines that somebody may hear who is not, or not yet, known to be the right person."""

NEUTRAL = frozenset({"name", "person", "business", "number", "time"})
FIGURES = frozenset({"lender", "amount", "since", "promised_on", "max_days"})
Line = Annotated[str, Field(min_length=1)]


class Lines(Frozen):
    """What the caller says; `voicemail` is empty where an answering machine gets nothing."""

    who: Line
    fact: Line
    fact_again: Line
    call_back: Line
    sorry: Line
    wrong_number: Line
    nothing: Line
    opted_out: Line
    goodbye: Line
    voicemail: str
    lender: Line
    collector: Line
    owed: Line
    menu: Line
    day: Line
    promised: Line
    will_call: Line
    paid: Line
    disputed: Line
    nothing_due: Line


class Words(Frozen):
    """One language's words.

    Attributes:
        language: As the carrier's speech names it, such as `it-IT`.
        voice: The carrier's name of a voice that speaks it.
        revealing: Words that would tell a stranger of a debt; none stands in a line of `BEFORE_PROOF`.
        lines: What is said.
    """

    language: str = Field(pattern=r"^[a-z]{2,3}-[A-Z]{2}$")
    voice: str
    revealing: tuple[str, ...] = Field(min_length=1)
    lines: Lines

    @model_validator(mode="after")
    def _tell_nothing_too_early(self) -> "Words":
        for name in Lines.model_fields:
            line = getattr(self.lines, name)
            allowed = NEUTRAL if name in BEFORE_PROOF else NEUTRAL | FIGURES
            named = {field for _, field, _, _ in Formatter().parse(line) if field is not None}
            if not named <= allowed:
                raise ValueError(f"line {name} may not name {', '.join(sorted(named - allowed))}")
            if name in BEFORE_PROOF and (found := self.reveals(line)):
                raise ValueError(f"line {name} says {found!r} before the person is known: say it in other words")
        return self

    def reveals(self, text: str) -> str | None:
        """The first revealing word in a text, in whatever case."""
        lower = text.casefold()
        return next((word for word in self.revealing if word.casefold() in lower), None)


class CallBack(Frozen):
    """How the lender is reached, in words that say nothing of a debt.

    Attributes:
        business: A business name that does not tell that debts are collected.
        person: Whom to ask for.
        number: To call, E.164.
    """

    business: Line
    person: Line
    number: str = Field(pattern=r"^\+[1-9]\d{6,14}$")


class Cast(Frozen):
    """Who and what the words speak of: the person called, the lender, how to call back, and the time of day where the person is."""

    name: str
    lender: str
    currency: str
    call_back: CallBack
    time: str


def read_words(text: str, source: str) -> Words:
    """Read a file of words.

    Raises:
        BadInput: one sentence that names the file, the key and the reason.
    """
    try:
        return Words.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"voice words {source} are not valid TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BadInput(f"voice words {source}, key {key}: {first['msg'].removeprefix('Value error, ')}.") from None


def said(words: Words, turn: Turn, cast: Cast) -> tuple[str, ...]:
    """The sentences of one turn, with amounts and dates as the language writes them."""
    locale = words.language.split("-")[0]
    locale = "zh" if locale == "cmn" else locale
    values = {
        "name": cast.name,
        "person": cast.call_back.person,
        "business": cast.call_back.business,
        "number": figure_by_figure(cast.call_back.number),
        "time": cast.time,
        "lender": cast.lender,
        "amount": _amount(turn.amount, cast.currency, locale),
        "since": _day(turn.since, locale),
        "promised_on": _day(turn.promised_on, locale),
        "max_days": turn.max_days,
    }
    return tuple(getattr(words.lines, line).format(**values) for line in turn.lines)


def figure_by_figure(number: str) -> str:
    """A number as it is read out: not as millions, but one figure after the other."""
    return ", ".join(c for c in number if c.isdigit())


def _amount(amount: Decimal | None, currency: str, locale: str) -> str:
    return spoken(amount, currency, locale) if amount is not None else ""


def _day(day: date | None, locale: str) -> str:
    return format_date(day, "long", Locale.parse(locale)) if day is not None else ""
