"""Which stage a case is in, which step comes next, and when: worked out from facts each time, never counted."""

from datetime import datetime, timedelta
from typing import NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

from domain.calendars import Span
from domain.clock import business_date, start_of
from domain.facts import FINISHED, TRIED, CaseFacts, StepRecord
from domain.holds import Pause, Scope, pauses, resumed
from domain.strategy import Stage, Step, Strategy

REACHES_PEOPLE = frozenset({"sms", "voice", "task.call", "task.visit"})
FAILURES_BORNE = 3  # a step that fails for good this often counts as impossible
RETRY_FAILED_AFTER = timedelta(hours=1)
POSTPONED_FOR, LONGEST_POSTPONED = (
    timedelta(minutes=15),
    timedelta(days=1),
)  # a carrier that is away is asked ever less often
ANSWERED_ONLY = frozenset({"task.pre_legal_review", "task.file_suit"})  # nobody's silence stands for a yes


class NextStep(NamedTuple):
    """A step and the business time it is due; None while an open-ended pause keeps the time from being known."""

    stage: Stage
    step: Step
    at: datetime | None


def paused(facts: CaseFacts) -> list[Pause]:
    """Everything that stops stage time: holds on escalation, promises and plans while they ran."""
    ran = [Pause(p.captured_at, None if p.status == "active" else p.judged_at or p.captured_at) for p in facts.promises]
    ran += [Pause(p.agreed_at, None if p.status == "active" else p.judged_at or p.agreed_at) for p in facts.plans]
    return pauses(facts.holds, Scope.ESCALATION) + [p for p in ran if p.until is None or p.until > p.since]


def collection_days(facts: CaseFacts) -> int:
    """Days past due less the time that was paused: what drives the stages. Days are the lender's, of 23 to 25 hours."""
    oldest = facts.position.oldest_due_on
    if oldest is None:
        return 0
    held = _covered(paused(facts), start_of(oldest, facts.lender_zone), facts.now)
    return max(0, (business_date(facts.now - held, facts.lender_zone) - oldest).days)


def _covered(stops: list[Pause], start: datetime, end: datetime) -> timedelta:
    total, reached = timedelta(0), start
    for pause in sorted(stops, key=lambda p: p.since):
        begins, ends = max(pause.since, reached), min(pause.until or end, end)
        if ends > begins:
            total += ends - begins
            reached = ends
    return total


def step_finished(facts: CaseFacts, step: Step) -> bool:
    """Whether a step needs nothing more: done, impossible, forbidden, waived, or tried as often as it may be."""
    records = facts.records(step.id)
    if any(r.state in FINISHED for r in records):
        return True
    if step.approval is not None or step.do in ANSWERED_ONLY:
        return False
    failed = sum(r.state == "failed" for r in records)
    tried = sum(r.state in TRIED for r in records) - failed
    return failed >= FAILURES_BORNE or tried >= step.attempts


def stage_finished(facts: CaseFacts, stage: Stage) -> bool:
    """Whether every step of a stage is finished in this episode."""
    return all(step_finished(facts, step) for step in stage.steps)


def _entered(facts: CaseFacts, stage: Stage) -> bool:
    return any(facts.records(step.id) for step in stage.steps)


def current_stage(facts: CaseFacts, strategy: Strategy) -> Stage | None:
    """The stage whose steps are to be worked on now; None before the first, or when all that was reached is finished.

    A stage that was begun is finished before a later one begins, so no configured step is skipped; a stage that holds is left only
    by a cure, a settlement or a plan. A stage reached out of turn gives way to the first one it requires.
    """
    days = collection_days(facts)
    for stage in strategy.stages:
        if stage.on_improvement == "hold" and _entered(facts, stage) and not stage_finished(facts, stage):
            return stage
    reached = [s for s in strategy.stages if 0 < s.from_dpd <= days]
    for stage in reached:
        if _entered(facts, stage) and not stage_finished(facts, stage):
            return stage
    if not reached or stage_finished(facts, reached[-1]):
        return None
    return _first_required(facts, strategy, reached[-1])


def _first_required(facts: CaseFacts, strategy: Strategy, stage: Stage) -> Stage:
    for name in stage.requires:
        required = strategy.stage(name)
        if required is not None and not stage_finished(facts, required):
            return _first_required(facts, strategy, required)
    return stage


def next_step(facts: CaseFacts, strategy: Strategy) -> NextStep | None:
    """The next step of the ladder and when it is due, whether in this stage or in one that time will bring."""
    stage = current_stage(facts, strategy)
    if stage is None:
        days = collection_days(facts)
        stage = next((s for s in strategy.stages if s.from_dpd > max(days, 0) and not stage_finished(facts, s)), None)
        if stage is None:
            return None
        stage = _first_required(facts, strategy, stage)
    step = next(s for s in stage.steps if not step_finished(facts, s))
    return NextStep(stage, step, _due(facts, strategy, stage, step))


def _due(facts: CaseFacts, strategy: Strategy, stage: Stage, step: Step) -> datetime | None:
    """When a step is due: so much stage time after its stage began, and after what came before it."""
    began = _began(facts, strategy, stage)
    if began is None:
        return None
    if step.working_day is not None:
        span = Span(count=step.working_day, unit="working day")
    else:
        span = Span(count=step.day, unit="day")
    length = span.after(began, strategy.calendar, facts.lender_zone) - began
    at = resumed(began, length, paused(facts))
    if at is None:
        return None
    waits = _after_what_came_before(facts, strategy, stage, step)
    if None in waits:
        return None
    at = max([at, *(w for w in waits if w is not None)])
    return in_send_window(facts, strategy, at) if step.do in REACHES_PEOPLE else max(at, facts.now)


def _began(facts: CaseFacts, strategy: Strategy, stage: Stage) -> datetime | None:
    """When a stage began or will begin: its day past due is reached, and what other stages did before it is over."""
    oldest = facts.position.oldest_due_on
    if oldest is None:
        return None
    start = start_of(oldest, facts.lender_zone)
    length = start_of(oldest + timedelta(days=stage.from_dpd), facts.lender_zone) - start
    reached = resumed(start, length, paused(facts))
    if reached is None:
        return None
    first = min((r.began_at for step in stage.steps for r in facts.records(step.id)), default=None)
    if stage.on_improvement == "hold":  # what a part payment does to the days past due moves nothing here
        reached = min([reached, *(r.began_at for step in stage.steps for r in facts.records(step.id))])
    others = [
        r.ended_at
        for other in strategy.stages
        if other is not stage
        for step in other.steps
        for r in facts.records(step.id)
        if r.ended_at and (first is None or r.ended_at <= first)
    ]
    wait = timedelta(days=strategy.bounce.wait_days) if facts.relapse == "bounce" else timedelta(0)
    return max([reached, facts.episode_at + wait, *others])


def _after_what_came_before(facts: CaseFacts, strategy: Strategy, stage: Stage, step: Step) -> list[datetime | None]:
    """The waits that earlier attempts at this step, and the steps before it, ask for; a pause makes the latter longer."""
    waits: list[datetime | None] = []
    for other in stage.steps:
        ended = [r for r in facts.records(other.id) if r.ended_at is not None]
        if other.id == step.id:
            waits += [_retry_at(facts, strategy, step, ended)] if ended else []
            break
        if ended and other.then_wait is not None:
            end = _end(ended[-1])
            length = other.then_wait.after(end, strategy.calendar, facts.lender_zone) - end
            waits.append(resumed(end, length, paused(facts)))
    return waits


def _retry_at(facts: CaseFacts, strategy: Strategy, step: Step, ended: list[StepRecord]) -> datetime:
    last = ended[-1]
    if last.state == "postponed":
        times = min(sum(r.state == "postponed" for r in ended) - 1, 10)
        return _end(last) + min(POSTPONED_FOR * (1 << times), LONGEST_POSTPONED)
    if last.state == "failed" and sum(r.state == "failed" for r in ended) < FAILURES_BORNE:
        return _end(last) + RETRY_FAILED_AFTER
    return step.every.after(_end(last), strategy.calendar, facts.lender_zone)


def _end(record: StepRecord) -> datetime:
    return record.ended_at or record.began_at


def in_send_window(facts: CaseFacts, strategy: Strategy, at: datetime) -> datetime:
    """The first moment from `at` on that lies in the borrower's send window, spread over it by the loan's own id."""
    at = max(at, facts.now)
    zone = ZoneInfo(facts.contact_zone)
    window = strategy.send_window
    local = at.astimezone(zone)
    opens, closes = (datetime.combine(local.date(), t, tzinfo=zone) for t in (window.start, window.end))
    spread = (closes - opens) * (crc32(str(facts.key).encode()) % 1024) / 1024
    if opens + spread > at:
        return (opens + spread).astimezone(at.tzinfo)
    if local < closes:
        return at
    tomorrow = datetime.combine(local.date() + timedelta(days=1), window.start, tzinfo=zone)
    return (tomorrow + spread).astimezone(at.tzinfo)
