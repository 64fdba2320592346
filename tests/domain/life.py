"""An obvious, slow interpreter of one case: what the activities do, done to plain lists."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from domain.acts import LASTING
from domain.agreements import judge_plan, judge_promise
from domain.calendars import Span
from domain.clock import business_date
from domain.decision import Action, Decision
from domain.facts import CaseFacts, Effect, Plan, PlanInstalment, Promise, StepRecord, TaskFact
from domain.holds import REASONS, Hold
from domain.loan import Entry, EntryKind, Instalment, LoanKey
from domain.outcomes import Consequence, codes_of
from domain.plan import plan
from domain.position import future_dates, position
from domain.strategy import Step, Strategy

KINDS = {
    Action.OPEN_CALL_TASK: "call",
    Action.BOOK_VISIT: "visit",
    Action.OPEN_PRE_LEGAL_REVIEW: "pre_legal_review",
    Action.OPEN_FILING_TASK: "file_suit",
    Action.OPEN_MANUAL_REVIEW: "manual_review",
    Action.OPEN_REMEDY_TASK: "remedy",
}
TEXTS = {Action.SEND_SMS, Action.THANK_BORROWER, Action.SEND_BOUNCE_NOTICE, Action.REMIND_OF_PROMISE}
COLLECTS = {
    Action.SEND_SMS,
    Action.SEND_DEMAND_LETTER,
    Action.OPEN_CALL_TASK,
    Action.BOOK_VISIT,
    Action.OPEN_PRE_LEGAL_REVIEW,
    Action.OPEN_FILING_TASK,
}
LASTS = Span(count=5, unit="working day")


class Line(NamedTuple):
    """One turn of the loop: what the case knew and decided, and whether it was carried out then."""

    facts: CaseFacts
    decision: Decision
    done: bool


class Life:
    """One loan, from `now` on. `tell` schedules what the world does; `run` lives until the close, or until nothing is left to wait for."""

    def __init__(
        self,
        strategy: Strategy,
        instalments: list[Instalment],
        now: datetime,
        lender_zone: str = "Asia/Shanghai",
        contact_zone: str = "Asia/Shanghai",
    ) -> None:
        self.strategy, self.instalments, self.now = strategy, instalments, now
        self.lender_zone, self.contact_zone = lender_zone, contact_zone
        self.entries: list[Entry] = []
        self.steps: list[StepRecord] = []
        self.tasks: list[TaskFact] = []
        self.effects: list[Effect] = []
        self.holds: list[Hold] = []
        self.promises: list[tuple[Promise, int]] = []  # each with the number of entries when it was captured
        self.plans: list[tuple[Plan, int]] = []
        self.open, self.episode, self.chain_from, self.episode_at = True, 1, 1, now
        self.relapse: Any = None
        self.cured_at: datetime | None = None
        self.entries_at_cure = 0
        self.rejected = False
        self.closing: str | None = None
        self.events: list[tuple[datetime, Callable[[], None]]] = []
        self.log: list[Line] = []

    # --- facts ---

    @property
    def today(self) -> date:
        return business_date(self.now, self.lender_zone)

    def facts(self) -> CaseFacts:
        upcoming = future_dates(self.entries, self.today)
        return CaseFacts(
            key=LoanKey("default", "L1"),
            currency="CNY",
            now=self.now,
            lender_zone=self.lender_zone,
            contact_zone=self.contact_zone,
            position=position(self.instalments, self.entries, self.today),
            next_value_date=upcoming[0] if upcoming else None,
            open=self.open,
            episode=self.episode,
            chain_from=self.chain_from,
            episode_at=self.episode_at,
            relapse=self.relapse,
            cured_at=self.cured_at,
            closing=self.closing,
            rejected=self.rejected,
            steps=tuple(self.steps),
            tasks=tuple(self.tasks),
            effects=tuple(self.effects),
            holds=tuple(self.holds),
            promises=tuple(p.model_copy(update={"paid": self._paid_since(n)}) for p, n in self.promises),
            plans=tuple(p.model_copy(update={"paid": self._paid_since(n)}) for p, n in self.plans),
        )

    def _paid_since(self, number: int) -> Decimal:
        signs = {EntryKind.PAYMENT: 1, EntryKind.REVERSAL: -1}
        counted = [e for e in self.entries[number:] if e.value_date <= self.today]
        return sum((e.amount * signs.get(e.kind, 0) for e in counted), Decimal(0))

    def _note(self) -> None:
        """What follows from the facts, whoever looks first."""
        facts = self.facts()
        if facts.position.cured and self.cured_at is None:
            self.cured_at, self.entries_at_cure = self.now, len(self.entries)
        promise, agreed = facts.promise(), facts.plan()
        if promise and (verdict := judge_promise(promise, facts, self.strategy)):
            self._end_promise(verdict)
        if agreed and (judged := judge_plan(agreed, facts, self.strategy)):
            end = {"status": judged, "judged_at": self.now}
            self.plans = [(p.model_copy(update=end) if p.status == "active" else p, n) for p, n in self.plans]

    def _end_promise(self, status: str) -> None:
        end = {"status": status, "judged_at": self.now}
        self.promises = [(p.model_copy(update=end) if p.status == "active" else p, n) for p, n in self.promises]

    # --- the loop ---

    def tell(self, after: timedelta, event: Callable[[], None]) -> None:
        self.events = sorted([*self.events, (self.now + after, event)], key=lambda e: e[0])

    def run(self, most: int = 60, until: datetime | None = None) -> "Life":
        for _ in range(most):
            if not self.open or not self.turn(until):
                break
        return self

    def turn(self, until: datetime | None = None) -> bool:
        self._note()
        facts = self.facts()
        decision = plan(facts, self.strategy)
        due = decision.at is not None and decision.at <= self.now
        self.log.append(Line(facts, decision, due))
        if due:
            self.carry_out(decision)
            return True
        if self.events and (decision.at is None or self.events[0][0] <= decision.at):
            at, event = self.events.pop(0)
            self.now = max(self.now, at)
            event()
            return True
        if decision.at is None or (until is not None and decision.at > until):
            return False
        self.now = decision.at
        return True

    def next(self) -> Decision:
        """The decision that stands now."""
        self._note()
        return plan(self.facts(), self.strategy)

    def carry_out(self, decision: Decision) -> None:
        action = decision.action
        if action in TEXTS:
            self.record(decision.step_id, decision.ordinal, "done")
        elif action is Action.SEND_DEMAND_LETTER:
            self._effect("letter", decision.step_id, decision.ordinal)
            self.record(decision.step_id, decision.ordinal, "done")
        elif action in KINDS:
            self._hand_out(decision, KINDS[action])
        elif action is Action.MISS_DEADLINE:
            self._miss(next(t for t in self.tasks if t.task_id == decision.subject_id))
        elif action in {Action.WITHDRAW_TASK, Action.WITHDRAW_LETTER, Action.WITHDRAW_SUIT}:
            self._withdraw(next(e for e in self.effects if e.effect_id == decision.effect_id), action)
        elif action is Action.BEGIN_EPISODE:
            self._begin_episode()
        elif action is Action.CLOSE_CASE:
            self.open = False

    def _begin_episode(self) -> None:
        stood = {e.entry_id for e in self.entries[: self.entries_at_cure] if e.kind is EntryKind.PAYMENT}
        since = self.entries[self.entries_at_cure :]
        back = [e.reason for e in since if e.kind is EntryKind.REVERSAL and e.reverses in stood]
        self.relapse = "arrears" if not back else "misposted" if "misposted" in back else "bounce"
        self.episode += 1
        self.chain_from = self.episode if self.relapse == "arrears" else self.chain_from
        self.rejected = self.rejected and self.relapse != "arrears"
        self.episode_at, self.cured_at = self.now, None

    # --- steps, tasks, effects ---

    def record(self, step_id: str | None, ordinal: int, state: str, episode: int | None = None) -> None:
        assert step_id is not None
        episode = episode or self.episode
        same = [s for s in self.steps if (s.episode, s.step_id, s.ordinal) == (episode, step_id, ordinal)]
        began = same[0].began_at if same else self.now
        self.steps = [s for s in self.steps if s not in same]
        ended = None if state == "open" else self.now
        self.steps.append(
            StepRecord(step_id=step_id, episode=episode, ordinal=ordinal, state=state, began_at=began, ended_at=ended)
        )

    def _effect(self, kind: Any, step_id: str | None, ordinal: int, task_id: str | None = None) -> None:
        assert step_id is not None
        number = 1 + max((e.effect_id for e in self.effects), default=len(self.steps) * 10)
        self.effects.append(
            Effect(
                effect_id=number,
                kind=kind,
                step_id=step_id,
                episode=self.episode,
                ordinal=ordinal,
                state="open",
                task_id=task_id,
                opened_at=self.now,
            )
        )

    def step(self, step_id: str | None) -> Step | None:
        return next((s for stage in self.strategy.stages for s in stage.steps if s.id == step_id), None)

    def _hand_out(self, decision: Decision, kind: str) -> None:
        step = self.step(decision.step_id)
        self._open_task(kind, decision.step_id, decision.ordinal, step.deadline if step else LASTS)
        self._effect("task", decision.step_id, decision.ordinal, self.tasks[-1].task_id)
        self.record(decision.step_id, decision.ordinal, "open")

    def _open_task(self, kind: str, step_id: str | None, ordinal: int, deadline: Span) -> None:
        assert step_id is not None
        self.tasks.append(
            TaskFact(
                task_id=f"{self.episode}.{step_id}.{ordinal}",
                kind=kind,
                step_id=step_id,
                episode=self.episode,
                ordinal=ordinal,
                status="open",
                opened_at=self.now,
                deadline=deadline.after(self.now, self.strategy.calendar, self.lender_zone),
            )
        )

    def _miss(self, task: TaskFact) -> None:
        if task.kind in LASTING:
            later = LASTS.after(self.now, self.strategy.calendar, self.lender_zone)
            self.tasks = [t.model_copy(update={"deadline": later}) if t == task else t for t in self.tasks]
        else:
            self.end_task(task, "missed")

    def end_task(self, task: TaskFact, state: str) -> None:
        self.tasks.remove(task)
        self.effects = [e for e in self.effects if e.task_id != task.task_id]
        self.record(task.step_id, task.ordinal, state, task.episode)

    def _withdraw(self, effect: Effect, action: Action) -> None:
        self.record(effect.step_id, effect.ordinal, "withdrawn", effect.episode)
        if action is Action.WITHDRAW_TASK:
            self.tasks = [t for t in self.tasks if t.task_id != effect.task_id]
            self.effects.remove(effect)
            return
        step_id = f"{action.value.replace('_', '-')}-{effect.effect_id}"
        self._open_task(action.value, step_id, 1, LASTS)
        self.record(step_id, 1, "open")
        handed = {"state": "with_counsel", "task_id": self.tasks[-1].task_id}
        self.effects = [e.model_copy(update=handed) if e == effect else e for e in self.effects]

    # --- what the world does ---

    def pay(self, amount: Decimal | int, value_date: date | None = None) -> None:
        amount = Decimal(amount)
        if amount > 0:
            entry_id = f"e{len(self.entries):03}"
            self.entries.append(Entry(entry_id, EntryKind.PAYMENT, amount, value_date or self.today))

    def pay_in_full(self) -> None:
        self.pay(self.facts().position.outstanding)

    def pay_arrears(self) -> None:
        self.pay(self.facts().position.arrears)

    def charge(self, amount: int) -> None:
        self.entries.append(Entry(f"e{len(self.entries):03}", EntryKind.LATE_FEE, Decimal(amount), self.today))

    def bounce(self, reason: str | None = None) -> None:
        """The latest payment that still stands is returned."""
        gone = {e.reverses for e in self.entries}
        stands = [e for e in self.entries if e.kind is EntryKind.PAYMENT and e.entry_id not in gone]
        if stands:
            last, entry_id = stands[-1], f"e{len(self.entries):03}"
            self.entries.append(
                Entry(entry_id, EntryKind.REVERSAL, last.amount, last.value_date, last.entry_id, reason=reason)
            )

    def hold(self, reason: str, lasts: timedelta | None = None, since: datetime | None = None) -> None:
        since = since or self.now
        until = since + lasts if lasts is not None else None
        self.holds.append(
            Hold(
                hold_id=f"h{len(self.holds)}",
                subject_kind="loan",
                subject_id="L1",
                reason=reason,
                scopes=REASONS[reason],
                since=since,
                until=until,
            )
        )

    def release(self) -> None:
        """Every hold ends."""
        self.holds = [h.model_copy(update={"released_at": h.released_at or self.now}) for h in self.holds]

    def promise(self, amount: Decimal | int, days: int) -> None:
        if self.facts().position.arrears > 0 and amount > 0:
            self._end_promise("superseded")
            number = f"p{len(self.promises)}"
            due = self.today + timedelta(days=days)
            promise = Promise(
                promise_id=number, amount=Decimal(amount), due_on=due, status="active", captured_at=self.now
            )
            self.promises.append((promise, len(self.entries)))

    def agree(self, amounts: list[Decimal], every: int = 7) -> None:
        if self.facts().plan() is None and self.facts().position.arrears > 0:
            dates = [self.today + timedelta(days=every * (i + 1)) for i in range(len(amounts))]
            parts = tuple(PlanInstalment(due_on=d, amount=a) for d, a in zip(dates, amounts, strict=True))
            agreed = Plan(plan_id=f"a{len(self.plans)}", instalments=parts, status="active", agreed_at=self.now)
            self.plans.append((agreed, len(self.entries)))

    def answer(self, *codes: str) -> None:
        """The first open task that takes one of the codes is answered with it."""
        for task in list(self.tasks):
            for code in codes:
                if code in codes_of(task.kind):
                    self._answer(task, code)
                    return

    def _answer(self, task: TaskFact, code: str) -> None:
        outcome = codes_of(task.kind)[code]
        self.end_task(task, "done" if outcome.ends_step else "attempted")
        match outcome.consequence:
            case Consequence.SUIT_FILED:
                self._effect("suit", task.step_id, task.ordinal)
            case Consequence.REJECTED:
                self.rejected = True
            case Consequence.HOLD if outcome.hold:
                self.hold(outcome.hold)
            case Consequence.PROMISE:
                self.promise(self.facts().position.arrears, 5)

    # --- what tests ask ---

    def did(self, *actions: Action) -> list[str | None]:
        """The steps of what was carried out, in order."""
        return [line.decision.step_id for line in self.log if line.done and line.decision.action in actions]
