"""Starts the sweep that opens cases: once a business day, and when a tape came in."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import asyncpg
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.contracts import CASES, SweepRequest
from domain.clock import Clock, business_date, start_of

log = logging.getLogger(__name__)


async def start_sweep(client: Client, lender_id: str | None = None) -> str:
    """Start a sweep, of one lender or all; the workflow's id. One that runs already is joined."""
    workflow_id = f"sweep-{lender_id}" if lender_id else "sweep"
    await client.start_workflow(
        "DelinquencySweep",
        SweepRequest(lender_id=lender_id),
        id=workflow_id,
        task_queue=CASES,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"Sweep of {lender_id or 'all lenders'}",
    )
    return workflow_id


async def sweep_daily(client: Client, pool: asyncpg.Pool, clock: Clock) -> None:
    """Sweep at the start of each business day and after each tape, until cancelled."""
    came = asyncio.Event()
    async with pool.acquire() as listening:
        await listening.add_listener("tape_loaded", lambda *_: came.set())
        while True:
            came.clear()
            try:
                await client.get_workflow_handle(await start_sweep(client)).result()
            except (RPCError, RuntimeError) as error:
                log.warning("A sweep could not run and is tried again: %s", type(error).__name__)
                await asyncio.sleep(1)
                continue
            now = await clock.now()
            tomorrow = start_of(business_date(now, "UTC") + timedelta(days=1), "UTC") + timedelta(seconds=1)
            until = (await clock.real(tomorrow) - datetime.now(UTC)).total_seconds()
            try:
                await asyncio.wait_for(came.wait(), max(until, 0.1))
            except TimeoutError:
                continue
