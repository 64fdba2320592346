"""Hears what the ledger calls out (LISTEN and NOTIFY). A call may be missed, so whoever listens also looks now and then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg


class Notices:
    """Whether something was called out since `clear`."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()
        self.gone = False

    def __bool__(self) -> bool:
        """Whether something was heard."""
        return self._heard.is_set()

    def clear(self) -> None:
        """Forget what was heard."""
        self._heard.clear()

    def hear(self, *_: object) -> None:
        """Something was called out."""
        self._heard.set()

    def end(self, *_: object) -> None:
        """The connection is gone."""
        self.gone = True
        self._heard.set()

    async def wait(self, seconds: float) -> None:
        """Wait until something is heard, at most that long in real time.

        Raises:
            ConnectionError: the connection is gone, and nothing will be heard any more.
        """
        # Not wait_for: on Python 3.11 it may swallow a cancellation.
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if self.gone else seconds):
                await self._heard.wait()
        if self.gone:
            raise ConnectionError("the connection to the ledger is gone")


@asynccontextmanager
async def listening(pool: "asyncpg.Pool[asyncpg.Record]", channel: str) -> AsyncIterator[Notices]:
    """Listen on a connection of its own while the block lasts."""
    async with pool.acquire() as conn:
        notices = Notices()
        conn.add_termination_listener(notices.end)
        await conn.add_listener(channel, notices.hear)
        try:
            yield notices
        finally:
            if not notices.gone:
                conn.remove_termination_listener(notices.end)
                await conn.remove_listener(channel, notices.hear)
