"""The day's round as one workflow: cases, late fees, and reminders that wait for the hours in which people may be contacted."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest_asyncio
from temporalio.client import Client

from domain.strategy import Stage, Step
from ledger.late_fees import choose_late_fee
from ledger.strategies import shipped
from starters.sweeps import start_sweep
from tests.case import poll
from tests.scenario import START, Scene, scene_on

STANDARD = next(s for s in shipped() if s.name == "standard")
AHEAD = Stage(name="reminder", from_dpd=-3, steps=(Step(id="remind-1", do="sms", template="upcoming"),))


@pytest_asyncio.fixture
async def scene(pool: "asyncpg.Pool[asyncpg.Record]", dev_server: Client) -> AsyncIterator[Scene]:
    """The world a few seconds before people in Rome may be contacted; time passes as it does."""
    async with scene_on(pool, dev_server, start=START - timedelta(seconds=4)) as it:
        yield it


async def test_the_day_s_round(scene: Scene) -> None:
    reminds = await scene.strategy(STANDARD, stages=(AHEAD, *STANDARD.stages))
    async with scene.pool.acquire() as conn:
        await choose_late_fee(conn, "default", await scene.day(-10), amount=Decimal(15))
    due, coming = await scene.loan((3, "100")), await scene.loan((-2, "100"), strategy=reminds, phone="+12015550102")
    assert await scene.client.get_workflow_handle(await start_sweep(scene.client)).result() == 1
    scene.cases.append(due)
    fee = await scene.pool.fetchrow("select amount, instalment from entries where kind = 'late_fee'")
    assert fee is not None
    assert (fee["amount"], fee["instalment"]) == (Decimal(15), 1)

    async def reminded() -> bool:
        sent = "select count(*) from contacts where loan_id = $1 and purpose = 'reminder' and state = 'sent'"
        return bool(await scene.pool.fetchval(sent, coming.key.loan_id) == 1)

    await poll(reminded, "the reminder to be sent")
    [text] = scene.texts()
    assert "4 marzo 2026" in text
    sent_at = await scene.pool.fetchval("select sending_at from contacts where loan_id = $1", coming.key.loan_id)
    assert sent_at >= START
    assert await scene.pool.fetchval("select open from cases where loan_id = $1", coming.key.loan_id) is False
    await scene.client.get_workflow_handle("sweep-reminders").result()


async def test_where_nobody_wants_more_a_sweep_is_one_activity(scene: Scene) -> None:
    await scene.loan((-3, "100"))
    handle = scene.client.get_workflow_handle(await start_sweep(scene.client))
    assert await handle.result() == 0
    history = await handle.fetch_history()
    done = [e for e in history.events if e.HasField("activity_task_scheduled_event_attributes")]
    assert len(done) == 1
