"""The table of rules tells what is shipped."""

from tests.domain.gate.boundaries import BOUNDARIES
from tests.domain.gate.table import FILE, TEST, written


def test_the_table_is_written_anew() -> None:
    assert FILE.read_text("utf-8") == written(), "run `python -m tests.domain.gate.table`"


def test_the_table_names_the_test_of_every_rule() -> None:
    page = FILE.read_text("utf-8")
    assert {rule for rule in BOUNDARIES if f"`{TEST}[{rule}]`" in page} == set(BOUNDARIES)
