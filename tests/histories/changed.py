"""A release with a mistake: its case does something before it looks at what was decided. Old histories must not replay on it."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.contracts.state import CaseState
from workflows.collection_case import CollectionCase


@workflow.defn(name="CollectionCase")
class Changed(CollectionCase):
    """As the case, but it dawdles."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(state)
