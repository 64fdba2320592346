"""Starts the sweep that opens cases for what became due: by hand, at each business midnight, and after a tape came in."""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import asyncpg
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.contracts import CASES, SweepRequest
from domain.clock import Clock, business_date, start_of
from ledger.clock import LedgerClock
from ledger.notices import listening
from ledger.pool import LEDGER_AWAY
from starters.schedules import schedule_lenders

log = logging.getLogger(__name__)

SWEEP_ID = "sweep"
TAPE_LOADED = "tape_loaded"  # the channel on which an intake tells that it is done
SETTLES = 0.3  # seconds: an intake in several parts gives one sweep
LOOKS_AT_CLOCK = 5.0  # seconds: the business clock may be stopped, or run at another speed
PAUSE = 5.0  # seconds, after a part was away


async def start_sweep(client: Client, lender_id: str | None = None) -> str:
    """Start a sweep, of one lender or of all; returns its workflow id. One that runs already is as good."""
    workflow_id = SWEEP_ID if lender_id is None else f"{SWEEP_ID}-{lender_id}"
    await _start(client, workflow_id, lender_id, WorkflowIDConflictPolicy.USE_EXISTING)
    return workflow_id


async def sweep_daily(
    client: Client,
    pool: "asyncpg.Pool[asyncpg.Record]",
    clock: Clock,
    timezone: str = "UTC",
    *,
    daily: bool = True,
) -> None:
    """Sweep now, after each tape, and if `daily` at each midnight of the business clock, until cancelled. A part that is away is waited for.

    If not `daily`, schedules do that, and a lender that a tape names first gets its own.
    """
    swept: date | None = None
    while True:
        try:
            async with listening(pool, TAPE_LOADED) as tape:
                tape.hear()  # what was loaded while nobody listened is found by this first sweep
                while True:
                    today = business_date(await clock.now(), timezone)
                    if tape:
                        await asyncio.sleep(SETTLES)
                    if tape or swept is None or (daily and today != swept):
                        tape.clear()
                        if not daily:
                            await schedule_lenders(client, pool)
                        await _sweep_through(client)
                        swept = today
                    else:
                        await tape.wait(await _until_midnight(clock, today, timezone))
        except (RPCError, WorkflowFailureError, asyncpg.PostgresError, *LEDGER_AWAY) as error:
            log.warning("the sweep could not run (%s): next try in %.0f s", type(error).__name__, PAUSE)
            await asyncio.sleep(PAUSE)


async def sweep_in_turn(client: Client, pool: "asyncpg.Pool[asyncpg.Record]", clock: LedgerClock) -> None:
    """Sweep after each tape, until cancelled. Of all processes that do this one sweeps and the others stand by.

    Each day's own sweep is the schedules' (starters/schedules.py), which know real days alone: with a fast clock it is done here.
    """
    while True:
        try:
            async with pool.acquire() as conn:
                while not await conn.fetchval(  # noqa: ASYNC110 - a lock of the database's tells nobody when it is free
                    "select pg_try_advisory_lock(hashtextextended($1, 0))", SWEEP_ID
                ):
                    await asyncio.sleep(PAUSE)
                try:
                    await sweep_daily(client, pool, clock, daily=(await clock.mapping()).fast)
                finally:
                    await conn.execute("select pg_advisory_unlock(hashtextextended($1, 0))", SWEEP_ID)
        except (asyncpg.PostgresError, *LEDGER_AWAY) as error:
            log.warning("the sweep waits for the database (%s): next try in %.0f s", type(error).__name__, PAUSE)
            await asyncio.sleep(PAUSE)


async def _sweep_through(client: Client) -> None:
    """Run a whole sweep that begins now: one under way may have passed by what is new, so it is waited for first."""
    while True:
        try:
            await _start(client, SWEEP_ID, None, WorkflowIDConflictPolicy.FAIL)
        except WorkflowAlreadyStartedError:
            with suppress(WorkflowFailureError):
                await client.get_workflow_handle(SWEEP_ID).result()
        else:
            await client.get_workflow_handle(SWEEP_ID).result()
            return


async def _start(client: Client, workflow_id: str, lender_id: str | None, conflict: WorkflowIDConflictPolicy) -> None:
    await client.start_workflow(
        "DelinquencySweep",
        SweepRequest(lender_id=lender_id),
        id=workflow_id,
        task_queue=CASES,
        id_conflict_policy=conflict,
        static_summary="Opens cases for what became due",
    )


async def _until_midnight(clock: Clock, today: date, timezone: str) -> float:
    """Real seconds to the next business midnight, but no more than the clock may be trusted for."""
    midnight = await clock.real(start_of(today + timedelta(days=1), timezone))
    return min(max((midnight - datetime.now(UTC)).total_seconds(), 0.05), LOOKS_AT_CLOCK)
