"""The words of a text message: a template by language, filled with figures, never pasted together, and held against what may not be said."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from babel.core import Locale
from babel.dates import format_date
from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from domain.content import Finding, WordBook, check_words
from domain.errors import BadInput
from domain.facts import CaseFacts, Promise
from domain.money import spoken
from domain.phrases import read_toml

FALLBACK = "en"
REPLY = "reply_"  # begins the names of the texts that answer in a borrower's own exchange
SAMPLE = {
    "lender": "Example Bank",
    "amount": "12.50",
    "due_on": "1 June",
    "reference": "ABCD2345",
    "promised": "12.50",
    "promised_on": "8 June",
}


def _messages() -> Traversable:
    return files("policies") / "messages"


def _source(name: str) -> str | None:
    file = _messages() / name
    return file.read_text("utf-8").strip() if file.is_file() else None


@lru_cache
def _environment() -> Environment:
    return Environment(loader=FunctionLoader(_source), undefined=StrictUndefined, autoescape=False)  # noqa: S701 - a text, not a page


@lru_cache
def languages() -> tuple[str, ...]:
    """The languages that messages are written in."""
    return tuple(sorted(each.name for each in _messages().iterdir() if each.is_dir()))


def language_of(language: str) -> str:
    """The language of messages for a borrower's language: `zh-CN` gives `zh`; one we have no words in gives English."""
    short = language.replace("_", "-").split("-")[0].lower()
    return short if short in languages() else FALLBACK


@lru_cache
def word_books() -> dict[str, WordBook]:
    """What may not be said, and what must be, by language."""
    folder = files("policies") / "content"
    shelf = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return {
        file.name.removesuffix(".toml"): read_toml(file.read_text("utf-8"), f"policies/content/{file.name}", WordBook)
        for file in sorted(shelf, key=lambda file: file.name)
    }


# --- templates ---


@lru_cache(maxsize=512)
def template(name: str, language: str) -> Template:
    """The template of a message in a language, checked when it is first loaded.

    Raises:
        BadInput: there is none of that name, or its words may not be sent.
    """
    path = f"{language_of(language)}/{name}.txt"
    if _source(path) is None:
        raise BadInput(f"message template {name!r} is missing: put it at policies/messages/{path}.")
    loaded = _environment().get_template(path)
    _refuse(
        check_words(
            loaded.render(SAMPLE),
            word_books(),
            language_of(language),
            lender=SAMPLE["lender"],
            channel="sms",
            purpose="reply" if name.startswith(REPLY) else "collect",
            needs_opt_out=not name.startswith(REPLY),
        ),
        f"message template policies/messages/{path}",
    )
    return loaded


def check_template(channel: str, name: str) -> None:
    """Check a message or a letter in every language that it is written in, as when a strategy is published.

    Raises:
        BadInput: a message is missing in a language, or the words of a text may not be sent.
    """
    if channel == "sms":
        for language in languages():
            template(name, language)
        return
    folder = files("policies") / "letters"
    for language in sorted(each.name for each in folder.iterdir() if each.is_dir()):
        path = folder / language / f"{name}.typ"
        if path.is_file():
            written = path.read_text("utf-8").replace("#facts.lender_name", SAMPLE["lender"])
            found = check_words(
                re.sub(r"[*_\\]|#facts\.\w+;?", " ", written),
                word_books(),
                language,
                lender=SAMPLE["lender"],
                channel="letter",
                purpose="collect",
                needs_opt_out=False,
            )
            _refuse(found, f"letter template policies/letters/{language}/{name}.typ")


# --- the texts themselves ---


def text(
    name: str,
    language: str,
    lender: str,
    facts: CaseFacts,
    reference: str,
    promise: Promise | None = None,
    coming: tuple[Decimal, date] | None = None,
) -> str:
    """The words for one borrower, with amounts and dates as that language writes them.

    They speak of the arrears; of `coming`, an amount and its due date, where that is given.

    Raises:
        BadInput: there is no such template, or what came out may not be sent: no sender, no way to stop, a threat.
    """
    spoken_in = language_of(language)
    locale = Locale.parse(spoken_in)
    amount, due = coming or (facts.position.arrears, facts.position.oldest_due_on)
    figures = {
        "lender": lender,
        "amount": spoken(amount, facts.currency, spoken_in),
        "due_on": format_date(due, "long", locale) if due else "",
        "reference": reference,
    }
    if promise is not None:
        figures["promised"] = spoken(promise.amount, facts.currency, spoken_in)
        figures["promised_on"] = format_date(promise.due_on, "long", locale)
    words = template(name, language).render(figures)
    refuse_bad_words(words, spoken_in, lender=lender, channel="sms", purpose="collect", what=f"message {name!r}")
    return words


def reply_text(name: str, language: str, lender: str) -> str:
    """What is said back in a borrower's own exchange: `opted_out`, `opted_in`, `help`; `lender` may be empty.

    Whoever holds the phone reads it, so it has no word of a debt.

    Raises:
        BadInput: there is no such template, or what came out may not be sent.
    """
    words = template(f"{REPLY}{name}", language).render(lender=lender)
    words = words[:1].upper() + words[1:]  # a sentence that the lender's name may begin
    refuse_bad_words(
        words,
        language_of(language),
        lender=lender or None,
        channel="sms",
        purpose="reply",
        third_party=True,
        what=f"reply {name!r}",
    )
    return words


def refuse_bad_words(
    text: str,
    language: str,
    *,
    lender: str | None,
    channel: str,
    purpose: str,
    needs_opt_out: bool | None = None,
    party_names: tuple[str, ...] = (),
    third_party: bool = False,
    what: str = "the text",
) -> None:
    """Let a text pass or say what is wrong with it; for what people type, and for every template once it is filled.

    Args:
        needs_opt_out: Whether it must say how to end texts; by default a text message must, but for a reply.
        what: What the text is called in the error.
        text: As `domain.content.check_words` has it, with all else.
        language: The same.
        lender: The same.
        channel: The same.
        purpose: The same.
        party_names: The same.
        third_party: The same.

    Raises:
        BadInput: one sentence with the words that must go, or what is missing, and what to do.
    """
    found = check_words(
        text,
        word_books(),
        language_of(language),
        lender=lender,
        channel=channel,
        purpose=purpose,
        needs_opt_out=channel == "sms" and purpose != "reply" if needs_opt_out is None else needs_opt_out,
        party_names=party_names,
        third_party=third_party,
    )
    _refuse(found, what)


def _refuse(found: list[Finding], what: str) -> None:
    if found:
        faults = "; ".join(
            f"{each.rule}{f' at “{each.words}”' if each.words else ''} ({each.remedy})" for each in found
        )
        raise BadInput(f"{what} may not be sent: {faults}.")
