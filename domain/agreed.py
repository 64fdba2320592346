"""What an agreement makes a case do: a plan or a promise stops the chase until the ledger has judged it."""

from datetime import date, timedelta
from decimal import Decimal

from domain import acts
from domain.clock import start_of
from domain.decision import Action, Decision
from domain.facts import CaseFacts, Plan, Promise
from domain.holds import Scope
from domain.ladder import in_send_window
from domain.strategy import Strategy


def agreed_plan(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """A plan in force stops everything; each of its dates is judged by the ledger."""
    agreed = facts.plan()
    if agreed is None:
        return None
    undo = acts.undo_next(facts, "an instalment plan is agreed", "plan")
    if undo:
        return undo
    due = next_checkpoint(agreed, strategy)
    at = start_of(due + timedelta(days=strategy.plan.grace_days + 1), facts.lender_zone)
    why = f"a plan is in force; the payment of {due} is judged after {_days(strategy.plan.grace_days)} of grace"
    return acts.decide(facts, Action.JUDGE_PLAN, at, why, stage="plan", subject_id=agreed.plan_id)


def next_checkpoint(agreed: Plan, strategy: Strategy) -> date:
    """The first agreed date that is not yet covered by what was paid."""
    owed = Decimal(0)
    for instalment in agreed.instalments:
        owed += instalment.amount
        if agreed.paid < owed * strategy.plan.kept_at:
            return instalment.due_on
    return agreed.instalments[-1].due_on


def promised(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """An active promise stops the chase until its day and grace are over; one reminder goes out the day before."""
    promise = facts.promise()
    if promise is None:
        return None
    undo = acts.take_back_chase(facts, "a promise to pay was made")
    if undo:
        return undo
    reminder = _reminder(facts, strategy, promise)
    if reminder:
        return reminder
    ends = start_of(promise.due_on + timedelta(days=strategy.promise.grace_days + 1), facts.lender_zone)
    why = f"a promise for {promise.due_on} is open; judged after {_days(strategy.promise.grace_days)} of grace"
    return acts.decide(facts, Action.JUDGE_PROMISE, ends, why, subject_id=promise.promise_id)


def _days(count: int) -> str:
    return f"{count} day{'s' if count != 1 else ''}"


def _reminder(facts: CaseFacts, strategy: Strategy, promise: Promise) -> Decision | None:
    step_id = f"{acts.REMINDER}-{promise.promise_id}"
    day_before = start_of(promise.due_on - timedelta(days=1), facts.lender_zone)
    if not strategy.promise.reminder or facts.records(step_id) or not acts.free_of(facts, Scope.CONTACT):
        return None
    at = in_send_window(facts, strategy, max(day_before, facts.now))
    if at >= start_of(promise.due_on, facts.lender_zone) or promise.captured_at >= day_before:
        return None
    why = f"a promise for {promise.due_on} is open; remind the day before"
    ordinal = facts.next_ordinal(step_id)
    return acts.decide(
        facts, Action.REMIND_OF_PROMISE, at, why, step_id=step_id, ordinal=ordinal, subject_id=promise.promise_id
    )


def part_kept(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """After a part-kept promise one call asks for the rest; nothing escalates before it was made."""
    judged = [p for p in facts.promises if p.status == "part_kept" and p.judged_at and p.judged_at >= facts.episode_at]
    if not judged:
        return None
    step_id = f"{acts.REST}-{judged[-1].promise_id}"
    if facts.records(step_id):
        return None
    at = in_send_window(facts, strategy, facts.now)
    why = "a promise was kept in part: call once for the rest"
    return acts.decide(facts, Action.OPEN_CALL_TASK, at, why, step_id=step_id, ordinal=facts.next_ordinal(step_id))
