import pytest

from domain.acts import LASTING
from domain.holds import REASONS
from domain.outcomes import CODES, Consequence, Outcome, codes_of

ALL = [pytest.param(o, id=f"{kind}-{code}") for kind, codes in CODES.items() for code, o in codes.items()]


@pytest.mark.parametrize("outcome", ALL)
def test_the_flags_of_an_outcome_follow_from_one_another(outcome: Outcome) -> None:
    assert outcome.connected or not outcome.rpc
    assert outcome.rpc or not outcome.conversation
    assert outcome.is_attempt or not (outcome.connected or outcome.contact_counts)


@pytest.mark.parametrize("outcome", ALL)
def test_an_outcome_that_places_a_hold_names_a_known_reason(outcome: Outcome) -> None:
    assert (outcome.consequence is Consequence.HOLD) == (outcome.hold in REASONS)


@pytest.mark.parametrize("kind", ["call", "visit", "pre_legal_review", "file_suit", *sorted(LASTING)])
def test_every_kind_of_task_has_an_answer_that_ends_it(kind: str) -> None:
    assert any(o.ends_step for o in codes_of(kind).values())


def test_a_call_that_reached_nobody_may_be_tried_again() -> None:
    assert not codes_of("call")["NO_ANSWER"].ends_step


def test_a_call_that_the_gate_stopped_counts_as_nothing() -> None:
    assert not codes_of("call")["BLOCKED_BY_GATE"].contact_counts
