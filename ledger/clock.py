"""The business clock, as every process reads it from its one row."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from time import monotonic
from typing import Any

import asyncpg

from domain.clock import BusinessClock

RealTime = Callable[[], Awaitable[datetime]]
REREAD_AFTER_SECONDS = 5.0
REREAD_PAUSED_AFTER_SECONDS = 0.2  # a stack that starts sets the clock going at any moment


async def wall_time() -> datetime:
    """The real time, in UTC."""
    return datetime.now(UTC)


class LedgerClock:
    """Business time from the ledger's row.

    The row moves only when a stack starts or stops, so it is read again every few seconds, beside whoever asks: somebody in a
    transaction never waits here for a second connection.
    """

    def __init__(self, pool: asyncpg.Pool, real_time: RealTime = wall_time) -> None:
        self._pool = pool
        self._real_time = real_time
        self._mapping: BusinessClock | None = None
        self._reading: asyncio.Task[None] | None = None
        self._read_at = 0.0

    async def mapping(self) -> BusinessClock:
        """The line from real to business time."""
        paused = self._mapping is not None and self._mapping.paused
        stale = monotonic() - self._read_at > (REREAD_PAUSED_AFTER_SECONDS if paused else REREAD_AFTER_SECONDS)
        if stale and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read())
        if self._mapping is None:
            assert self._reading is not None
            await self._reading
        assert self._mapping is not None
        return self._mapping

    async def _read(self) -> None:
        try:
            async with self._pool.acquire() as conn:
                self._mapping = await read_clock(conn)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            if self._mapping is None:
                raise
            return  # the line known so far holds; whoever needs the ledger itself will meet its absence
        self._read_at = monotonic()

    async def now(self) -> datetime:
        """The business time, in UTC."""
        mapping = await self.mapping()
        return mapping.business(await self._real_time())

    async def real(self, at: datetime) -> datetime:
        """The real time at which the business clock will show `at`."""
        return (await self.mapping()).real(at)


async def read_clock(conn: Any) -> BusinessClock:
    """The mapping in the ledger; real time where there is none."""
    row = await conn.fetchrow("select real_anchor, business_anchor, speed, paused from business_clock")
    if row is None:
        return BusinessClock.plain()
    return BusinessClock(**dict(row))


async def run_clock(conn: Any, real: datetime, *, speed: Decimal | None, start: datetime | None) -> BusinessClock:
    """Set the clock going, or going again from where it stood: a stopped stack does not age its cases.

    `speed` and `start` are for a new clock; one that exists keeps its time, and takes a new speed where one is given.
    """
    row = await conn.fetchrow("select real_anchor, business_anchor, speed, paused, seen_at from business_clock")
    if row is None:
        clock = BusinessClock(real_anchor=real, business_anchor=start or real, speed=speed or Decimal(1))
    else:
        stood = BusinessClock(**{k: row[k] for k in ("real_anchor", "business_anchor", "speed", "paused")})
        if not stood.fast and stood.real_anchor == stood.business_anchor and speed is None:
            return stood  # real time cannot be paused
        business = stood.business_anchor if row["paused"] else stood.business(row["seen_at"])
        clock = BusinessClock(real_anchor=real, business_anchor=business, speed=speed or stood.speed)
    await _write(conn, clock, real)
    return clock


async def pause_clock(conn: Any, real: datetime) -> None:
    """Stop the clock where it is; a clock that shows real time goes on."""
    clock = await read_clock(conn)
    if clock.fast or clock.real_anchor != clock.business_anchor:
        stopped = clock.model_copy(
            update={"real_anchor": real, "business_anchor": clock.business(real), "paused": True}
        )
        await _write(conn, stopped, real)


async def seen(conn: Any, real: datetime) -> None:
    """A sign of life, from which the clock goes on if the stack is killed."""
    await conn.execute("update business_clock set seen_at = $1", real)


async def _write(conn: Any, clock: BusinessClock, real: datetime) -> None:
    await conn.execute(
        """
        insert into business_clock (real_anchor, business_anchor, speed, paused, seen_at) values ($1, $2, $3, $4, $5)
        on conflict (only_row) do update set real_anchor = excluded.real_anchor, business_anchor = excluded.business_anchor,
            speed = excluded.speed, paused = excluded.paused, seen_at = excluded.seen_at
        """,
        clock.real_anchor,
        clock.business_anchor,
        clock.speed,
        clock.paused,
        real,
    )
