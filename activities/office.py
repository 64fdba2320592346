"""Activities that hand work to people, and take it back: tasks, reviews, filings, withdrawals."""

from datetime import datetime
from typing import Any

from temporalio import activity

from activities.case_in_hand import WORK, CaseInHand, Desk, this_and
from activities.contracts import Order, Result
from activities.gate import Gatekeeper
from activities.reaching import Kind, addressee, meant_for
from activities.reckoning import LASTING_DEADLINE, NOT_ANY_MORE
from domain.decision import Action
from domain.gate import Defer, Forbid, Permit
from domain.strategy import Step

LEADS_OUT = frozenset({"pre_legal_review"})  # no contact, but the way to a letter and to a court


def task_id_of(case: CaseInHand, step_id: str, ordinal: int) -> str:
    """The id of a task of the case's episode."""
    return case.key.task_id(case.facts.episode, step_id, ordinal)


def step_of(case: CaseInHand, step_id: str) -> Step | None:
    """The strategy's step of that id; None for the house's own."""
    stage = case.row.strategy.stage_of(step_id)
    return next((s for s in stage.steps if s.id == step_id), None) if stage else None


class Office:
    """Tasks for people. Each is on record as an open effect before anybody sees it."""

    def __init__(self, desk: Desk, gate: Gatekeeper) -> None:
        self.desk = desk
        self.gate = gate

    @activity.defn(name=Action.OPEN_CALL_TASK.value)
    async def open_call_task(self, order: Order) -> Result:
        """Ask a collector to call, if a call is permitted."""
        return await self._hand_out(order, "call", channel="call")

    @activity.defn(name=Action.BOOK_VISIT.value)
    async def book_visit(self, order: Order) -> Result:
        """Ask a field agent to visit, if a visit is permitted."""
        return await self._hand_out(order, "visit", channel="visit")

    @activity.defn(name=Action.OPEN_PRE_LEGAL_REVIEW.value)
    async def open_pre_legal_review(self, order: Order) -> Result:
        """Ask for a review before anything legal is done."""
        return await self._hand_out(order, "pre_legal_review")

    @activity.defn(name=Action.OPEN_FILING_TASK.value)
    async def open_filing_task(self, order: Order) -> Result:
        """Ask counsel to file, if a filing is permitted."""
        return await self._hand_out(order, "file_suit", channel="filing")

    @activity.defn(name=Action.OPEN_CALLBACK_TASK.value)
    async def open_callback_task(self, order: Order) -> Result:
        """The borrower asked to be called."""
        return await self._hand_out(order, "callback", channel="call", purpose="reply")

    @activity.defn(name=Action.OPEN_ANSWER_TASK.value)
    async def open_answer_task(self, order: Order) -> Result:
        """The borrower said something that a person must see to."""
        return await self._hand_out(order, "answer")

    @activity.defn(name=Action.OPEN_MANUAL_REVIEW.value)
    async def open_manual_review(self, order: Order) -> Result:
        """A person must look at the case: nothing automatic is left."""
        return await self._hand_out(order, "manual_review")

    @activity.defn(name=Action.OPEN_REMEDY_TASK.value)
    async def open_remedy_task(self, order: Order) -> Result:
        """The lender's own error is put right before the borrower hears of it."""
        return await self._hand_out(order, "remedy")

    async def _hand_out(self, order: Order, kind: str, channel: str | None = None, purpose: str = "collect") -> Result:
        decision = order.decision
        assert decision.step_id is not None
        async with self.desk.take(order.case) as case:
            if not case.wants(decision):
                return await self.desk.next(case, NOT_ANY_MORE)
            permit = None
            if case.row.shadow and kind in LEADS_OUT and channel is None:
                return await self._only_written_down(case, order, kind)
            if channel is not None:
                permit, stopped = await self._pass_gate(case, order, channel, purpose)
                if stopped is not None:
                    return stopped
            task_id = await self.open_task(case, kind, decision.step_id, decision.ordinal, permit)
            if kind == "manual_review":
                await WORK.say_why(case.conn, task_id=task_id, because=decision.why)
            if decision.subject_id is not None and kind in {"callback", "answer"}:
                await WORK.take_request(case.conn, request_id=decision.subject_id, now=case.facts.now)
            return await self.desk.next(case, f"{kind} task handed out")

    async def _pass_gate(
        self, case: CaseInHand, order: Order, channel: str, purpose: str
    ) -> tuple[dict[str, Any] | None, Result | None]:
        """The permit for work that will reach a person or a court; a result where it may not be handed out now."""
        step_id, ordinal = order.decision.step_id or "", order.decision.ordinal
        step = step_of(case, step_id)
        kind = Kind(channel, step.purpose if step else purpose, None, step.to if step else "borrower")
        party = await addressee(case, kind.role)
        if party is None:
            said = f"the loan has no {kind.role.replace('_', ' ')}"
            await case.record_step(step_id, ordinal, "impossible", said)
            return None, await self.desk.next(case, said)
        verdict, record = await self.gate.permit(case, meant_for(party, kind, discloses=not (step and step.locate)))
        said = ", ".join(verdict.rules)
        match verdict:
            case Permit(shadow=False):
                return record, None
            case Permit():
                return record, await self._only_written_down(case, order, channel, record)
            case Forbid():
                await case.record_step(step_id, ordinal, "forbidden", said)
                await case.journal("forbidden", step=step_id, rules=list(verdict.rules), permit=record)
                return record, await self.desk.next(case, f"{channel} forbidden: {said}")
            case Defer():
                return record, await self.desk.later(case, order, verdict, record)

    async def _only_written_down(
        self, case: CaseInHand, order: Order, kind: str, permit: dict[str, Any] | None = None
    ) -> Result:
        """In shadow mode a step is planned and decided, and nobody is asked to do it."""
        decision = order.decision
        await case.record_step(decision.step_id or "", decision.ordinal, "done", "shadow")
        await case.journal("shadowed", step=decision.step_id, task=kind, permit=permit)
        return await self.desk.next(case, f"{kind} task only written down: shadow mode")

    async def open_task(
        self, case: CaseInHand, kind: str, step_id: str, ordinal: int, permit: dict[str, Any] | None
    ) -> str:
        """The effect, the step and the task, in one transaction."""
        step = step_of(case, step_id)
        task_id = task_id_of(case, step_id, ordinal)
        key = {**this_and(case), "step_id": step_id, "ordinal": ordinal, "now": case.facts.now}
        await WORK.open_effect(case.conn, **key, kind="task", task_id=task_id)
        await case.record_step(step_id, ordinal, "open")
        await WORK.open_task(
            case.conn,
            **key,
            task_id=task_id,
            kind=kind,
            owner=case.row.collector,
            approval=step.approval if step else None,
            permit=permit,
            deadline=self._deadline(case, step),
        )
        await case.journal("task_opened", task_id=task_id, task=kind)
        return task_id

    def _deadline(self, case: CaseInHand, step: Step | None) -> datetime:
        span = step.deadline if step else LASTING_DEADLINE
        return span.after(case.facts.now, case.row.strategy.calendar, case.row.lender_zone)

    @activity.defn(name=Action.WITHDRAW_TASK.value)
    async def withdraw_task(self, order: Order) -> Result:
        """Take a task off somebody's list. The step counts as never done, so that it is done if it is due again."""
        decision = order.decision
        async with self.desk.take(order.case) as case:
            if not case.wants(decision):
                return await self.desk.next(case, NOT_ANY_MORE)
            effect = next(e for e in case.facts.effects if e.effect_id == decision.effect_id)
            if effect.task_id is not None:
                await WORK.end_task(
                    case.conn, task_id=effect.task_id, status="withdrawn", reason=decision.why, now=case.facts.now
                )
            await WORK.end_effect(case.conn, effect_id=effect.effect_id, reason=decision.why, now=case.facts.now)
            await case.record_step(effect.step_id, effect.ordinal, "withdrawn", "withdrawn", episode=effect.episode)
            await case.journal("task_withdrawn", task_id=effect.task_id, why=decision.why)
            return await self.desk.next(case, f"{effect.step_id} withdrawn")

    @activity.defn(name=Action.WITHDRAW_LETTER.value)
    async def withdraw_letter(self, order: Order) -> Result:
        """A letter is not undone by machine: counsel gets a task with a deadline."""
        return await self._to_counsel(order, "withdraw_letter")

    @activity.defn(name=Action.WITHDRAW_SUIT.value)
    async def withdraw_suit(self, order: Order) -> Result:
        """A suit is not undone by machine: counsel gets a task with a deadline; costs may remain owed."""
        return await self._to_counsel(order, "withdraw_suit")

    async def _to_counsel(self, order: Order, kind: str) -> Result:
        decision = order.decision
        async with self.desk.take(order.case) as case:
            if not case.wants(decision):
                return await self.desk.next(case, NOT_ANY_MORE)
            effect = next(e for e in case.facts.effects if e.effect_id == decision.effect_id)
            step_id = f"{kind.replace('_', '-')}-{effect.effect_id}"
            ordinal = case.facts.next_ordinal(step_id)
            task_id = task_id_of(case, step_id, ordinal)
            await WORK.open_task(
                case.conn,
                **this_and(case),
                task_id=task_id,
                step_id=step_id,
                ordinal=ordinal,
                kind=kind,
                owner=None,
                approval=None,
                permit=None,
                now=case.facts.now,
                deadline=self._deadline(case, None),
            )
            await WORK.hand_effect_to_counsel(case.conn, effect_id=effect.effect_id, task_id=task_id)
            await case.record_step(step_id, ordinal, "open")
            await case.record_step(effect.step_id, effect.ordinal, "withdrawn", "with counsel", episode=effect.episode)
            await case.journal("counsel_asked", task_id=task_id, task=kind, why=decision.why)
            return await self.desk.next(case, f"counsel asked to {kind.replace('_', ' the ')}")
