"""Cases that have gone wrong elsewhere, one story each."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.agreements import check_promise
from domain.clock import start_of
from domain.decision import Action, Decision
from domain.errors import BadInput
from domain.facts import CaseFacts
from domain.ladder import collection_days
from domain.plan import plan
from tests.domain.family import YES, content, late, monthly, small
from tests.domain.life import Life


def days(count: float) -> timedelta:
    return timedelta(days=count)


def until(life: Life, action: Action) -> Life:
    """Live, answering every task, until an action was carried out."""
    for _ in range(150):
        life.turn()
        if life.log[-1].done and life.log[-1].decision.action is action:
            return life
        life.answer(*YES)
    raise AssertionError(f"{action} never came")


def judged(life: Life) -> None:
    """Live until the latest promise is judged, which reading the case does."""
    for _ in range(20):
        life.turn()
        if life.promises[-1][0].status != "active":
            return
    raise AssertionError("it is never judged")


def settled(life: Life) -> Decision:
    """The next decision that waits."""
    for _ in range(20):
        decision = life.next()
        if decision.at is None or decision.at > life.now:
            return decision
        life.carry_out(decision)
    raise AssertionError("it never waits")


def as_of_now(life: Life) -> CaseFacts:
    life.next()
    return life.facts()


def test_a_hold_that_covers_the_start_moves_the_first_day_past_its_end() -> None:
    life = late(1)
    life.hold("dispute", days(10), life.now - days(5))
    ends = life.now + days(5)
    until(life, Action.SEND_SMS)
    assert ends + days(1) <= life.now < ends + days(2)
    assert life.facts().position.days_past_due == 7


def test_overlapping_holds_count_once() -> None:
    life = late(9)
    life.hold("dispute", days(4), life.now - days(6))
    life.hold("hardship", days(4), life.now - days(4))
    assert collection_days(life.facts()) == 3


def test_a_backdated_hold_takes_its_days_out() -> None:
    life = late(9)
    life.hold("dispute", days(3), life.now - days(6))
    assert collection_days(life.facts()) == 6
    assert life.facts().position.days_past_due == 9


def test_a_hold_in_the_future_wakes_the_case_on_its_first_day() -> None:
    life = until(late(30), Action.OPEN_CALL_TASK)
    begins = life.now + timedelta(hours=5)
    life.hold("breathing_space", days(60), begins)
    assert life.next().at == begins
    life.now = begins
    assert life.next().action is Action.WITHDRAW_TASK


def test_a_cure_takes_back_an_open_call_task_at_once() -> None:
    life = until(late(20), Action.OPEN_CALL_TASK)
    life.pay_arrears()
    assert (life.next().action, life.next().at) == (Action.WITHDRAW_TASK, life.now)


def test_a_part_payment_below_the_stage_takes_the_call_task_back_and_waits() -> None:
    life = until(late(35, count=2), Action.OPEN_CALL_TASK)
    life.pay(100)
    assert life.next().action is Action.WITHDRAW_TASK
    life.carry_out(life.next())
    decision = life.next()
    assert (life.facts().position.days_past_due, decision.step_id) == (5, "sms-1")


def test_a_call_task_taken_back_is_done_when_it_is_due_again() -> None:
    life = until(late(35, count=2), Action.OPEN_CALL_TASK)
    life.pay(100)
    until(life, Action.OPEN_CALL_TASK)
    assert life.facts().position.days_past_due == 10
    assert life.log[-1].decision.ordinal == 2


def test_a_part_payment_in_legal_holds_the_stage_and_the_letter_is_next() -> None:
    life = until(late(61, count=4), Action.OPEN_PRE_LEGAL_REVIEW)
    life.answer("APPROVED")
    life.pay(200)
    assert life.facts().position.days_past_due < 30
    decision = life.next()
    assert (decision.action, decision.at, decision.stage) == (Action.SEND_DEMAND_LETTER, life.now, "legal")


def test_a_part_payment_in_legal_brings_no_early_stage_that_was_passed_by() -> None:
    made = content()["stages"]
    made[-1]["requires"] = ["visit"]
    life = until(late(61, count=4, strategy=small(stages=made)), Action.OPEN_PRE_LEGAL_REVIEW)
    life.pay(200)
    life.answer("APPROVED")
    assert life.did(Action.SEND_SMS) == []
    assert life.next().action is Action.SEND_DEMAND_LETTER


def test_a_small_payment_leaves_the_call_task_open() -> None:
    life = until(late(20), Action.OPEN_CALL_TASK)
    life.pay(1)
    assert life.next().action is Action.MISS_DEADLINE


def test_a_case_that_arrives_at_day_200_gets_what_legal_requires_first() -> None:
    life = until(late(200), Action.OPEN_PRE_LEGAL_REVIEW)
    done = [x.decision.step_id for x in life.log if x.done and x.decision.step_id]
    assert done == ["sms-1", "sms-2", "call-1", "visit-1", "review"]


def test_a_case_older_than_three_years_goes_to_manual_review_alone() -> None:
    life = until(late(1096), Action.OPEN_MANUAL_REVIEW)
    life.answer("REVIEWED")
    assert life.next().at is None
    assert {x.decision.action for x in life.log} == {Action.OPEN_MANUAL_REVIEW}


def test_a_review_says_which_step_a_rule_forbade() -> None:
    life = late(200)
    for step in (step for stage in life.strategy.stages for step in stage.steps):
        life.record(step.id, 1, "forbidden" if step.id == "suit" else "done")
    steps = tuple(s.model_copy(update={"result": "house.LIMITATION"}) for s in life.facts().steps)
    decision = plan(life.facts().model_copy(update={"steps": steps}), life.strategy)
    assert decision.action is Action.OPEN_MANUAL_REVIEW
    assert decision.why == (
        "every step of the strategy is finished, but suit was forbidden by house.LIMITATION"
        " (give the loan's limitation_on where the debt is not time-barred)"
    )


def test_three_years_to_the_day_is_not_too_old() -> None:
    assert late(1095).next().action is Action.SEND_SMS


def test_a_manual_review_is_taken_back_at_a_cure() -> None:
    life = until(late(1096), Action.OPEN_MANUAL_REVIEW)
    life.pay_in_full()
    assert life.next().action is Action.WITHDRAW_TASK


def test_a_manual_review_that_could_not_be_opened_is_opened_an_hour_later() -> None:
    life = late(1096)
    failed = life.next()
    life.record(failed.step_id, failed.ordinal, "failed")
    again = life.next()
    assert (again.action, again.at, again.ordinal) == (failed.action, life.now + timedelta(hours=1), 2)


def test_a_letter_is_withdrawn_through_counsel_and_the_case_closes_after_the_answer() -> None:
    life = until(late(61), Action.SEND_DEMAND_LETTER)
    life.pay_in_full()
    decision = settled(life)
    assert [t.kind for t in life.tasks] == ["withdraw_letter"]
    assert decision.action in {Action.THANK_BORROWER, Action.MISS_DEADLINE}
    life.run(30)
    assert life.open
    life.answer("WITHDRAWN")
    life.run(30)
    assert not life.open


def test_the_deadline_of_counsel_is_kept_while_a_plan_is_in_force() -> None:
    life = until(late(61), Action.SEND_DEMAND_LETTER)
    life.agree([life.facts().position.arrears], every=60)
    assert life.next().action is Action.WITHDRAW_LETTER
    decision = settled(life)
    assert (decision.action, decision.at) == (Action.MISS_DEADLINE, life.tasks[0].deadline)


def test_a_reversal_after_counsel_withdrew_the_letter_stays_legal_and_sends_the_letter_anew() -> None:
    life = until(late(61), Action.SEND_DEMAND_LETTER)
    life.pay_arrears()
    settled(life)
    life.answer("WITHDRAWN")
    life.now += days(2)
    life.bounce()
    assert life.next().action is Action.BEGIN_EPISODE
    until(life, Action.SEND_DEMAND_LETTER)
    again = [x.decision.step_id for x in life.log if x.done and x.facts.episode == 2 and x.decision.step_id]
    assert again == ["house-bounce-notice", "letter"]


def test_new_arrears_in_probation_start_the_ladder_afresh() -> None:
    life = until(late(20, count=2), Action.OPEN_CALL_TASK)
    life.pay_arrears()
    until(life, Action.BEGIN_EPISODE)
    assert (life.relapse, life.facts().position.days_past_due) == ("arrears", 1)
    until(life, Action.SEND_SMS)
    assert life.log[-1].decision.step_id == "sms-1"


def test_an_instalment_due_on_the_day_of_the_cure_is_checked_the_day_after() -> None:
    life = late(30, count=2)
    life.pay(100)
    decision = settled(life)
    assert decision.action is Action.RECONSIDER
    assert decision.at == start_of(life.today + days(1), life.lender_zone)


def test_a_remainder_of_late_fees_alone_is_not_collected() -> None:
    life = late(5)
    life.charge(7)
    life.pay(100)
    assert life.facts().position.fee_arrears == 7
    life.run(30)
    assert not life.open
    assert life.did(Action.SEND_SMS) == []


def test_a_future_dated_payment_wakes_the_case_on_its_day() -> None:
    life = late(10)
    settled(life)
    life.hold("dispute")
    on = life.today + days(20)
    life.pay(100, on)
    decision = settled(life)
    assert (decision.action, decision.at) == (Action.RECONSIDER, start_of(on, life.lender_zone))


def test_a_plan_agreed_in_legal_takes_the_review_back_and_is_judged_after_grace() -> None:
    life = until(late(61), Action.OPEN_PRE_LEGAL_REVIEW)
    life.agree([life.facts().position.arrears])
    assert life.next().action is Action.WITHDRAW_TASK
    decision = settled(life)
    assert (decision.action, decision.at) == (
        Action.JUDGE_PLAN,
        start_of(life.plans[0][0].instalments[0].due_on + days(3), life.lender_zone),
    )


def test_a_broken_plan_goes_back_to_the_stage_it_was_in() -> None:
    life = until(late(61), Action.OPEN_PRE_LEGAL_REVIEW)
    life.agree([life.facts().position.arrears])
    until(life, Action.OPEN_PRE_LEGAL_REVIEW)
    assert life.plans[0][0].status == "broken"
    assert life.log[-1].decision.stage == "legal"


def test_after_two_broken_promises_a_third_is_refused() -> None:
    life = late(5)
    for _ in range(2):
        life.promise(100, 1)
        judged(life)
    assert [p.status for p, _ in life.promises] == ["broken", "broken"]
    with pytest.raises(BadInput, match=r"2 promises were broken: agree a plan instead\.$"):
        check_promise(life.facts().position.arrears, 5, life.facts(), life.strategy)


def test_a_promise_is_reminded_of_once_the_day_before() -> None:
    life = late(5)
    life.promise(100, 6)
    due = life.promises[0][0].due_on
    judged(life)
    reminders = [x for x in life.log if x.done and x.decision.action is Action.REMIND_OF_PROMISE]
    assert [x.facts.position.as_of for x in reminders] == [due - days(1)]


def test_a_rejected_review_goes_to_a_person_and_sends_no_letter() -> None:
    life = until(late(61), Action.OPEN_PRE_LEGAL_REVIEW)
    life.answer("REJECTED")
    until(life, Action.OPEN_MANUAL_REVIEW)
    life.answer("REVIEWED")
    assert life.next().at is None
    assert life.did(Action.SEND_DEMAND_LETTER) == []


def test_a_review_that_is_missed_again_and_again_is_asked_for_again_and_never_passes() -> None:
    life = until(late(61), Action.OPEN_PRE_LEGAL_REVIEW)
    life.run(30)
    assert life.did(Action.SEND_DEMAND_LETTER) == []
    assert len(life.did(Action.OPEN_PRE_LEGAL_REVIEW)) > 5


@pytest.mark.parametrize("approval", ["supervisor", None])
def test_a_review_that_cannot_be_opened_is_never_taken_for_a_yes(approval: str | None) -> None:
    stages = content()["stages"]
    stages[-1]["steps"][0]["approval"] = approval
    life = until(late(61, strategy=small(stages=stages)), Action.OPEN_PRE_LEGAL_REVIEW)
    life.end_task(life.tasks[0], "failed")
    for ordinal in (2, 3, 4):
        life.record("review", ordinal, "failed")
    decision = life.next()
    assert (decision.action, decision.at) == (Action.OPEN_PRE_LEGAL_REVIEW, life.now + days(1))


def test_a_hold_stretches_the_wait_after_the_letter() -> None:
    life = until(late(61), Action.SEND_DEMAND_LETTER)
    due = life.next().at
    assert due is not None
    life.hold("dispute", days(5))
    life.now += days(5)
    assert life.next().at == due + days(5)


@pytest.mark.parametrize("first", ["2026-03-07", "2026-10-31"])
def test_a_change_of_the_clocks_moves_no_stage_by_a_day(first: str) -> None:
    zone = "America/New_York"
    due = date.fromisoformat(first)
    life = Life(small(), monthly(due, 1), start_of(due, zone), zone)
    for hour in range(24 * 5):
        life.now = start_of(due, zone) + timedelta(hours=hour)
        assert collection_days(life.facts()) == life.facts().position.days_past_due


def test_a_borrower_far_away_is_texted_in_their_own_hours() -> None:
    now = start_of(date.fromisoformat("2026-05-11"), "Asia/Shanghai")
    life = Life(small(), monthly(date.fromisoformat("2026-05-08"), 1), now, "Asia/Shanghai", "Pacific/Honolulu")
    decision = life.next()
    assert decision.at is not None
    assert 9 <= decision.at.astimezone(ZoneInfo("Pacific/Honolulu")).hour < 17


def test_a_misposted_payment_opens_a_remedy_and_contacts_nobody() -> None:
    life = until(late(12), Action.OPEN_CALL_TASK)
    life.pay_arrears()
    settled(life)
    life.now += days(1)
    life.bounce("misposted")
    settled(life)
    assert [t.kind for t in life.tasks] == ["remedy"]
    before = len(life.log)
    life.run(20)
    assert {x.decision.action for x in life.log[before:]} == {Action.MISS_DEADLINE}


def test_a_promise_that_ended_without_a_judgement_does_not_pause_for_ever() -> None:
    life = late(5)
    life.promise(100, 3)
    promise, _ = life.promises[0]
    facts = as_of_now(life).model_copy(update={"promises": (promise.model_copy(update={"status": "withdrawn"}),)})
    assert plan(facts, life.strategy).at is not None


def test_closing_by_hand_undoes_first() -> None:
    life = until(late(20), Action.OPEN_CALL_TASK)
    life.closing = "recalled"
    assert life.next().action is Action.WITHDRAW_TASK
    life.carry_out(life.next())
    assert (life.next().action, life.next().why) == (Action.CLOSE_CASE, "closed: recalled")
