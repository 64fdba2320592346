"""Tells what a text from a borrower asks for, by plain rules. What they do not know is OTHER: a person reads it, nobody guesses.

Who wants to be left alone is, in any language and however it is spelt; that wins over all else the text says. The words are data, in
`policies/replies/`.
"""

import re
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Any

from pydantic import model_validator

from domain.loan import Frozen
from domain.phrases import Clause, Phrases, clauses, plain, read_toml
from ledger.inbound import Reply

# Where a text says more than one of them, what stops the most counts; the person who sees to it reads the rest.
SAID = (Reply.DISPUTE, Reply.ALREADY_PAID, Reply.WRONG_PERSON, Reply.CALLBACK)
CARRIER_READS = {"STOP": Reply.OPTED_OUT, "START": Reply.OPTED_IN, "HELP": Reply.HELP}


class Words(Frozen):
    """What people write in one language.

    Attributes:
        spaced: The language puts spaces between words.
        stop: Whole texts that ask to be left alone.
        stop_misspelt: Those of them that are known by a misspelling too.
        stop_words: Those that are enough among other words, if a comma or a full stop sets them apart.
        stop_phrases: What asks for it anywhere in a text.
        help: Whole texts that ask who writes.
        start: Whole texts that ask for texts again.
        courtesy: Words that change nothing.
        dispute: They do not owe this, or not as much.
        already_paid: They say that they paid.
        wrong_person: They are somebody else.
        callback: They want to be called.
    """

    spaced: bool = True
    stop: tuple[str, ...] = ()
    stop_misspelt: tuple[str, ...] = ()
    stop_words: tuple[str, ...] = ()
    stop_phrases: Phrases = Phrases()
    help: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    courtesy: tuple[str, ...] = ()
    dispute: Phrases = Phrases()
    already_paid: Phrases = Phrases()
    wrong_person: Phrases = Phrases()
    callback: Phrases = Phrases()

    @model_validator(mode="before")
    @classmethod
    def _one_spacing(cls, given: dict[str, Any]) -> dict[str, Any]:
        spaced = given.get("spaced", True)
        return {k: v | {"spaced": spaced} if isinstance(v, dict) else v for k, v in given.items()}


@lru_cache
def _books() -> tuple[Words, ...]:
    folder = files("policies") / "replies"
    shelf = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return tuple(read_toml(f.read_text("utf-8"), f"policies/replies/{f.name}", Words) for f in shelf)


@lru_cache
def _whole(kind: str) -> frozenset[str]:
    return frozenset(plain(word) for book in _books() for word in getattr(book, kind))


def about(text: str, carrier_says: str | None = None) -> Reply:
    """What a text asks for; `carrier_says` is the carrier's own reading (`STOP`, `START`, `HELP`), where it gives one."""
    parts = clauses(text)
    said = _bare(" ".join(part.words for part in parts))
    if carrier_says == "STOP" or _opts_out(said, parts):
        return Reply.OPTED_OUT
    if carrier_says in CARRIER_READS:
        return CARRIER_READS[carrier_says]
    if said in _whole("start"):
        return Reply.OPTED_IN
    if said in _whole("help"):
        return Reply.HELP
    return next((kind for kind in SAID if _says(kind.value, parts)), Reply.OTHER)


def _opts_out(said: str, parts: tuple[Clause, ...]) -> bool:
    return (
        said in _whole("stop")
        or any(_bare(part.words) in _whole("stop_words") for part in parts)
        or any(_misspelt(said, word) for word in _whole("stop_misspelt"))
        or _says("stop_phrases", parts)
    )


def _says(kind: str, parts: tuple[Clause, ...]) -> bool:
    return any(getattr(book, kind).match(part) is not None for book in _books() for part in parts)


@lru_cache
def _courtesy() -> "re.Pattern[str]":
    words = "|".join(sorted((plain(w) for b in _books() if b.spaced for w in b.courtesy), key=len, reverse=True))
    signs = "|".join(plain(w) for b in _books() if not b.spaced for w in b.courtesy)
    return re.compile(rf"(?<![^ ])(?:{words})(?![^ ])|^(?:{signs})|(?:{signs})$")


def _bare(words: str) -> str:
    """Words without those of courtesy; letters that stand apart put together; a nought among letters is an O."""
    kept = _courtesy().sub(" ", words).split()
    joined = "".join(kept) if all(len(word) == 1 for word in kept) else " ".join(kept)
    return joined.replace("0", "O") if joined.replace("0", "").isalpha() else joined


def _misspelt(said: str, word: str) -> bool:
    """Whether one slip of the thumb makes one word of the other.

    A short word has many real neighbours (SHOP, STEP, TOP), so there only letters changed round or typed twice count. A long one may
    have a letter too many or too few, and a very long one a wrong letter.
    """
    if _unrepeated(said) == _unrepeated(word):
        return True
    if len(said) == len(word):
        wrong = [i for i, (a, b) in enumerate(zip(said, word, strict=True)) if a != b]
        if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
            return said[wrong[0]] == word[wrong[1]] and said[wrong[1]] == word[wrong[0]]
        return len(wrong) == 1 and len(word) >= 8
    short, long = sorted((said, word), key=len)
    missing_one = len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    return missing_one and len(word) >= 6


def _unrepeated(word: str) -> str:
    return "".join(letter for letter, _ in groupby(word))
