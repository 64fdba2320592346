"""What decisions are made of: acts, undoing, waiting for people. The policy that chooses among them is in plan.py."""

from datetime import datetime

from domain.clock import business_date
from domain.decision import Action, Decision
from domain.facts import CaseFacts, Effect, TaskFact
from domain.holds import Scope, scopes_held

# Steps that belong to every strategy; their ids are kept for them.
THANKS = "house-thanks"
NOTICE = "house-bounce-notice"
REMEDY = "house-remedy"
REVIEW = "house-manual-review"
REMINDER = "house-promise-reminder"
REST = "house-promise-rest"
ANSWER = "house-answer"
CALLBACK = "house-callback"

TIME_BARRED = ("LIMITATION", "STATUTE_BARRED")  # how rules are named that ask when a debt becomes time-barred
COUNSEL = frozenset({"withdraw_letter", "withdraw_suit"})
OUTLASTS_CURE = COUNSEL | {"remedy"}
BESIDE = frozenset({"answer"})  # goes on beside whatever else the case does
LASTING = (
    OUTLASTS_CURE | BESIDE | {"manual_review"}
)  # handed out until somebody answers, however often a deadline is missed
OPENS = {
    "sms": Action.SEND_SMS,
    "voice": Action.PLACE_VOICE_CALL,
    "letter": Action.SEND_DEMAND_LETTER,
    "task.call": Action.OPEN_CALL_TASK,
    "task.visit": Action.BOOK_VISIT,
    "task.pre_legal_review": Action.OPEN_PRE_LEGAL_REVIEW,
    "task.file_suit": Action.OPEN_FILING_TASK,
}
UNDOES = {"task": Action.WITHDRAW_TASK, "letter": Action.WITHDRAW_LETTER, "suit": Action.WITHDRAW_SUIT}


def decide(
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
    """A decision about this case; its stage is the one being worked on unless another is named."""
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


def undo_next(facts: CaseFacts, because: str, stage: str) -> Decision | None:
    """The latest open effect is undone first; a remedy of the lender's own error is left to finish."""
    for effect in sorted(facts.effects, key=lambda e: e.effect_id, reverse=True):
        if effect.state == "open" and not _lasts(facts, effect):
            return undo(facts, effect, because, stage)
    return None


def undo(facts: CaseFacts, effect: Effect, because: str, stage: str | None = None) -> Decision:
    """Undo one effect, now."""
    why = f"{because}: withdraw {effect.step_id}"
    action = UNDOES[effect.kind]
    return decide(
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


def take_back_chase(facts: CaseFacts, because: str) -> Decision | None:
    """The latest open call or visit task, taken off somebody's list; legal work stays."""
    for effect in sorted(facts.effects, key=lambda e: e.effect_id, reverse=True):
        kind = next((t.kind for t in facts.tasks if t.task_id == effect.task_id), None)
        if effect.state == "open" and effect.kind == "task" and kind in {"call", "callback", "visit", None}:
            return undo(facts, effect, because)
    return None


def open_task(facts: CaseFacts, kinds: frozenset[str] | None) -> TaskFact | None:
    """The open task with the nearest deadline, of some kinds or of any that the case waits for."""
    found = [t for t in facts.tasks if (t.kind in kinds if kinds is not None else t.kind not in COUNSEL | BESIDE)]
    return min(found, key=lambda t: (t.deadline, t.task_id), default=None)


def wait_for_answer(facts: CaseFacts, task: TaskFact, stage: str | None = None) -> Decision:
    """Wait for the people who have a task, until its deadline."""
    waits_for = "a second pair of eyes" if task.status == "answered" else "an answer"
    why = f"{task.kind} task {task.task_id} waits for {waits_for} until {day(facts, task.deadline)}"
    if task.kind == "manual_review" and (refused := forbidden_steps(facts)):
        why = f"{refused}; {why}"
    return decide(
        facts,
        Action.MISS_DEADLINE,
        task.deadline,
        why,
        stage=stage,
        subject_id=task.task_id,
        step_id=task.step_id,
        ordinal=task.ordinal,
    )


def forbidden_steps(facts: CaseFacts) -> str:
    """Which steps the rules forbade, and what would let them; empty where none was."""
    forbidden = {
        s.step_id: s.result or "" for s in facts.steps if s.state == "forbidden" and s.episode >= facts.chain_from
    }
    if not forbidden:
        return ""
    said = "; ".join(f"{step} was forbidden by {rules}" for step, rules in sorted(forbidden.items()))
    unknown = any(rule in rules for rule in TIME_BARRED for rules in forbidden.values())
    return f"{said} (give the loan's limitation_on where the debt is not time-barred)" if unknown else said


def free_of(facts: CaseFacts, scope: Scope) -> bool:
    """Whether no active hold stops this."""
    return scope not in scopes_held(facts.holds, facts.now)


def day(facts: CaseFacts, at: datetime) -> str:
    """The lender's date of a moment."""
    return business_date(at, facts.lender_zone).isoformat()
