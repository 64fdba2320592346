"""A release with a mistake: its case does something before it goes on. Old histories must not replay on it."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.contracts.state import CaseState
from workflows.collection_case import CollectionCase


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
