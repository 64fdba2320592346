from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.scenario import Scene, scene_on


@pytest_asyncio.fixture
async def scene(pool: "asyncpg.Pool[asyncpg.Record]", time_skipping: WorkflowEnvironment) -> AsyncIterator[Scene]:
    """An empty world on the server whose clock jumps. When the test is over, the five promises must hold."""
    async with scene_on(pool, time_skipping.client, time_skipping) as it:
        yield it
