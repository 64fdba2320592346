"""A case that cannot act yet waits; it never asks again and again."""

from datetime import timedelta

import asyncpg
from temporalio.testing import WorkflowEnvironment

from tests.case import Case
from tests.scenario import scene_on


async def busiest(case: Case) -> int:
    """How often the activity was called that was called most."""
    acted = await case.acted()
    return max(acted.count(name) for name in acted)


async def test_workers_whose_clock_lags_the_servers_do_not_spin(
    pool: "asyncpg.Pool[asyncpg.Record]", time_skipping: WorkflowEnvironment
) -> None:
    async with scene_on(pool, time_skipping.client, time_skipping, behind=timedelta(seconds=3)) as scene:
        case = await scene.case()
        await case.until(lambda n: "sms-2" in n.why)
        assert await case.sent() == ["sms sms-1 sent"]
        print(f"\nthree seconds behind: {await case.acted()}")
        assert await busiest(case) <= 5
