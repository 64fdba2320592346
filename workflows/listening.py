"""How a case hears: each handler puts its message into the inbox, at once; the case's `run` alone takes it out."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.contracts import Message, Result
    from activities.contracts.state import CaseState, Status, TimelineLine
    from domain import messages as said
    from domain.messages import Answer, Body, LedgerNews


class Listening:
    """The ears of a case: what can be told to it and asked of it. What each message means stands beside its handler."""

    def hear(self, state: CaseState) -> None:
        """Begin with what the run before left."""
        self.case = state.case
        self.latest: Result | None = state.latest
        self.inbox: list[Message] = list(state.inbox)
        self.answers: dict[str, Answer] = {}
        self.timeline: list[TimelineLine] = list(state.timeline)

    # --- signals ---

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

    # --- updates; each waits until `run` has absorbed it ---

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

    # --- queries ---

    @workflow.query(description="Where the case stands and what it does next.")
    def status(self) -> Status:
        return Status(case=self.case, waiting=len(self.inbox), latest=self.latest)

    @workflow.query(name="timeline", description="What was done lately, and why; the ledger's journal has all of it.")
    def timeline_lines(self) -> list[dict[str, Any]]:
        return [line.model_dump(mode="json") for line in self.timeline]
