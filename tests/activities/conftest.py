from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from tests.activities.bench import Bench, bench_on


@pytest_asyncio.fixture
async def bench(pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[Bench]:
    async with bench_on(pool) as made:
        yield made
