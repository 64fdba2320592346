"""The words of a text message: a template by language, filled with figures, never pasted together."""

from functools import lru_cache
from importlib.resources import files

from babel.core import Locale
from babel.dates import format_date
from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from domain.errors import BadInput
from domain.facts import CaseFacts, Promise
from domain.money import spoken

FALLBACK = "en"


def _source(name: str) -> str | None:
    file = files("policies") / "messages" / name
    return file.read_text("utf-8").strip() if file.is_file() else None


@lru_cache
def _environment() -> Environment:
    return Environment(loader=FunctionLoader(_source), undefined=StrictUndefined, autoescape=False)  # noqa: S701 - a text, not a page


def language_of(language: str) -> str:
    """The language of messages for a borrower's language: `zh-CN` gives `zh`; one we have no words in gives English."""
    short = language.replace("_", "-").split("-")[0].lower()
    return short if (files("policies") / "messages" / short).is_dir() else FALLBACK


def template(name: str, language: str) -> Template:
    """The template of a message in a language.

    Raises:
        BadInput: there is none of that name.
    """
    path = f"{language_of(language)}/{name}.txt"
    if _source(path) is None:
        raise BadInput(f"message template {name!r} is missing: put it at policies/messages/{path}.")
    return _environment().get_template(path)


def text(
    name: str, language: str, lender: str, facts: CaseFacts, reference: str, promise: Promise | None = None
) -> str:
    """The words for one borrower, with amounts and dates as that language writes them."""
    spoken_in = language_of(language)
    locale = Locale.parse(spoken_in)
    due = facts.position.oldest_due_on
    figures = {
        "lender": lender,
        "amount": spoken(facts.position.arrears, facts.currency, spoken_in),
        "due_on": format_date(due, "long", locale) if due else "",
        "reference": reference,
    }
    if promise is not None:
        figures["promised"] = spoken(promise.amount, facts.currency, spoken_in)
        figures["promised_on"] = format_date(promise.due_on, "long", locale)
    return template(name, language).render(figures)
