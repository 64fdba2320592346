"""Releases with a mistake that Temporal's own replayer lets pass."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.contracts import CaseRef, Contract, Order, Result
    from activities.contracts.state import CaseState
from workflows.collection_case import CollectionCase


@workflow.defn(name="CollectionCase")
class SleepsLonger(CollectionCase):
    """Each timer is a minute longer than it was."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        return await super().run(state)

    def _set_timer(self, latest: Result) -> None:
        at = latest.wake_at
        super()._set_timer(latest.model_copy(update={"wake_at": at and at + timedelta(minutes=1)}))


@workflow.defn(name="CollectionCase")
class ActsOnAnother(CollectionCase):
    """Each activity gets the order of another loan."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        return await super().run(state)

    async def _remotely(self, name: str, order: Order, contract: Contract, line: str) -> Result:
        other = CaseRef(lender_id=order.case.lender_id, loan_id="another")
        return await super()._remotely(name, order.model_copy(update={"case": other}), contract, line)


@workflow.defn(name="CollectionCase")
class DoesAnother(CollectionCase):
    """A text becomes a letter."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        return await super().run(state)

    async def _remotely(self, name: str, order: Order, contract: Contract, line: str) -> Result:
        return await super()._remotely("send_letter", order, contract, line)


@workflow.defn(name="CollectionCase")
class TriesLess(CollectionCase):
    """As it was, but each activity has less time: no replay can tell, the fingerprint does."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        return await super().run(state)

    async def _remotely(self, name: str, order: Order, contract: Contract, line: str) -> Result:
        less = contract.schedule_to_close / 2 if contract.schedule_to_close else timedelta(minutes=1)
        return await super()._remotely(name, order, replace(contract, schedule_to_close=less), line)
