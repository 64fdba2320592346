"""A workflow whose activity fails once, with words that nobody may keep, and then does its work."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

WORDS = "twice: Annunziata Esposito has no +12015550142"


@activity.defn
async def stumble() -> str:
    """Fails at its first attempt, for a reason that has another."""
    if activity.info().attempt == 1:
        try:
            raise KeyError(WORDS)
        except KeyError as error:
            raise ValueError(WORDS) from error
    return "done"


@workflow.defn
class Stumbles:
    """It comes to its end."""

    @workflow.run
    async def run(self) -> str:
        done: str = await workflow.execute_activity(
            stumble,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50)),
        )
        return done
