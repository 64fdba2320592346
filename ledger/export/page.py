"""The file of a case as a page that needs nothing but a browser, and prints well."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

FIGURES = frozenset({"amount", "principal", "interest", "fee"})
CODES = frozenset(
    {
        "kind",
        "status",
        "state",
        "reason",
        "role",
        "purpose",
        "channel",
        "subject_kind",
        "scope",
        "scopes",
        "creditor_role",
    }
)


@lru_cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["moment"] = _moment
    environment.filters["words"] = lambda text: str(text).replace("_", " ")
    environment.filters["cell"] = _cell
    environment.filters["style"] = _style
    return environment.from_string((files("ledger") / "export" / "index.html.j2").read_text("utf-8"))


def page(case: dict[str, Any], head: dict[str, Any], letters: list[str]) -> str:
    """The page; `case` is what `gather` gives, `letters` the contacts whose PDF lies beside it."""
    return _template().render(case=case, head=head, letters=letters)


def _moment(text: str | None) -> str:
    """A time to the minute, in UTC as the file has it."""
    return text[:16].replace("T", " ") if text else ""


def _cell(value: Any, name: str) -> str:
    """A value of a column as people read it; a permit is told elsewhere."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            said = ((k, _cell(v, k)) for k, v in value.items() if k != "permit")
            return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in sorted(said) if v)
        case list():
            return "; ".join(_cell(each, name) for each in value)
    if name.endswith("_at") or name in {"at", "deadline"}:
        return _moment(value)
    return str(value).replace("_", " ") if name in CODES else str(value)


def _style(name: str) -> str:
    """The class of a column: figures to the right, times in one piece, and what may be long broken anywhere."""
    if name in FIGURES:
        return "figure"
    if name.endswith(("_at", "_on", "_date")) or name == "deadline":
        return "when"
    return "long" if name.endswith("_id") or name in {"value", "evidence", "proof", "body"} else ""
