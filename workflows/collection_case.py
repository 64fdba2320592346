"""A delinquent loan, from its first reminder to its cure: one durable workflow.

It waits, carries out recorded decisions through activities, and listens. What is decided, and why, comes from the activities, which
plan from the facts they have just written (domain/plan.py); nothing is decided here.
"""

import asyncio
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

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
        attributes,
    )
    from activities.contracts.state import KEPT_LINES, CaseState, TimelineLine
    from workflows.card import card, summary
    from workflows.listening import Listening

MOST_AT_ONCE = 20  # acts without a wait between them: more are no case's story, but a fault
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(hours=1)
LONGEST_SUMMARY = 180  # characters; the UI shows one line


@workflow.defn(name="CollectionCase")
class CollectionCase(Listening):
    """One loan's case. Its handlers only put messages into the inbox; `run` alone reads it, so messages and steps never interleave."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        self.hear(state)
        self.shown = dict(state.shown)
        self.roll_over_after = state.roll_over_after
        self.timer: asyncio.Task[None] | None = None
        self.timer_ends: datetime | None = None
        self.at_once = self.in_vain = 0

    @workflow.run
    async def run(self, state: CaseState) -> str:
        """Decide, wait, carry out or absorb, show, until the case is closed; returns why it was."""
        latest = self.latest or await self.decide()
        self.show(latest)
        while self.inbox or not latest.closed:
            with in_stage(latest):
                if latest.closed or await self.message_before(latest):
                    latest = await self.absorb()
                else:
                    latest = self.paced(latest, await self.carry_out(latest))
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

    def paced(self, before: Result, latest: Result) -> Result:
        """The result, put off where the same act is due again at once: it would be tried without end while clocks differ, or for a fault."""
        due = latest.wake_at is not None and latest.wake_at <= workflow.now() and not latest.closed
        again = latest.decision.same_step(before.decision)
        self.at_once = self.at_once + 1 if due else 0
        self.in_vain = self.in_vain + 1 if due and (again or self.at_once > MOST_AT_ONCE) else 0
        if not self.in_vain:
            return latest
        pause = min(FIRST_PAUSE * 2 ** min(self.in_vain - 1, 20), LONGEST_PAUSE)
        return latest.model_copy(update={"wake_at": workflow.now() + pause})

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
        if latest is not self.latest:  # it is, where a new run begins with what the last one left
            line = TimelineLine(at=workflow.now(), what=latest.done, why=latest.decision.why)
            self.timeline = [*self.timeline, line][-KEPT_LINES:]
        self.latest = latest
        workflow.set_current_details(card(self.case, latest, len(self.inbox)))
        values = attributes.pairs(self.case.lender_id, latest.standing)
        shown = {p.key.name: str(p.value) for p in values}
        updates = [p.key.value_set(p.value) for p in values if self.shown.get(p.key.name) != shown[p.key.name]]
        updates += [
            key.value_unset() for key in attributes.REGISTRY if key.name in self.shown and key.name not in shown
        ]
        if updates and self.shown:
            with in_stage(latest):
                workflow.upsert_search_attributes(updates)
        self.shown = shown

    # --- a new run ---

    def should_roll_over(self, latest: Result) -> bool:
        """A long history, or a newer worker to move to; never while a message waits."""
        info = workflow.info()
        grown = info.get_current_history_length() >= self.roll_over_after or info.is_continue_as_new_suggested()
        newer = info.is_target_worker_deployment_version_changed()
        return (grown or newer) and not self.inbox and not latest.closed

    async def roll_over(self, latest: Result) -> None:
        """Continue as new with all that is known; gives way when a message came while handlers were finishing."""
        await workflow.wait_condition(lambda: bool(self.inbox) or workflow.all_handlers_finished())
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


def in_stage(latest: Result) -> AbstractContextManager[None]:
    """What is done inside belongs to the stage that the case is in: the UI shows it together. It costs bytes, and no event."""
    return workflow.create_event_group(latest.decision.stage).scope()


def _failure(order: Order, error: ActivityError) -> Message:
    """An activity that failed for good, as the fact the planner answers."""
    cause = error.cause
    reason = type(cause).__name__ if cause is not None else "no answer"
    body = {**order.decision.model_dump(mode="json"), "reason": getattr(cause, "type", None) or reason}
    return Message(message_id=f"failed-{workflow.uuid4()}", kind="step_failed", body=body)
