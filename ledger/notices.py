"""Hears what the ledger calls out (LISTEN and NOTIFY). A call may be missed, so whoever listens also looks now and then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg


class Notices:
    """Whether something was called out since `clear`."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self._heard = asyncio.Event()

    def __bool__(self) -> bool:
        """Whether something was heard."""
        return self._heard.is_set()

    def clear(self) -> None:
        """Forget what was heard."""
        self._heard.clear()

    def hear(self, *_: object) -> None:
        """Something was called out."""
        self._heard.set()

    async def wait(self, seconds: float) -> None:
        """Wait until something is heard, at most that long in real time.

        Raises:
            ConnectionError: the connection is gone, and nothing will be heard any more.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), seconds)
        if self._conn.is_closed():
            raise ConnectionError("the connection to the ledger is gone")


@asynccontextmanager
async def listening(pool: "asyncpg.Pool[asyncpg.Record]", channel: str) -> AsyncIterator[Notices]:
    """Listen on a connection of its own while the block lasts."""
    async with pool.acquire() as conn:
        notices = Notices(conn)
        await conn.add_listener(channel, notices.hear)
        conn.add_termination_listener(notices.hear)
        try:
            yield notices
        finally:
            if not conn.is_closed():
                conn.remove_termination_listener(notices.hear)
                await conn.remove_listener(channel, notices.hear)
