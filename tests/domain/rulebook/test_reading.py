"""Rulebooks are read, or refused in one sentence."""

import re
from typing import Any

import pytest

from domain.errors import BadInput
from domain.rulebook import Rulebook, read_rulebook
from tests.domain.gate.asking import shipped

HEAD = 'name = "x"\ntitle = "t"\nabout = "a"\n'
RULE = '[[rules]]\nid = "x.H"\nsays = "s"\nkind = "hours"\nstart = 07:00:00\nend = 21:00:00\ncitation = "-"\nstatus = "house"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name =", "rulebook x.toml is not valid TOML: Invalid value (at end of document)."),
        (RULE, "rulebook x.toml, key name: Field required."),
        (HEAD + RULE.replace("21:00", "07:00"), "rulebook x.toml, key rules.0.hours: rule x.H ends before it starts: give the hours of one day."),
        (HEAD + RULE + 'chanels = ["sms"]', "rulebook x.toml, key rules.0.hours.chanels: Extra inputs are not permitted."),
        (HEAD + RULE + "weekdays = []", "rulebook x.toml, key rules.0.hours.weekdays: Tuple should have at least 1 item after validation, not 0."),
        (HEAD + RULE + "weekdays = [8]", "rulebook x.toml, key rules.0.hours.weekdays.0: Input should be less than or equal to 7."),
        (HEAD + RULE.replace("house", "unconfirmed"), "rulebook x.toml, key rules.0.hours: rule x.H is unconfirmed and must be off unless chosen: set default_on = false."),
        (HEAD + RULE.replace("x.H", "y.H"), "rulebook x.toml, key the whole file: rule y.H belongs to another rulebook: let its id begin with 'x.'."),
        (HEAD + RULE + RULE, "rulebook x.toml, key the whole file: rule x.H is there twice: give each rule an id of its own."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"^{re.escape(said)}$"):
        read_rulebook(text, "x.toml")


def test_unconfirmed_rules_hold_only_where_they_are_chosen() -> None:
    book = read_rulebook(HEAD + RULE.replace("house", "unconfirmed") + "default_on = false\n", "x.toml")
    assert book.in_force(frozenset()).rules == ()
    assert book.in_force(frozenset({"x.H"})).rules == book.rules


@pytest.mark.parametrize("book", shipped().values(), ids=lambda book: str(book.name))
def test_shipped_rules_are_sentences_with_a_source(book: Rulebook) -> None:
    for rule in book.rules:
        assert rule.says[0].isupper(), rule.id
        assert rule.says.endswith("."), rule.id
        assert rule.citation.strip("- "), rule.id
        assert rule.purposes, rule.id
        assert "reply" not in rule.purposes, rule.id


def test_shipped_rules_are_on_unless_nobody_confirmed_them() -> None:
    off: dict[str, Any] = {r.id: r.status for b in shipped().values() for r in b.rules if not r.default_on}
    assert {rule for rule, status in off.items() if status != "unconfirmed"} == {"uk.MORTGAGE_HOURS"}


def test_only_the_house_is_without_a_place() -> None:
    assert {name for name, book in shipped().items() if book.applies is None} == {"house"}


def test_a_call_of_a_machine_counts_with_a_persons() -> None:
    """Else a limit on calls would be two."""
    for book in shipped().values():
        for rule in book.rules:
            if rule.kind in {"limit", "silence"} and {"call", "voice"} & set(rule.channels):
                assert {"call", "voice"} <= set(rule.channels), rule.id
