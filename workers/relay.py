"""The relay: what the ledger has to tell its cases goes out by signal, in order per loan, at least once."""

import asyncio
import logging
from itertools import groupby
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.loan import LoanKey
from domain.messages import LedgerNews
from ledger import outbox
from ledger.outbox import OutboxRow

LOANS_AT_ONCE = 8
PAGE = 200
LONGEST_PAUSE = 30.0
log = logging.getLogger(__name__)


class Relay:
    """Delivers the outbox. Several may run side by side: a loan's messages are with one of them at a time."""

    def __init__(self, pool: asyncpg.Pool, client: Client, *, poll_seconds: float = 1.0) -> None:
        self._pool = pool
        self._client = client
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Deliver until cancelled: woken by the ledger, polling behind that, with longer pauses while Temporal is away."""
        async with self._pool.acquire() as listening:
            await listening.add_listener("outbox", lambda *_: self._woken.set())
            pause = self._poll_seconds
            while True:
                self._woken.clear()
                try:
                    delivered = await self.deliver_once()
                    pause = self._poll_seconds
                except (RPCError, RuntimeError, OSError, asyncpg.PostgresError) as error:
                    log.warning("The relay could not deliver and tries again: %s", type(error).__name__)
                    delivered, pause = 0, min(pause * 2, LONGEST_PAUSE)
                if not delivered:
                    await self._rest(pause)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return

    async def deliver_once(self) -> int:
        """Deliver what waits now; how many messages went out."""
        async with self._pool.acquire() as conn:
            loans = await outbox.waiting_loans(conn, PAGE)
        free = asyncio.Semaphore(LOANS_AT_ONCE)

        async def one(key: LoanKey) -> int:
            async with free:
                return await self._deliver(key)

        return sum(await asyncio.gather(*(one(key) for key in loans)))

    async def _deliver(self, key: LoanKey) -> int:
        async with self._pool.acquire() as conn, conn.transaction():
            rows = await outbox.take(conn, key)
            for message, group in groupby(rows, key=lambda r: r.message):
                together = list(group)
                result = await self._signal(conn, key, message, together)
                if result is None:
                    return 0
                await outbox.delivered(conn, [r.id for r in together], result)
            return len(rows)

    async def _signal(self, conn: Any, key: LoanKey, message: str, rows: list[OutboxRow]) -> str | None:
        """Signal the case; None where its workflow is missing although the case is open, so that it waits for `arrears rebuild`."""
        news = {"message_id": f"outbox-{rows[-1].id}", "entries": [r.payload for r in rows]}
        if len(rows) == 1:
            news = {"message_id": f"outbox-{rows[0].id}", **rows[0].payload}
        try:
            await self._client.get_workflow_handle(key.workflow_id).signal(message, LedgerNews.model_validate(news))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            is_open = await conn.fetchval("select open from cases where lender_id = $1 and loan_id = $2", *key)
            if is_open:
                log.warning("Loan %s has an open case and no workflow: `arrears rebuild %s` starts it again.", key, key)
                return None
            return "closed"
        return "signalled"
