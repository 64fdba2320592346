"""The file of a case as a page that needs nothing but a browser, and prints well."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template


@lru_cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["moment"] = _moment
    environment.filters["words"] = lambda text: str(text).replace("_", " ")
    return environment.from_string((files("ledger") / "export" / "index.html.j2").read_text("utf-8"))


def page(case: dict[str, Any], head: dict[str, Any], letters: list[str]) -> str:
    """The page; `case` is what `gather` gives, `letters` the contacts whose PDF lies beside it."""
    return _template().render(case=case, head=head, letters=letters)


def _moment(text: str | None) -> str:
    """A time to the minute, in UTC as the file has it."""
    return text[:16].replace("T", " ") if text else ""
