import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.clock import Clock
from domain.loan import EntryKind
from ledger.new_entry import NewEntry
from ledger.reporting import portfolio_report
from starters import sweeps
from starters.schedules import schedule_id
from starters.sweeps import SWEEP_ID, TAPE_LOADED, start_sweep, sweep_daily, sweep_in_turn
from tests.case import Case, poll
from tests.commands import arrears
from tests.ledger.samples import Pool, Standing
from tests.scenario import Scene, scene_on

TAPE_CAME = f"select pg_notify('{TAPE_LOADED}', '')"


@pytest.fixture
async def scene(pool: Pool, dev_server: Client) -> AsyncIterator[Scene]:
    async with scene_on(pool, dev_server) as scene:
        yield scene


class Asked(Standing):
    """A clock that stands still and counts who asks it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def now(self) -> datetime:
        self.asked += 1
        return await super().now()

    async def asked_again(self, times: int) -> None:
        enough = self.asked + times

        async def so() -> bool:
            return self.asked >= enough

        await poll(so, "the clock to be asked")


@asynccontextmanager
async def sweeping(scene: Scene, clock: Clock | None = None) -> AsyncIterator[None]:
    task = asyncio.create_task(sweep_daily(scene.client, scene.pool, clock or scene.clock))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with suppress(RPCError):  # mostly it is over
            await scene.client.get_workflow_handle(SWEEP_ID).terminate()


async def has_case(scene: Scene, case: Case) -> bool:
    return bool(await scene.pool.fetchval("select count(*) from cases where loan_id = $1 and open", case.key.loan_id))


async def begun(scene: Scene, case: Case) -> None:
    """Wait until a loan has its case, and the case has begun; the scene ends it with its own."""

    async def so() -> bool:
        row = await case.row()
        return row is not None and row["open"] and row["next_step"] is not None

    await poll(so, "a case to be opened")
    scene.cases.append(case)


async def test_a_sweep_leaves_alone_what_the_lender_took_back(scene: Scene) -> None:
    kept, gone = await scene.loan((3, "100")), await scene.loan((3, "100"))
    await scene.pool.execute("update loans set status = 'sold' where loan_id = $1", gone.key.loan_id)
    assert await scene.client.get_workflow_handle(await start_sweep(scene.client)).result() == 1
    scene.cases.append(kept)
    assert not await has_case(scene, gone)


async def test_a_sweep_takes_money_out_of_suspense_before_it_looks(scene: Scene) -> None:
    paid = await scene.loan((3, "100"))
    loan_id = paid.key.loan_id
    early = NewEntry(
        entry_id="E-early",
        loan_id=loan_id,
        kind=EntryKind.PAYMENT,
        amount=Decimal(100),
        currency="EUR",
        value_date=await scene.today(),
    )
    await scene.pool.execute(
        "insert into suspense (lender_id, entry_id, loan_id, entry) values ('default', 'E-early', $1, $2)",
        loan_id,
        early.as_json(),
    )
    assert await scene.client.get_workflow_handle(await start_sweep(scene.client)).result() == 0
    assert not await has_case(scene, paid)
    assert await scene.pool.fetchval("select count(*) from suspense") == 0


async def test_a_sweep_by_hand_starts_what_is_due_once(scene: Scene) -> None:
    due, later = await scene.loan((3, "100")), await scene.loan((-3, "100"))
    started: list[Any] = []
    for _ in range(2):
        workflow_id = await start_sweep(scene.client)
        assert workflow_id == "sweep"
        started.append(await scene.client.get_workflow_handle(workflow_id).result())
    await begun(scene, due)
    assert started == [1, 0]
    assert not await has_case(scene, later)


async def test_a_sweep_of_one_lender(scene: Scene) -> None:
    await scene.loan((3, "100"))
    workflow_id = await start_sweep(scene.client, "nobody")
    assert workflow_id == "sweep-nobody"
    assert await scene.client.get_workflow_handle(workflow_id).result() == 0


async def test_it_sweeps_after_a_tape_and_at_each_midnight_and_not_else(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "SETTLES", 0.0)
    monkeypatch.setattr(sweeps, "LOOKS_AT_CLOCK", 0.01)
    clock = Asked()
    async with sweeping(scene, clock):
        first = await scene.loan((3, "100"))
        await scene.pool.execute(TAPE_CAME)
        await begun(scene, first)
        await clock.asked_again(3)  # the sweep of the tape is over
        second = await scene.loan((3, "100"))
        await clock.asked_again(20)
        assert not await has_case(scene, second)
        clock.at += timedelta(days=1)
        await begun(scene, second)


async def test_a_tape_that_comes_during_a_sweep_gets_one_of_its_own(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "SETTLES", 0.0)
    # A sweep that hangs: no worker of that name takes it, until it is ended.
    await scene.client.start_workflow("DelinquencySweep", id="sweep", task_queue="nobody")
    async with sweeping(scene):
        loan = await scene.loan((3, "100"))
        await scene.pool.execute(TAPE_CAME)
        await scene.client.get_workflow_handle("sweep").terminate()
        await begun(scene, loan)


async def test_it_outlives_a_database_that_breaks_off(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "PAUSE", 0.01)
    monkeypatch.setattr(sweeps, "SETTLES", 0.0)
    async with sweeping(scene):
        before = await scene.loan((3, "100"))
        await scene.pool.execute(TAPE_CAME)
        await begun(scene, before)
        await scene.pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'"
        )
        after = await scene.loan((3, "100"))
        await begun(scene, after)


async def swept(scene: Scene) -> Any:
    """How many cases a sweep by hand started."""
    return await scene.client.get_workflow_handle(await start_sweep(scene.client)).result()


async def closed_by_hand(scene: Scene) -> Case:
    case = await scene.case((3, "100"))
    await case.taken("close_case", reason="settled elsewhere", by="c1")
    await case.until_closed()
    return case


async def test_what_somebody_closed_is_left_alone_until_something_new_is_late(scene: Scene) -> None:
    case = await closed_by_hand(scene)
    sent = await case.sent()
    assert await swept(scene) == 0
    await case.pay("40", silently=True)
    await scene.relay()  # money on a closed loan makes no case either
    assert await swept(scene) == 0
    assert not await has_case(scene, case)
    assert await case.sent() == sent
    async with scene.pool.acquire() as conn:
        told = await portfolio_report(conn, await scene.now() + timedelta(days=1))
    assert (await case.row())["closing"] == "settled elsewhere"
    assert told["outcomes"] == {"still past due": 1}
    # The old arrears are paid, and an instalment that was not due then is late now.
    await case.pay("60", silently=True)
    await scene.pool.execute(
        "insert into instalments values ('default', $1, 2, $2, 50, 0, 0)", case.key.loan_id, await scene.day(-1)
    )
    await scene.pool.execute(
        "update cases set closed_at = closed_at - interval '9 days' where loan_id = $1", case.key.loan_id
    )
    assert await swept(scene) == 1
    await begun(scene, case)


async def test_what_was_cured_when_somebody_closed_it_is_collected_again_when_the_money_goes_back(scene: Scene) -> None:
    case = await scene.case((3, "100"))
    await case.pay("100", entry_id="E-paid")
    await case.taken("close_case", reason="done", by="c1")
    await case.until_closed()
    await case.reverse("E-paid", "100")
    await begun(scene, case)


async def test_one_loan_that_cannot_be_worked_on_holds_up_nobody(scene: Scene) -> None:
    broken, sound = sorted([await scene.loan((3, "100")), await scene.loan((3, "100"))], key=lambda case: case.key)
    await scene.pool.execute("update loans set waterfall = 'no-more' where loan_id = $1", broken.key.loan_id)
    assert await swept(scene) == 1
    await begun(scene, sound)
    [alert] = await scene.pool.fetch("select kind, about from alerts where cleared_at is null")
    assert alert["kind"] == "sweep"
    assert alert["about"].startswith(f"the sweep left out loan {broken.key}: waterfall 'no-more' is not known")


async def test_whoever_stops_sweeping_lets_the_next_one_sweep(scene: Scene) -> None:
    task = asyncio.create_task(sweep_in_turn(scene.client, scene.pool, scene.clock))

    async def held() -> bool:
        return not await scene.pool.fetchval("select pg_try_advisory_xact_lock(hashtextextended($1, 0))", SWEEP_ID)

    async def free() -> bool:
        return not await held()

    await poll(held, "the sweep to have its turn")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await poll(free, "the turn to be given up")


async def test_a_lender_that_a_tape_names_first_gets_its_daily_sweep(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "SETTLES", 0.0)
    task = asyncio.create_task(sweep_in_turn(scene.client, scene.pool, scene.clock))
    try:
        await scene.pool.execute(
            "insert into lenders (lender_id, name, timezone) values ('acme', 'Acme', 'Asia/Tokyo')"
        )
        await scene.pool.execute(TAPE_CAME)

        async def scheduled() -> bool:
            try:
                told = await scene.client.get_schedule_handle(schedule_id("acme")).describe()
            except RPCError:
                return False
            return told.schedule.spec.time_zone_name == "Asia/Tokyo"

        await poll(scheduled, "the lender's schedule")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_somebody_closed_is_taken_up_again_by_command(
    scene: Scene, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", scene.client.service_client.config.target_host)
    case = await closed_by_hand(scene)
    order = ("reopen", case.key.loan_id, "--by", "s1", "--why", "the buyer gave it back", "--json")
    done = await arrears(database_url, *order)
    assert json.loads(done.out) == {"loan": str(case.key), "case_begun": True}, done.err
    await begun(scene, case)
    assert [e["data"] for e in await case.journal() if e["kind"] == "reopened"] == [
        {"by": "s1", "why": "the buyer gave it back", "closed_for": "settled elsewhere"}
    ]
    assert "重新受理" in (await arrears(database_url, "why", case.key.loan_id, "--language", "zh")).out
    again = await arrears(database_url, *order)
    assert again.code == 2
    assert "has no case that was closed by hand" in again.out
