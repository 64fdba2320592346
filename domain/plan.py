"""What to do next about a loan. `plan` is a pure function of the facts; its decision is recorded, never recomputed."""

from datetime import datetime, timedelta

from domain import acts
from domain.agreed import agreed_plan, part_kept, promised
from domain.clock import start_of
from domain.decision import Action, Decision
from domain.facts import TRIED, CaseFacts
from domain.holds import Hold, Scope, holds_on_case, scopes_held
from domain.ladder import REACHES_PEOPLE, RETRY_FAILED_AFTER, collection_days, current_stage, in_send_window, next_step
from domain.strategy import Strategy


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
        or agreed_plan(facts, strategy)
        or promised(facts, strategy)
        or _improved(facts, strategy)
        or _asked(facts)
        or _held(facts)
        or _left_alone(facts)
        or _being_worked_on(facts)
        or _noticed(facts, strategy)
        or part_kept(facts, strategy)
        or _too_old(facts, strategy)
        or _ladder(facts, strategy)
    )
    decision = _wake_for_lasting_work(facts, _wake_for_what_is_known(facts, decision))
    return _not_before(decision, facts.now)


def _not_before(decision: Decision, now: datetime) -> Decision:
    if decision.at is not None and decision.at < now:
        return decision.model_copy(update={"at": now})
    return decision


def _wake_for_what_is_known(facts: CaseFacts, decision: Decision) -> Decision:
    """An entry that counts from a later day, or a hold that begins later, wakes the case then."""
    known = [
        (h.since, f"a hold begins on {acts.day(facts, h.since)}") for h in facts.holds if _begins_later(h, facts.now)
    ]
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
    return hold.subject_kind != "contact_point" and hold.since > now and (hold.end is None or hold.end > hold.since)


def _wake_for_lasting_work(facts: CaseFacts, decision: Decision) -> Decision:
    """Work that lasts keeps its deadline whatever else the case waits for: counsel's withdrawals, reviews, remedies."""
    task = acts.open_task(facts, acts.LASTING)
    if task is None or (decision.at is not None and decision.at <= task.deadline):
        return decision
    return acts.wait_for_answer(facts, task, decision.stage)


# --- ends ---


def _closing(facts: CaseFacts) -> Decision | None:
    """Somebody closes the case: undo first, wait for counsel to have undone, then close."""
    if facts.closing is None:
        return None
    stage = "closing"
    undo = acts.undo_next(facts, "the case is being closed", stage)
    if undo:
        return undo
    task = acts.open_task(facts, acts.COUNSEL)
    if task:
        return acts.wait_for_answer(facts, task, stage)
    return acts.decide(facts, Action.CLOSE_CASE, facts.now, f"closed: {facts.closing}", stage=stage)


def _cured(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """Nothing is past due: undo what touched the world, thank once, watch for the probation, close."""
    if not facts.position.cured:
        return None
    undo = acts.undo_next(facts, "the arrears are paid", "probation")
    if undo:
        return undo
    if (
        strategy.thanks
        and not facts.records(acts.THANKS)
        and _was_contacted(facts, strategy)
        and acts.free_of(facts, Scope.CONTACT)
    ):
        at = in_send_window(facts, strategy, facts.now)
        ordinal = facts.next_ordinal(acts.THANKS)
        return acts.decide(
            facts,
            Action.THANK_BORROWER,
            at,
            "the arrears are paid: thank once",
            stage="probation",
            step_id=acts.THANKS,
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
    task = acts.open_task(facts, acts.OUTLASTS_CURE)
    due = facts.position.oldest_due_on or facts.position.next_due_on  # what is due today is not past due yet
    late = start_of(due + timedelta(days=1), facts.lender_zone) if due else None
    if late is not None and (late <= ends or task is not None):
        why = f"in probation until {acts.day(facts, ends)}; the instalment of {due} is checked the day after it"
        return acts.decide(facts, Action.RECONSIDER, late, why, stage="probation")
    if task is not None:
        return acts.wait_for_answer(facts, task, "probation")
    paid = "only late fees and costs are open" if facts.position.fee_arrears > 0 else "the arrears are paid"
    return acts.decide(
        facts, Action.CLOSE_CASE, ends, f"{paid}; in probation until {acts.day(facts, ends)}", stage="probation"
    )


# --- returns ---


def _relapsed(facts: CaseFacts) -> Decision | None:
    """Cured before and past due again: a new episode of the same case."""
    if facts.cured_at is None:
        return None
    why = f"{facts.position.days_past_due} days past due again after a cure"
    return acts.decide(facts, Action.BEGIN_EPISODE, facts.now, why, subject_id=str(facts.episode + 1))


def _remedied_first(facts: CaseFacts) -> Decision | None:
    """A payment that the lender had posted by mistake is the lender's to put right: no contact, a remedy task."""
    if facts.relapse != "misposted":
        return None
    if not any(r.episode == facts.episode for r in facts.records(acts.REMEDY)):
        return acts.decide(
            facts,
            Action.OPEN_REMEDY_TASK,
            facts.now,
            "a payment was misposted: put it right first",
            step_id=acts.REMEDY,
            ordinal=facts.next_ordinal(acts.REMEDY),
        )
    task = acts.open_task(facts, frozenset({"remedy"}))
    return acts.wait_for_answer(facts, task) if task else None


def _noticed(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """A returned payment is told once, before anything else is done."""
    if facts.relapse != "bounce" or strategy.bounce.notice is None:
        return None
    if any(r.episode == facts.episode for r in facts.records(acts.NOTICE)):
        return None
    at = in_send_window(facts, strategy, facts.now)
    why, ordinal = "a payment was returned: say so once", facts.next_ordinal(acts.NOTICE)
    return acts.decide(facts, Action.SEND_BOUNCE_NOTICE, at, why, step_id=acts.NOTICE, ordinal=ordinal)


# --- what stands in the way ---


def _improved(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """After a part payment, work that belongs to a later stage than the one now due is taken back; it is done again when due."""
    days = collection_days(facts)
    for effect in sorted(facts.effects, key=lambda e: e.effect_id, reverse=True):
        stage = strategy.stage_of(effect.step_id)
        recomputed = stage is not None and stage.on_improvement == "recompute" and stage.from_dpd > days
        if effect.state == "open" and effect.kind == "task" and recomputed and facts.position.paid > 0:
            return acts.undo(facts, effect, f"a part payment left {days} days past due")
    return None


def _asked(facts: CaseFacts) -> Decision | None:
    """What the borrower asked for or said is seen to by a person, before anything else is done."""
    for request in facts.requests:
        if request.kind == "callback" and not acts.free_of(facts, Scope.CONTACT):
            continue
        step, action = (
            (acts.CALLBACK, Action.OPEN_CALLBACK_TASK)
            if request.kind == "callback"
            else (acts.ANSWER, Action.OPEN_ANSWER_TASK)
        )
        return acts.decide(
            facts,
            action,
            facts.now,
            f"the borrower said: {request.kind.replace('_', ' ')}",
            step_id=step,
            ordinal=facts.next_ordinal(step),
            subject_id=request.request_id,
        )
    return None


def _held(facts: CaseFacts) -> Decision | None:
    """A hold on contact or escalation: take back what is being done, then wait for its end."""
    holding = [h for h in holds_on_case(facts.holds, facts.now) if not h.leaves_alone]
    held = scopes_held(holding, facts.now)
    if not held & {Scope.CONTACT, Scope.ESCALATION}:
        return None
    undo = acts.take_back_chase(facts, "the case is held")
    if undo:
        return undo
    ends = [h.end for h in holding if h.scopes & {Scope.CONTACT, Scope.ESCALATION}]
    known = [e for e in ends if e is not None]
    if Scope.LEGAL not in held:
        task = acts.open_task(facts, frozenset({"pre_legal_review", "file_suit"}))
        if task:
            return acts.wait_for_answer(facts, task)
    until = min(known) if known else None
    return acts.decide(facts, Action.RECONSIDER, until, f"held: {', '.join(sorted(held))} stopped")


def _left_alone(facts: CaseFacts) -> Decision | None:
    """Who said for good that nobody may contact them is not called or visited any more; what the law allows without contact goes on."""
    if not any(h.leaves_alone for h in holds_on_case(facts.holds, facts.now)):
        return None
    return acts.take_back_chase(facts, "the borrower is left alone")


def _being_worked_on(facts: CaseFacts) -> Decision | None:
    """Somebody has a task: wait for the answer until its deadline."""
    task = acts.open_task(facts, None)
    return acts.wait_for_answer(facts, task) if task else None


def _too_old(facts: CaseFacts, strategy: Strategy) -> Decision | None:
    """Older than the policy's limit: no automatic step, a person looks at it."""
    if facts.position.days_past_due <= strategy.review_after_days:
        return None
    return _reviewed(facts, f"{facts.position.days_past_due} days past due is more than {strategy.review_after_days}")


def _reviewed(facts: CaseFacts, because: str) -> Decision:
    tried = facts.records(acts.REVIEW)
    if tried and tried[-1].state not in TRIED:
        return acts.decide(
            facts, Action.RECONSIDER, None, f"{because}; reviewed, waiting for instructions", stage="review"
        )
    ordinal = facts.next_ordinal(acts.REVIEW)
    at = (tried[-1].ended_at or tried[-1].began_at) + RETRY_FAILED_AFTER if tried else facts.now
    return acts.decide(
        facts, Action.OPEN_MANUAL_REVIEW, at, because, stage="review", step_id=acts.REVIEW, ordinal=ordinal
    )


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
        refused = acts.forbidden_steps(facts)
        return _reviewed(facts, f"every step of the strategy is finished{refused and ', but '}{refused}")
    if coming.step.do in {"letter", "task.pre_legal_review", "task.file_suit"} and not acts.free_of(facts, Scope.LEGAL):
        holding = holds_on_case(facts.holds, facts.now)
        ends = [h.end for h in holding if Scope.LEGAL in h.scopes and h.end is not None]
        return acts.decide(facts, Action.RECONSIDER, min(ends, default=None), "legal steps are held")
    ordinal = facts.next_ordinal(coming.step.id)
    why = f"{facts.position.days_past_due} days past due: {coming.step.id} of stage {coming.stage.name} is next"
    action = acts.OPENS[coming.step.do]
    return acts.decide(facts, action, coming.at, why, step_id=coming.step.id, ordinal=ordinal)
