"""A workflow that reads the wall clock: the sandbox must not let it."""

from datetime import datetime

from temporalio import workflow


@workflow.defn
class Impure:
    """It would not replay."""

    @workflow.run
    async def run(self) -> str:
        return datetime.now().astimezone().isoformat()
