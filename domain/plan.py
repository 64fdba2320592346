"""What to do next about a loan. `plan` is a pure function of the facts; its decision is recorded, never recomputed."""

from datetime import date, datetime, timedelta

from domain.clock import business_date, start_of
from domain.decision import Action, Decision
from domain.facts import TRIED, CaseFacts, Effect, Plan, Promise, TaskFact
from domain.holds import Hold, Scope, scopes_held
from domain.ladder import REACHES_PEOPLE, RETRY_FAILED_AFTER, collection_days, current_stage, in_send_window, next_step
from domain.strategy import Strategy

# Steps that belong to every strategy; their ids are kept for them.
THANKS = "house-thanks"
NOTICE = "house-bounce-notice"
REMEDY = "house-remedy"
REVIEW = "house-manual-review"
REMINDER = "house-promise-reminder"

COUNSEL = frozenset({"withdraw_letter", "withdraw_suit"})
OUTLASTS_CURE = COUNSEL | {"remedy"}
LASTING = OUTLASTS_CURE | {"manual_review"}  # handed out until somebody answers, however often a deadline is missed
OPENS = {
    "sms": Action.SEND_SMS,
    "letter": Action.SEND_DEMAND_LETTER,
    "task.call": Action.OPEN_CALL_TASK,
    "task.visit": Action.BOOK_VISIT,
    "task.pre_legal_review": Action.OPEN_PRE_LEGAL_REVIEW,
    "task.file_suit": Action.OPEN_FILING_TASK,
}
UNDOES = {"task": Action.WITHDRAW_TASK, "letter": Action.WITHDRAW_LETTER, "suit": Action.WITHDRAW_SUIT}


def plan(facts: CaseFacts, strategy: Strategy) -> Decision:
    """The next decision of a case.

    The order of the questions is the policy: is it being closed, is it cured, did it relapse, is it too old, is there an agreement,
    is it held, is somebody working on it, what does the strategy say. No wait ends in the past.
    """
    facts = facts.model_copy(update={"stage": _ladder_stage(facts, strategy)})
    decision = (
        _closing(facts)
        or _cured(facts, strategy)
        or _relapsed(facts)
        or _remedied_first(facts)
        or _agreed_plan(facts, strategy)
        or _promised(facts, strategy)
        or _improved(facts, strategy)
        or _held(facts)
        or _being_worked_on(facts)
        or _noticed(facts, strategy)
        or _too_old(facts, strategy)
        or _ladder(facts, strategy)
    )
    decision = _wake_for_lasting_work(facts, _wake_for_what_is_known(facts, decision))
    return _not_before(decision, facts.now)


def _decide(
    facts: CaseFacts,
    action: Action,
    at: datetime | None,
    why: str,
    *,
    stage: str | None = None,
    step_id: str | None = None,
    ordinal: int = 1,
    effect_id: int | None = None,
    subject_id: str | None = None,
) -> Decision:
    return Decision(
        action=action,
        at=at,
        why=why,
        stage=stage or facts.stage,
        step_id=step_id,
        ordinal=ordinal,
        effect_id=effect_id,
        subject_id=subject_id,
    )


def _not_before(decision: Decision, now: datetime) -> Decision:
    if decision.at is not None and decision.at < now:
        return decision.model_copy(update={"at": now})
    return decision


def _wake_for_what_is_known(facts: CaseFacts, decision: Decision) -> Decision:
    """An entry that counts from a later day, or a hold that begins later, wakes the case then."""
    known = [(h.since, f"a hold begins on {_day(facts, h.since)}") for h in facts.holds if _begins_later(h, facts.now)]
    if facts.next_value_date is not None:
        on = facts.next_value_date
        known.append((start_of(on, facts.lender_zone), f"an entry counts from {on}"))
    if not known:
        return decision
    wakes, what = min(known)
    if decision.at is not None and decision.at <= wakes:
        return decision
    return Decision(action=Action.RECONSIDER, at=wakes, why=f"{what}; until then: {decision.why}", stage=decision.stage)


def _begins_later(hold: Hold, now: datetime) -> bool:
    return hold.since > now and (hold.end is None or hold.end > hold.since)


def _wake_for_lasting_work(facts: CaseFacts, decision: Decision) -> Decision:
    """Work that lasts keeps its deadline whatever else the case waits for: counsel's withdrawals, reviews, remedies."""
    task = _open_task(facts, LASTING)
    if task is None or (decision.at is not None and decision.at <= task.deadline):
        return decision
    return _missed_at_deadline(facts, task, decision.stage)


# --- ends ---


def _closing(facts: CaseFacts) -> Decision | None:
    """Somebody closes the case: undo first, wait for counsel to have undone, then close."""
    if facts.closing is None:
        return None
    stage = "closing"
    undo = _undo_next(facts, "the case is being closed", stage)
    if undo:
        return undo
    task = _open_task(facts, COUNSEL)
    if task:
        return _missed_at_deadline(facts, task, stage)
    return _decide(facts, Action.CLOSE_CASE, facts.now, f"closed: {facts.closing}", stage=stage)


def _cured(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """Nothing is past due: undo what touched the world, thank once, watch for the probation, close."""
    if not facts.position.cured:
        return None
    undo = _undo_next(facts, "the arrears are paid", "probation")
    if undo:
        return undo
    if (
        strategy.thanks
        and not facts.records(THANKS)
        and _was_contacted(facts, strategy)
        and _held_free(facts, Scope.CONTACT)
    ):
        at = in_send_window(facts, strategy, facts.now)
        ordinal = facts.next_ordinal(THANKS)
        return _decide(
            facts,
            Action.THANK_BORROWER,
            at,
            "the arrears are paid: thank once",
            stage="probation",
            step_id=THANKS,
            ordinal=ordinal,
        )
    return _probation(facts, strategy)


def _was_contacted(facts: CaseFacts, strategy: Strategy) -> bool:
    """Whether this chase reached out at all: nobody is thanked for an answer to nothing."""
    reaching = {step.id for stage in strategy.stages for step in stage.steps if step.do in REACHES_PEOPLE | {"letter"}}
    return any(
        r.step_id in reaching and r.state in {"done", "attempted"} for r in facts.steps if r.episode == facts.episode
    )


def _probation(facts: CaseFacts, strategy: Strategy) -> Decision:
    cured_at = facts.cured_at or facts.now
    ends = cured_at + timedelta(days=strategy.probation.days)
    task = _open_task(facts, OUTLASTS_CURE)
    due = facts.position.oldest_due_on or facts.position.next_due_on  # what is due today is not past due yet
    late = start_of(due + timedelta(days=1), facts.lender_zone) if due else None
    if late is not None and (late <= ends or task is not None):
        why = f"in probation until {_day(facts, ends)}; the instalment of {due} is checked the day after it"
        return _decide(facts, Action.RECONSIDER, late, why, stage="probation")
    if task is not None:
        return _missed_at_deadline(facts, task, "probation")
    paid = "only late fees and costs are open" if facts.position.fee_arrears > 0 else "the arrears are paid"
    return _decide(facts, Action.CLOSE_CASE, ends, f"{paid}; in probation until {_day(facts, ends)}", stage="probation")


def _undo_next(facts: CaseFacts, because: str, stage: str) -> Decision | None:
    """The latest open effect is undone first; a remedy of the lender's own error is left to finish."""
    for effect in sorted(facts.effects, key=lambda e: e.effect_id, reverse=True):
        if effect.state == "open" and not _lasts(facts, effect):
            return _undo(facts, effect, because, stage)
    return None


def _undo(facts: CaseFacts, effect: Effect, because: str, stage: str | None = None) -> Decision:
    why = f"{because}: withdraw {effect.step_id}"
    action = UNDOES[effect.kind]
    return _decide(
        facts,
        action,
        facts.now,
        why,
        stage=stage,
        effect_id=effect.effect_id,
        step_id=effect.step_id,
        ordinal=effect.ordinal,
    )


def _lasts(facts: CaseFacts, effect: Effect) -> bool:
    return any(t.task_id == effect.task_id and t.kind == "remedy" for t in facts.tasks)


# --- returns ---


def _relapsed(facts: CaseFacts) -> Decision | None:
    """Cured before and past due again: a new episode of the same case."""
    if facts.cured_at is None:
        return None
    why = f"{facts.position.days_past_due} days past due again after a cure"
    return _decide(facts, Action.BEGIN_EPISODE, facts.now, why, subject_id=str(facts.episode + 1))


def _remedied_first(facts: CaseFacts) -> Decision | None:
    """A payment that the lender had posted by mistake is the lender's to put right: no contact, a remedy task."""
    if facts.relapse != "misposted":
        return None
    if not any(r.episode == facts.episode for r in facts.records(REMEDY)):
        return _decide(
            facts,
            Action.OPEN_REMEDY_TASK,
            facts.now,
            "a payment was misposted: put it right first",
            step_id=REMEDY,
            ordinal=facts.next_ordinal(REMEDY),
        )
    task = _open_task(facts, frozenset({"remedy"}))
    return _missed_at_deadline(facts, task) if task else None


def _noticed(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """A returned payment is told once, before anything else is done."""
    if facts.relapse != "bounce" or strategy.bounce.notice is None:
        return None
    if any(r.episode == facts.episode for r in facts.records(NOTICE)):
        return None
    at = in_send_window(facts, strategy, facts.now)
    why, ordinal = "a payment was returned: say so once", facts.next_ordinal(NOTICE)
    return _decide(facts, Action.SEND_BOUNCE_NOTICE, at, why, step_id=NOTICE, ordinal=ordinal)


# --- agreements ---


def _agreed_plan(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """A plan in force stops everything; each of its dates is judged by the ledger."""
    agreed = facts.plan()
    if agreed is None:
        return None
    undo = _undo_next(facts, "an instalment plan is agreed", "plan")
    if undo:
        return undo
    due = _next_checkpoint(agreed, strategy)
    at = start_of(due + timedelta(days=strategy.plan.grace_days + 1), facts.lender_zone)
    why = f"a plan is in force; the payment of {due} is judged after {strategy.plan.grace_days} days of grace"
    return _decide(facts, Action.JUDGE_PLAN, at, why, stage="plan", subject_id=agreed.plan_id)


def _next_checkpoint(agreed: Plan, strategy: Strategy) -> date:
    """The first agreed date that is not yet covered by what was paid."""
    owed = type(agreed.paid)(0)
    for instalment in agreed.instalments:
        owed += instalment.amount
        if agreed.paid < owed * strategy.plan.kept_at:
            return instalment.due_on
    return agreed.instalments[-1].due_on


def _promised(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """An active promise stops the chase until its day and grace are over; one reminder goes out the day before."""
    promise = facts.promise()
    if promise is None:
        return None
    undo = _undo_next_but_legal(facts, "a promise to pay was made")
    if undo:
        return undo
    reminder = _reminder(facts, strategy, promise)
    if reminder:
        return reminder
    ends = start_of(promise.due_on + timedelta(days=strategy.promise.grace_days + 1), facts.lender_zone)
    why = f"a promise for {promise.due_on} is open; judged after {strategy.promise.grace_days} days of grace"
    return _decide(facts, Action.JUDGE_PROMISE, ends, why, subject_id=promise.promise_id)


def _reminder(facts: CaseFacts, strategy: Strategy, promise: Promise) -> Decision | None:
    step_id = f"{REMINDER}-{promise.promise_id}"
    day_before = start_of(promise.due_on - timedelta(days=1), facts.lender_zone)
    if not strategy.promise.reminder or facts.records(step_id) or not _held_free(facts, Scope.CONTACT):
        return None
    at = in_send_window(facts, strategy, max(day_before, facts.now))
    if at >= start_of(promise.due_on, facts.lender_zone) or promise.captured_at >= day_before:
        return None
    why = f"a promise for {promise.due_on} is open; remind the day before"
    ordinal = facts.next_ordinal(step_id)
    return _decide(
        facts, Action.REMIND_OF_PROMISE, at, why, step_id=step_id, ordinal=ordinal, subject_id=promise.promise_id
    )


def _undo_next_but_legal(facts: CaseFacts, because: str) -> Decision | None:
    for effect in sorted(facts.effects, key=lambda e: e.effect_id, reverse=True):
        kind = next((t.kind for t in facts.tasks if t.task_id == effect.task_id), None)
        if effect.state == "open" and effect.kind == "task" and kind in {"call", "visit", None}:
            return _undo(facts, effect, because)
    return None


# --- what stands in the way ---


def _improved(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """After a part payment, work that belongs to a later stage than the one now due is taken back; it is done again when due."""
    days = collection_days(facts)
    for effect in sorted(facts.effects, key=lambda e: e.effect_id, reverse=True):
        stage = strategy.stage_of(effect.step_id)
        recomputed = stage is not None and stage.on_improvement == "recompute" and stage.from_dpd > days
        if effect.state == "open" and effect.kind == "task" and recomputed and facts.position.paid > 0:
            return _undo(facts, effect, f"a part payment left {days} days past due")
    return None


def _held(facts: CaseFacts) -> Decision | None:
    """A hold on contact or escalation: take back what is being done, then wait for its end."""
    held = scopes_held(facts.holds, facts.now)
    if not held & {Scope.CONTACT, Scope.ESCALATION}:
        return None
    undo = _undo_next_but_legal(facts, "the case is held")
    if undo:
        return undo
    ends = [h.end for h in facts.holds if h.active(facts.now) and h.scopes & {Scope.CONTACT, Scope.ESCALATION}]
    known = [e for e in ends if e is not None]
    if Scope.LEGAL not in held:
        task = _open_task(facts, frozenset({"pre_legal_review", "file_suit"}))
        if task:
            return _missed_at_deadline(facts, task)
    until = min(known) if known else None
    return _decide(facts, Action.RECONSIDER, until, f"held: {', '.join(sorted(held))} stopped")


def _held_free(facts: CaseFacts, scope: Scope) -> bool:
    return scope not in scopes_held(facts.holds, facts.now)


def _being_worked_on(facts: CaseFacts) -> Decision | None:
    """Somebody has a task: wait for the answer until its deadline."""
    task = _open_task(facts, None)
    return _missed_at_deadline(facts, task) if task else None


def _open_task(facts: CaseFacts, kinds: frozenset[str] | None) -> TaskFact | None:
    found = [t for t in facts.tasks if (t.kind in kinds if kinds is not None else t.kind not in COUNSEL)]
    return min(found, key=lambda t: (t.deadline, t.task_id), default=None)


def _missed_at_deadline(facts: CaseFacts, task: TaskFact, stage: str | None = None) -> Decision:
    waits_for = "a second pair of eyes" if task.status == "answered" else "an answer"
    why = f"{task.kind} task {task.task_id} waits for {waits_for} until {_day(facts, task.deadline)}"
    return _decide(
        facts,
        Action.MISS_DEADLINE,
        task.deadline,
        why,
        stage=stage,
        subject_id=task.task_id,
        step_id=task.step_id,
        ordinal=task.ordinal,
    )


def _too_old(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """Older than the policy's limit: no automatic step, a person looks at it."""
    if facts.position.days_past_due <= strategy.review_after_days:
        return None
    return _reviewed(facts, f"{facts.position.days_past_due} days past due is more than {strategy.review_after_days}")


def _reviewed(facts: CaseFacts, because: str) -> Decision:
    tried = facts.records(REVIEW)
    if tried and tried[-1].state not in TRIED:
        return _decide(facts, Action.RECONSIDER, None, f"{because}; reviewed, waiting for instructions", stage="review")
    ordinal = facts.next_ordinal(REVIEW)
    at = (tried[-1].ended_at or tried[-1].began_at) + RETRY_FAILED_AFTER if tried else facts.now
    return _decide(facts, Action.OPEN_MANUAL_REVIEW, at, because, stage="review", step_id=REVIEW, ordinal=ordinal)


# --- the strategy's ladder ---


def _ladder_stage(facts: CaseFacts, strategy: Strategy) -> str:
    """The stage being worked on, else the last one that was; `waiting` before the first."""
    current = current_stage(facts, strategy)
    if current is not None:
        return current.name
    begun = [s.name for s in strategy.stages if any(facts.records(step.id) for step in s.steps)]
    return begun[-1] if begun else "waiting"


def _ladder(facts: CaseFacts, strategy: Strategy) -> Decision:
    if facts.rejected:
        return _reviewed(facts, "the pre-legal review was rejected")
    coming = next_step(facts, strategy)
    if coming is None:
        return _reviewed(facts, "every step of the strategy is finished")
    if coming.step.do in {"letter", "task.pre_legal_review", "task.file_suit"} and not _held_free(facts, Scope.LEGAL):
        ends = [h.end for h in facts.holds if h.active(facts.now) and Scope.LEGAL in h.scopes and h.end is not None]
        return _decide(facts, Action.RECONSIDER, min(ends, default=None), "legal steps are held")
    ordinal = facts.next_ordinal(coming.step.id)
    why = f"{facts.position.days_past_due} days past due: {coming.step.id} of stage {coming.stage.name} is next"
    action = OPENS[coming.step.do]
    return _decide(facts, action, coming.at, why, step_id=coming.step.id, ordinal=ordinal)


def _day(facts: CaseFacts, at: datetime) -> str:
    return business_date(at, facts.lender_zone).isoformat()
