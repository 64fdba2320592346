"""What may not be said to a borrower, and what must be: threats, false urgency, disclosure, shaming; who writes, and how to end it.

The words themselves are data, one book a language, in `policies/content/`. A text is held against all of them, since people mix languages.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from pydantic import model_validator

from domain.loan import Frozen
from domain.phrases import Phrases, plain


class ContentRule(StrEnum):
    """A rule about words; its id stays."""

    THREAT = "THREAT"
    FALSE_URGENCY = "FALSE_URGENCY"
    DISCLOSURE = "DISCLOSURE"
    NO_SENDER = "NO_SENDER"
    NO_OPT_OUT = "NO_OPT_OUT"
    FALSE_AUTHORITY = "FALSE_AUTHORITY"
    SHAMING = "SHAMING"


REMEDIES = {
    ContentRule.THREAT: "say what is owed and offer a way to pay, and leave out what might be done to the person",
    ContentRule.FALSE_URGENCY: "give the date that was agreed, or none",
    ContentRule.DISCLOSURE: "say nothing of a debt, a payment or a person to anybody else",
    ContentRule.NO_SENDER: "begin with the lender's name",
    ContentRule.NO_OPT_OUT: "end with how to stop the texts, such as: Reply STOP to end texts",
    ContentRule.FALSE_AUTHORITY: "write as the lender and as nobody else",
    ContentRule.SHAMING: "leave out what shames the person",
}


class Finding(Frozen):
    """A rule that a text breaks, and the words that break it as they were written; empty where words are missing."""

    rule: ContentRule
    words: str = ""

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES[self.rule]


class WordBook(Frozen):
    """The words of one language.

    Attributes:
        spaced: The language puts spaces between words.
        threat: Harm, arrest, loss of work, seizure: never.
        legal: Courts, lawyers, suits: a threat too, but in a letter that asks for payment or that the law prescribes.
        urgency: A last chance, a day, an hour that nobody set.
        authority: Who writes poses as a court, the police, an office.
        shaming: Insults, and the eyes of others.
        debt: Whatever gives away a debt; nobody else may read it.
        opt_out: How a text says that it can be ended.
    """

    spaced: bool = True
    threat: Phrases
    legal: Phrases
    urgency: Phrases
    authority: Phrases
    shaming: Phrases
    debt: Phrases
    opt_out: Phrases

    @model_validator(mode="before")
    @classmethod
    def _one_spacing(cls, given: dict[str, Any]) -> dict[str, Any]:
        spaced = given.get("spaced", True)
        return {k: v | {"spaced": spaced} if isinstance(v, dict) else v for k, v in given.items()}


def check_words(
    text: str,
    books: dict[str, WordBook],
    language: str,
    *,
    lender: str | None,
    channel: str,
    purpose: str,
    needs_opt_out: bool,
    party_names: tuple[str, ...] = (),
    third_party: bool = False,
) -> list[Finding]:
    """What is wrong with a text; an empty list if nothing is.

    Args:
        text: The words as they will be read.
        books: The words to look for, by language.
        language: Of the text; it decides how a text must say that it can be ended.
        lender: The sender's name, which must be in the text; None where several lenders share the number and none is named.
        channel: `sms`, `letter`, ...
        purpose: As the gate has it. Only a letter that collects or that the law prescribes may speak of courts and lawyers.
        needs_opt_out: The text must say how to end texts.
        party_names: People who must not be named in it: everybody else on the loan.
        third_party: Whoever reads it does not owe: nothing may give away a debt.
    """
    found: list[Finding] = []
    if lender is not None and not _named(lender, text):
        found.append(Finding(rule=ContentRule.NO_SENDER))
    # A lender may be called after a court or a police officers' union.
    said = re.sub(re.escape(lender), " ", text, flags=re.IGNORECASE) if lender and lender.strip() else text
    for book in books.values():
        found += _forbidden(said, book, legal_letter=channel == "letter" and purpose in {"collect", "statutory"})
        if third_party:
            found += [Finding(rule=ContentRule.DISCLOSURE, words=w) for w in book.debt.found(said)]
    found += [Finding(rule=ContentRule.DISCLOSURE, words=name) for name in party_names if _named(name, said)]
    if needs_opt_out:
        own = books.get(language)
        if own is None or not any(own.opt_out.found(text)):
            found.append(Finding(rule=ContentRule.NO_OPT_OUT))
    return list(dict.fromkeys(found))


def _forbidden(text: str, book: WordBook, *, legal_letter: bool) -> Iterator[Finding]:
    lists = {
        ContentRule.THREAT: [book.threat] if legal_letter else [book.threat, book.legal],
        ContentRule.FALSE_URGENCY: [book.urgency],
        ContentRule.FALSE_AUTHORITY: [book.authority],
        ContentRule.SHAMING: [book.shaming],
    }
    for rule, phrases in lists.items():
        for each in phrases:
            yield from (Finding(rule=rule, words=words) for words in each.found(text))


def _named(name: str, text: str) -> bool:
    """Whether a name stands in a text; as whole words where its script has spaces."""
    name, text = plain(name), plain(text)
    return bool(name) and (f" {name} " in f" {text} " if name.isascii() else name in text)
