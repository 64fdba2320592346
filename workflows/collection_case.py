"""A delinquent loan, from its first reminder to its cure: one durable workflow.

It waits, carries out recorded decisions through activities, and listens. What is decided, and why, comes from the activities, which
plan from the facts they have just written (domain/plan.py); nothing is decided here.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        ABSORB,
        CONTRACTS,
        DECIDE,
        LEDGER_ONLY,
        Absorb,
        CaseRef,
        Contract,
        Message,
        Order,
        Result,
    )
    from domain import messages as said
    from domain.messages import Answer, Body, LedgerNews
    from activities.contracts import attributes
    from activities.contracts.state import KEPT_LINES, CaseState, Status, TimelineLine
    from workflows.card import card, summary

LONGEST_SUMMARY = 180  # characters; the UI shows one line


@workflow.defn(name="CollectionCase")
class CollectionCase:
    """One loan's case. Its handlers only put messages into the inbox; `run` alone reads it, so messages and steps never interleave."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        self.case = state.case
        self.latest = state.latest
        self.inbox: list[Message] = list(state.inbox)
        self.answers: dict[str, Answer] = {}
        self.shown = dict(state.shown)
        self.timeline: list[TimelineLine] = list(state.timeline)
        self.roll_over_after = state.roll_over_after
        self.timer: asyncio.Task[None] | None = None
        self.timer_ends: datetime | None = None

    @workflow.run
    async def run(self, state: CaseState) -> str:
        latest = self.latest or await self.decide()
        self.show(latest)
        while self.inbox or not latest.closed:
            if latest.closed or await self.message_before(latest):
                latest = await self.absorb()
            else:
                latest = await self.carry_out(latest)
            self.show(latest)
            if self.should_roll_over(latest):
                await self.roll_over(latest)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return latest.decision.why

    # --- the four verbs of the loop ---

    async def decide(self) -> Result:
        """Ask what is to be done, from the facts as they stand."""
        return await self._locally(DECIDE, self.case)

    async def message_before(self, latest: Result) -> bool:
        """Wait for the decision's time; True when a message came first. One timer, kept until its end moves."""
        if self.inbox:
            return True
        if latest.wake_at is not None and latest.wake_at <= workflow.now():
            return False
        self._set_timer(latest)
        await workflow.wait_condition(lambda: bool(self.inbox) or (self.timer is not None and self.timer.done()))
        return bool(self.inbox)

    async def absorb(self, *more: Message) -> Result:
        """Write what came in into the ledger, in order, and decide anew."""
        taken = (*more, *self.inbox)
        self.inbox.clear()
        result = await self._locally(ABSORB, Absorb(case=self.case, messages=taken))
        self.answers |= result.answers
        return result

    async def carry_out(self, latest: Result) -> Result:
        """Do what was decided. What fails for good is a fact that the planner answers, never the end of the case."""
        decision = latest.decision
        contract = CONTRACTS[decision.action]
        order = Order(case=self.case, decision=decision)
        try:
            if contract.local:
                return await self._locally(decision.action.value, order)
            return await self._remotely(decision.action.value, order, contract, summary(latest))
        except ActivityError as error:
            return await self.absorb(_failure(order, error))

    # --- how the outside is reached ---

    async def _locally(self, name: str, order: CaseRef | Absorb | Order) -> Result:
        result: Result = await workflow.execute_local_activity(
            name,
            order,
            result_type=Result,
            start_to_close_timeout=LEDGER_ONLY.start_to_close,
            retry_policy=LEDGER_ONLY.retry,
            summary=name.replace("_", " "),
        )
        return result

    async def _remotely(self, name: str, order: Order, contract: Contract, line: str) -> Result:
        result: Result = await workflow.execute_activity(
            name,
            order,
            result_type=Result,
            task_queue=contract.queue,
            schedule_to_close_timeout=contract.schedule_to_close,
            start_to_close_timeout=contract.start_to_close,
            retry_policy=contract.retry,
            summary=line,
        )
        return result

    def _set_timer(self, latest: Result) -> None:
        if self.timer_ends == latest.wake_at and self.timer is not None and not self.timer.done():
            return
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.timer_ends = latest.wake_at
        if latest.wake_at is not None:
            wait = max(latest.wake_at - workflow.now(), timedelta(milliseconds=1))
            self.timer = asyncio.create_task(workflow.sleep(wait, summary=latest.decision.why[:LONGEST_SUMMARY]))

    # --- what operators see ---

    def show(self, latest: Result) -> None:
        """Write the card, and bring the search attributes up to date where one changed."""
        self.latest = latest
        line = TimelineLine(at=workflow.now(), what=latest.done, why=latest.decision.why)
        self.timeline = [*self.timeline, line][-KEPT_LINES:]
        workflow.set_current_details(card(self.case, latest, len(self.inbox)))
        values = attributes.pairs(self.case.lender_id, latest.standing)
        changed = [p for p in values if self.shown.get(p.key.name) != str(p.value)]
        if changed and self.shown:
            workflow.upsert_search_attributes([p.key.value_set(p.value) for p in changed])
        self.shown |= {p.key.name: str(p.value) for p in changed}

    # --- a new run ---

    def should_roll_over(self, latest: Result) -> bool:
        """A long history, or a newer worker to move to; never while a message waits."""
        info = workflow.info()
        grown = info.get_current_history_length() >= self.roll_over_after or info.is_continue_as_new_suggested()
        newer = info.is_target_worker_deployment_version_changed()
        return (grown or newer) and not self.inbox and not latest.closed

    async def roll_over(self, latest: Result) -> None:
        """Continue as new with all that is known; gives way when a message came while handlers were finishing."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self.inbox:
            return
        newer = workflow.info().is_target_worker_deployment_version_changed()
        upgrade = workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE if newer else None
        state = CaseState(
            case=self.case,
            latest=latest,
            shown=self.shown,
            timeline=tuple(self.timeline),
            roll_over_after=self.roll_over_after,
        )
        workflow.continue_as_new(state, initial_versioning_behavior=upgrade)

    # --- messages: signals ---

    def _put(self, kind: str, news: LedgerNews) -> None:
        self.inbox.append(
            Message(message_id=news.message_id, kind=kind, body=news.model_dump(mode="json", exclude={"message_id"}))
        )

    @workflow.signal(description="Money came in; the facts are read from the ledger.")
    def payment_received(self, news: LedgerNews) -> None:
        self._put("payment_received", news)

    @workflow.signal(description="A payment was returned.")
    def payment_reversed(self, news: LedgerNews) -> None:
        self._put("payment_reversed", news)

    @workflow.signal(description="Something else changed in the ledger: a fee, a schedule, a contact point.")
    def ledger_changed(self, news: LedgerNews) -> None:
        self._put("ledger_changed", news)

    @workflow.signal(description="The borrower wrote back.")
    def reply_received(self, news: LedgerNews) -> None:
        self._put("reply_received", news)

    @workflow.signal(description="The carrier reports that a contact cannot work.")
    def contact_failed(self, news: LedgerNews) -> None:
        self._put("contact_failed", news)

    @workflow.signal(description="Wake up, decide again, move to the current worker version.")
    def poke(self) -> None:
        self.inbox.append(Message(message_id=f"poke-{workflow.uuid4()}", kind="poke"))

    # --- messages: updates; each waits until `run` has absorbed it ---

    async def _ask(self, kind: str, body: Body) -> Answer:
        info = workflow.current_update_info()
        message = Message(
            message_id=info.id if info else str(workflow.uuid4()), kind=kind, body=body.model_dump(mode="json")
        )
        self.inbox.append(message)
        await workflow.wait_condition(lambda: message.message_id in self.answers)
        return self.answers.pop(message.message_id)

    def _must_be_open(self) -> None:
        if self.latest is not None and self.latest.closed:
            raise ApplicationError(f"the case of loan {self.case.loan_id} is closed: nothing more can be told to it.")

    @workflow.update(description="What a call, a visit or a legal task brought.")
    async def record_outcome(self, body: said.RecordOutcome) -> Answer:
        return await self._ask("record_outcome", body)

    @workflow.update(description="The borrower says what they pay, and when.")
    async def promise_to_pay(self, body: said.PromiseToPay) -> Answer:
        return await self._ask("promise_to_pay", body)

    @workflow.update(description="An instalment plan was agreed.")
    async def agree_plan(self, body: said.AgreePlan) -> Answer:
        return await self._ask("agree_plan", body)

    @workflow.update(description="Stop contact, escalation, legal steps or fees for a while.")
    async def place_hold(self, body: said.PlaceHold) -> Answer:
        return await self._ask("place_hold", body)

    @workflow.update(description="End a hold.")
    async def release_hold(self, body: said.ReleaseHold) -> Answer:
        return await self._ask("release_hold", body)

    @workflow.update(description="The borrower disputes the debt.")
    async def raise_dispute(self, body: said.RaiseDispute) -> Answer:
        return await self._ask("raise_dispute", body)

    @workflow.update(description="The dispute is settled.")
    async def resolve_dispute(self, body: said.ResolveDispute) -> Answer:
        return await self._ask("resolve_dispute", body)

    @workflow.update(description="A second person agrees to what a task brought, or waives a step.")
    async def approve(self, body: said.Approve) -> Answer:
        return await self._ask("approve", body)

    @workflow.update(description="Hand the case or one task to another collector.")
    async def reassign(self, body: said.Reassign) -> Answer:
        return await self._ask("reassign", body)

    @workflow.update(description="End the case by hand: undo what must be undone, then close.")
    async def close_case(self, body: said.CloseCase) -> Answer:
        return await self._ask("close_case", body)

    @record_outcome.validator
    def _record_outcome_possible(self, body: said.RecordOutcome) -> None:
        self._must_be_open()

    @promise_to_pay.validator
    def _promise_possible(self, body: said.PromiseToPay) -> None:
        self._must_be_open()

    @agree_plan.validator
    def _plan_possible(self, body: said.AgreePlan) -> None:
        self._must_be_open()

    @place_hold.validator
    def _hold_possible(self, body: said.PlaceHold) -> None:
        self._must_be_open()

    @release_hold.validator
    def _release_possible(self, body: said.ReleaseHold) -> None:
        self._must_be_open()

    @raise_dispute.validator
    def _dispute_possible(self, body: said.RaiseDispute) -> None:
        self._must_be_open()

    @resolve_dispute.validator
    def _resolution_possible(self, body: said.ResolveDispute) -> None:
        self._must_be_open()

    @approve.validator
    def _approval_possible(self, body: said.Approve) -> None:
        self._must_be_open()

    @reassign.validator
    def _reassignment_possible(self, body: said.Reassign) -> None:
        self._must_be_open()

    @close_case.validator
    def _closing_possible(self, body: said.CloseCase) -> None:
        self._must_be_open()

    # --- messages: queries ---

    @workflow.query(description="Where the case stands and what it does next.")
    def status(self) -> Status:
        return Status(case=self.case, waiting=len(self.inbox), latest=self.latest)

    @workflow.query(name="timeline", description="What was done lately, and why; the ledger's journal has all of it.")
    def timeline_lines(self) -> list[dict[str, Any]]:
        return [line.model_dump(mode="json") for line in self.timeline]


def _failure(order: Order, error: ActivityError) -> Message:
    """An activity that failed for good, as the fact the planner answers."""
    cause = error.cause
    reason = type(cause).__name__ if cause is not None else "no answer"
    body = {**order.decision.model_dump(mode="json"), "reason": getattr(cause, "type", None) or reason}
    return Message(message_id=f"failed-{workflow.uuid4()}", kind="step_failed", body=body)
