"""Whatever happens to a loan, its case keeps these rules."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.acts import LASTING, REST
from domain.clock import start_of
from domain.decision import Action
from domain.facts import FINISHED, CaseFacts
from domain.holds import Scope, scopes_held
from domain.strategy import Step
from tests.domain.family import YES, late, lives, monthly, small
from tests.domain.life import COLLECTS, Life, Line

LADDER = ["sms-1", "sms-2", "call-1", "visit-1", "review", "letter", "suit"]
UNDOES = {Action.WITHDRAW_TASK, Action.WITHDRAW_LETTER, Action.WITHDRAW_SUIT}
calm = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
brief = settings(calm, max_examples=25)


def collects(life: Life) -> list[Line]:
    return [line for line in life.log if line.decision.action in COLLECTS]


def of_the_ladder(life: Life) -> list[Line]:
    """Without the house's own: a call for the rest of a promise that was kept in part stands in no stage."""
    own = [line for line in collects(life) if life.step(line.decision.step_id) is None]
    assert all((line.decision.step_id or "").startswith(REST) for line in own)
    return [line for line in collects(life) if life.step(line.decision.step_id) is not None]


def over(facts: CaseFacts, step: Step) -> bool:
    """Whether a step needs nothing more, said plainly."""
    records = facts.records(step.id)
    if any(r.state in FINISHED for r in records):
        return True
    tries = [r for r in records if r.state in {"missed", "attempted"}]
    return step.do in {"task.call", "task.visit"} and len(tries) >= step.attempts


# --- rules of every line ---


def no_wait_ends_in_the_past(life: Life) -> None:
    assert all(line.decision.at is None or line.decision.at >= line.facts.now for line in life.log)


def the_loop_never_spins(life: Life) -> None:
    assert max(Counter(line.facts.now for line in life.log).values()) <= 20


def nothing_is_collected_when_nothing_is_past_due(life: Life) -> None:
    for line in collects(life):
        assert line.facts.position.arrears > 0
        assert line.facts.position.days_past_due > 0


def no_finished_step_is_repeated(life: Life) -> None:
    for line in of_the_ladder(life):
        step = life.step(line.decision.step_id)
        assert step is not None
        assert not over(line.facts, step), line.decision


def no_attempt_is_numbered_twice(life: Life) -> None:
    for line in life.log:
        if line.done and line.decision.action in COLLECTS:
            used = {(s.episode, s.step_id, s.ordinal) for s in line.facts.steps}
            assert (line.facts.episode, line.decision.step_id, line.decision.ordinal) not in used


def no_step_comes_before_what_it_needs(life: Life) -> None:
    for line in of_the_ladder(life):
        stage = life.strategy.stage_of(line.decision.step_id or "")
        assert stage is not None
        before = stage.steps[: [s.id for s in stage.steps].index(line.decision.step_id or "")]
        required = [step for name in stage.requires for step in (life.strategy.stage(name) or stage).steps]
        assert all(over(line.facts, step) for step in (*before, *required)), line.decision


def a_suit_waits_for_the_letters_term(life: Life) -> None:
    for line in collects(life):
        if line.done and line.decision.action is Action.OPEN_FILING_TASK:
            sent = line.facts.records("letter")[-1].ended_at
            wait = life.strategy.stages[-1].steps[1].then_wait
            assert sent is not None
            assert wait is not None
            assert line.facts.now >= wait.after(sent, life.strategy.calendar, life.lender_zone)


def nobody_is_bothered_while_held_or_agreed(life: Life) -> None:
    for line in collects(life):
        if line.done:
            held = scopes_held(line.facts.holds, line.facts.now)
            assert not held & {Scope.CONTACT, Scope.ESCALATION}
            assert line.facts.promise() is None
            assert line.facts.plan() is None


def an_open_ended_hold_waits_for_a_message_or_a_known_day(life: Life) -> None:
    for line in life.log:
        facts = line.facts
        active = [h for h in facts.holds if h.active(facts.now) and h.scopes & {Scope.CONTACT, Scope.ESCALATION}]
        free = facts.position.cured or facts.cured_at or facts.promise() or facts.plan() or facts.relapse == "misposted"
        if active and not free and line.decision.action not in UNDOES:
            known = [h.end for h in active] + [h.since for h in facts.holds] + [t.deadline for t in facts.tasks]
            if facts.next_value_date:
                known.append(start_of(facts.next_value_date, facts.lender_zone))
            overdue = {facts.now} if any(t.deadline < facts.now for t in facts.tasks) else set()
            assert line.decision.at is None or line.decision.at in {*known, *overdue}


def after_a_cure_nothing_stays_open(life: Life) -> None:
    for line in life.log:
        if line.facts.position.cured and line.decision.action not in UNDOES:
            lasting = {t.task_id for t in line.facts.tasks if t.kind == "remedy"}
            assert [e for e in line.facts.effects if e.state == "open" and e.task_id not in lasting] == []


def nothing_is_left_with_anybody_at_the_close(life: Life) -> None:
    for line in life.log:
        if line.done and line.decision.closes:
            assert line.facts.effects == ()
            assert line.facts.tasks == ()


def only_a_cured_case_closes_by_itself(life: Life) -> None:
    for line in life.log:
        if line.decision.closes:
            assert line.facts.position.cured


def what_is_too_old_gets_no_automatic_step(life: Life) -> None:
    for line in collects(life):
        assert line.facts.position.days_past_due <= life.strategy.review_after_days


RULES = [
    no_wait_ends_in_the_past,
    the_loop_never_spins,
    nothing_is_collected_when_nothing_is_past_due,
    no_finished_step_is_repeated,
    no_attempt_is_numbered_twice,
    no_step_comes_before_what_it_needs,
    a_suit_waits_for_the_letters_term,
    nobody_is_bothered_while_held_or_agreed,
    an_open_ended_hold_waits_for_a_message_or_a_known_day,
    after_a_cure_nothing_stays_open,
    nothing_is_left_with_anybody_at_the_close,
    only_a_cured_case_closes_by_itself,
    what_is_too_old_gets_no_automatic_step,
]


@calm
@given(lives())
def test_every_life_keeps_every_rule(life: Life) -> None:
    life.run(150)
    for rule in RULES:
        rule(life)


# --- ends ---


def closed(life: Life) -> bool:
    return not life.open


@brief
@given(lives(), st.integers(0, 30))
def test_paying_in_full_always_ends_in_a_cure_and_then_a_close(life: Life, turns: int) -> None:
    life.run(turns)
    life.events.clear()
    life.pay_in_full()
    for _ in range(60):
        if closed(life):
            break
        life.turn()
        if life.facts().position.cured:
            life.answer("WITHDRAWN", "DONE")
    assert life.cured_at is not None
    assert closed(life)
    after_a_cure_nothing_stays_open(life)
    nothing_is_left_with_anybody_at_the_close(life)


# --- part payments ---


def to_the_end_of_the_ladder(life: Life) -> list[str | None]:
    """Every task is answered at once, until the suit is filed; gives the steps taken in order."""
    for _ in range(120):
        life.turn()
        life.answer(*YES)
        if any(s.step_id == "suit" and s.state in FINISHED for s in life.steps):
            break
    return life.did(*COLLECTS)


@brief
@given(
    st.lists(st.tuples(st.integers(1, 150), st.sampled_from([1, 40, 60, 99, 100])), max_size=6), st.sampled_from([1, 4])
)
def test_no_configured_step_is_skipped_or_repeated_after_a_part_payment(
    payments: list[tuple[int, int]], count: int
) -> None:
    life = late(1, count=count)
    left = count * 100 - 1
    for days, amount in payments:
        paid = min(amount, left - 1) if count == 1 else amount
        if paid <= 0 or (count == 4 and sum(e[1] for e in payments) > 150):
            continue
        left -= paid
        life.tell(timedelta(days=days), lambda paid=paid: life.pay(paid))  # type: ignore[misc]
    steps = to_the_end_of_the_ladder(life)
    if life.episode == 1 and life.cured_at is None:
        assert steps == LADDER


@brief
@given(st.integers(1, 90), st.integers(1, 90))
def test_two_small_part_payments_do_not_restart_a_stage(first: int, second: int) -> None:
    plain, paying = late(1), late(1)
    for days in (first, second):
        paying.tell(timedelta(days=days), lambda: paying.pay(1))
    to_the_end_of_the_ladder(plain)
    to_the_end_of_the_ladder(paying)
    times = [
        [(line.decision.step_id, line.facts.now) for line in life.log if line.done and line.decision.action in COLLECTS]
        for life in (plain, paying)
    ]
    assert times[0] == times[1]


# --- holds ---


@brief
@given(st.integers(0, 40), st.integers(1, 40))
def test_after_a_hold_stage_time_continues_with_what_was_left(after: int, length: int) -> None:
    """A hold of whole days at noon moves every later step by as many days, once nothing is open."""
    plain, held = late(1), late(1)
    held.tell(timedelta(days=after, hours=12), lambda: held.hold("dispute"))
    held.tell(timedelta(days=after + length, hours=12), held.release)
    steps = [to_the_end_of_the_ladder(life) for life in (plain, held)]
    assert steps[0] == steps[1] == LADDER
    begins = plain.log[0].facts.now + timedelta(days=after, hours=12)
    for a, b in zip(
        [x for x in plain.log if x.done and x.decision.step_id in {"sms-2", "visit-1"}],
        [x for x in held.log if x.done and x.decision.step_id in {"sms-2", "visit-1"}],
        strict=True,
    ):
        moved = timedelta(days=length) if a.facts.now > begins else timedelta(0)
        assert timedelta(0) <= b.facts.now - a.facts.now - moved < timedelta(days=1)


# --- returns ---


@brief
@given(st.integers(1, 100), st.integers(0, 25))
def test_a_bounce_goes_back_to_the_stage_it_was_in_and_repeats_no_finished_step(paid_on: int, back_on: int) -> None:
    life = late(1)
    paid = life.now + timedelta(days=paid_on)
    life.tell(timedelta(days=paid_on), life.pay_arrears)
    life.tell(timedelta(days=paid_on + back_on), life.bounce)
    while life.episode == 1:
        life.turn()
        if life.now < paid:
            life.answer(*YES)
        assert not closed(life)
    finished = {s.step_id for s in life.steps if s.state in FINISHED}
    went_back = life.episode_at
    to_the_end_of_the_ladder(life)
    later = [line for line in collects(life) if line.done and line.facts.episode == 2]
    assert finished & {line.decision.step_id for line in later} == set()
    assert [line.decision.step_id for line in later] == [s for s in LADDER if s not in finished]
    assert later[0].facts.now >= went_back + timedelta(days=life.strategy.bounce.wait_days)
    assert life.did(Action.SEND_BOUNCE_NOTICE) == ["house-bounce-notice"]


def test_lasting_work_is_what_a_missed_deadline_only_extends() -> None:
    assert {"answer", "withdraw_letter", "withdraw_suit", "manual_review", "remedy"} == LASTING


def test_the_family_of_loans_is_what_it_says() -> None:
    life = Life(small(), monthly(late(1).today, 2), late(1).now)
    assert life.facts().position.outstanding == Decimal(200)
