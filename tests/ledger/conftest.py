"""Pools that read jsonb as the product does, and rows that several tests start from."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from ledger.pool import open_pool
from tests.ledger.samples import Pool


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to this test's ledger, opened as the product opens them."""
    connections: asyncpg.Pool[asyncpg.Record] = await open_pool(database_url)
    yield connections
    await connections.close()
