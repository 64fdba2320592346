"""Lists of phrases, and where they stand in what somebody wrote, however it is spelt, accented or spaced."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from domain.errors import BadInput
from domain.loan import Frozen

# An apostrophe joins what it stands between; so "don't" and "dont" are one word.
APOSTROPHES = frozenset("'\u2019\u2018\u02bc`")
# What ends a sentence or a part of one. A phrase never runs over it.
BREAKS = frozenset(
    '.!?,;:\n\u3002\uff0e\uff01\uff1f\uff0c\u3001\uff1b\uff1a\u0964\u2026\u00bf\u00a1()[]{}"\u201c\u201d\u300c\u300d\u3010\u3011'
)
QUESTIONS = frozenset("?\uff1f")
NUKTA, CHANDRABINDU, ANUSVARA = "\u093c", "\u0901", "\u0902"
MARKS = frozenset("()|?^$*. ")  # that have a meaning in a phrase

Book = TypeVar("Book", bound=BaseModel)


class Clause(NamedTuple):
    """A part of a text: its words in capitals, whether a question mark ends it, and where each letter stands in the text."""

    words: str
    asks: bool
    at: tuple[int, ...]

    def quoted(self, found: "re.Match[str]", text: str) -> str:
        """What was found, as it was written."""
        return text[self.at[found.start()] : self.at[found.end() - 1] + 1]


@lru_cache(maxsize=16)  # a text is held against every list of every language
def clauses(text: str) -> tuple[Clause, ...]:
    """A text in parts, without accents, punctuation, invisible characters and double spaces."""
    found: list[Clause] = []
    words: list[str] = []
    at: list[int] = []

    def close(asks: bool) -> None:
        while words and words[-1] == " ":
            words.pop()
            at.pop()
        if words:
            found.append(Clause("".join(words), asks, tuple(at)))
        words.clear()
        at.clear()

    for place, char in enumerate(text):
        if char in BREAKS and not (char in ".,:" and _between_figures(text, place)):
            close(char in QUESTIONS)
            continue
        for letter in _letters(char):
            if letter != " " or (words and words[-1] != " "):
                words.append(letter)
                at.append(place)
    close(False)
    return tuple(found)


def plain(text: str) -> str:
    """The words of a text, in capitals, with one space between them."""
    return " ".join(clause.words for clause in clauses(text))


def _between_figures(text: str, place: int) -> bool:
    return text[place - 1 : place].isdigit() and text[place + 1 : place + 2].isdigit()


@lru_cache(maxsize=4096)
def _letters(char: str) -> str:
    """A character in capitals without its accents; nothing for what cannot be seen, a space for what is no letter."""
    if char in APOSTROPHES or unicodedata.category(char) == "Cf":
        return ""
    apart = unicodedata.normalize("NFKD", char).upper().replace(CHANDRABINDU, ANUSVARA)
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in apart if not _is_accent(c))


def _is_accent(char: str) -> bool:
    """An accent over a Latin, Greek or Cyrillic letter, or the dot that Hindi leaves out at will; other vowel signs are letters."""
    return "\u0300" <= char <= "\u036f" or char == NUKTA


class Phrases(Frozen):
    """Phrases that mean one thing.

    In a phrase `(a|b)` is one of several, `(a )?` may be left out, `*` ends a word in any way, `...` stands for up to three words
    before the next, and `^` and `$` are the ends of a clause.

    Attributes:
        says: The phrases.
        unless: Beside one of these, in the same clause, a phrase means something else.
        statement: A question does not say it.
        spaced: The language puts spaces between words.
    """

    says: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    statement: bool = False
    spaced: bool = True

    def found(self, text: str) -> Iterator[str]:
        """What a text has of it, as it was written."""
        for clause in clauses(text):
            match = self.match(clause)
            if match is not None:
                yield clause.quoted(match, text)

    def match(self, clause: Clause) -> "re.Match[str] | None":
        """Where the first of the phrases stands in a part of a text."""
        if not self.says or (self.statement and clause.asks):
            return None
        match = _pattern(self.says, self.spaced).search(clause.words)
        if match is None or (self.unless and _pattern(self.unless, self.spaced).search(clause.words)):
            return None
        return match


@lru_cache(maxsize=512)
def _pattern(phrases: tuple[str, ...], spaced: bool) -> "re.Pattern[str]":
    found = "|".join(_expression(phrase) for phrase in phrases)
    # A word's end is a space, not \b: that would cut Hindi words at their vowel signs.
    return re.compile(rf"(?<![^ ])(?:{found})(?![^ ])" if spaced else f"(?:{found})")


def _expression(phrase: str) -> str:
    spelt = "".join(c if c in MARKS else _letters(c) for c in phrase)
    return re.sub(r"\.\.\. ?", "(?:[^ ]+ ){0,3}", spelt.replace("*", "[^ ]*"))


def read_toml(text: str, source: str, book: type[Book], **given: Any) -> Book:
    """A book of phrases, or other data of the same kind, from its file.

    Raises:
        BadInput: the file is no TOML, has a key too many, or a value that cannot be used.
    """
    try:
        return book.model_validate({**tomllib.loads(text), **given})
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{source} is no TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{source}, key {place}: {first['msg']}.") from None
