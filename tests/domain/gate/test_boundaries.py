"""Every shipped rule at its boundary: alone, it permits the last and stops the first."""

import pytest

from domain.gate import Defer, Forbid, Permit, decide
from domain.gate.engine_1 import CORE
from tests.domain.gate.asking import alone, shipped
from tests.domain.gate.boundaries import BOUNDARIES

RULES = {rule.id: rule for book in shipped().values() for rule in book.rules}


def test_every_rule_has_a_boundary_and_every_boundary_a_rule() -> None:
    assert set(BOUNDARIES) == set(RULES) | set(CORE)


@pytest.mark.parametrize("rule_id", BOUNDARIES)
def test_boundary(rule_id: str) -> None:
    books = [alone(RULES[rule_id])] if rule_id in RULES else []
    boundary = BOUNDARIES[rule_id]
    for request, known in boundary.permitted:
        said = decide(request, known, books)
        assert isinstance(said, Permit), (request, known, said)
        assert rule_id in said.rules
    for request, known in boundary.stopped:
        said = decide(request, known, books)
        assert isinstance(said, Defer | Forbid), (request, known, said)
        assert rule_id in said.rules
