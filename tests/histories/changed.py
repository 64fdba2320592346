"""A release with a mistake: its case and its sweep do something before they go on. Old histories must not replay on it."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.contracts import SweepRequest
    from activities.contracts.state import CaseState
from workflows.collection_case import CollectionCase
from workflows.sweep import DelinquencySweep


@workflow.defn(name="CollectionCase")
class Changed(CollectionCase):
    """As the case, but each run asks what to do once more than it needs to."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        await self.decide()
        return await super().run(state)


@workflow.defn(name="DelinquencySweep")
class ChangedSweep(DelinquencySweep):
    """As the sweep, but each run rests before it begins."""

    @workflow.run
    async def run(self, request: SweepRequest) -> int:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(request)


CHANGED = (Changed, ChangedSweep)
