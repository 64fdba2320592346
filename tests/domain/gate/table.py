"""Writes docs/rules.md: every rule, where it is written, its status, whether it is on, and the test at its boundary.

Run it from the checkout: `python -m tests.domain.gate.table`.
"""

from collections.abc import Iterator
from pathlib import Path

from domain.gate.engine_1 import CORE
from domain.rulebook import Rulebook
from tests.domain.gate.asking import shipped

FILE = Path("docs/rules.md")
TEST = "tests/domain/gate/test_boundaries.py::test_boundary"
HEAD = f"""# Rules

Every contact passes the gate (`domain/gate`), which asks the rules of `policies/rulebooks/` that govern it and a few that always hold. This table is written by `python -m tests.domain.gate.table`.

- *Status*: `confirmed`, the text was read; `secondary`, a secondary source states it; `unconfirmed`, nobody checked, so it is off unless a lender chooses it (`arrears rules choose`); `house`, a default of ours, not law.
- *Boundary*: the test that shows the last moment or count that the rule permits and the first that it does not: `pytest "{TEST}[ID]"`.

Nothing here is legal advice; a rulebook is a starting point that a lawyer signs.
"""


def written() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_core(), *(line for book in shipped().values() for line in _book(book))])


def _core() -> Iterator[str]:
    yield "## Rules that always hold\n"
    yield "| rule | says | boundary |\n| --- | --- | --- |"
    for name, says in CORE.items():
        yield f"| `{name}` | {says} | `{TEST}[{name}]` |"
    yield ""


def _book(book: Rulebook) -> Iterator[str]:
    yield f"## `{book.name}`: {book.title}\n"
    yield " ".join(book.about.split()) + "\n"
    scope = book.applies
    if scope is None:
        yield "Holds where a lender's settings or a strategy name it.\n"
    else:
        debts = " and ".join(scope.purposes) or "any"
        yield f"Holds in {', '.join(scope.countries)}, for {debts} debt, collected by {', '.join(scope.creditor_roles) or 'anybody'}.\n"
    yield "| rule | says | written in | status | on | limits | boundary |\n| --- | --- | --- | --- | --- | --- | --- |"
    for rule in book.rules:
        limits = f"{', '.join(rule.purposes)}; by {', '.join(rule.channels)}"
        on = "yes" if rule.default_on else "if chosen"
        yield f"| `{rule.id}` | {rule.says} | {rule.citation} | {rule.status} | {on} | {limits} | `{TEST}[{rule.id}]` |"
    yield ""


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
