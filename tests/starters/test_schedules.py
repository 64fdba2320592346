from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client, ScheduleOverlapPolicy

from starters.schedules import HOUR, MINUTE, schedule_id, schedule_sweeps
from tests.case import poll
from tests.ledger.samples import Pool
from tests.scenario import Scene, scene_on


@pytest.fixture
async def scene(pool: Pool, dev_server: Client) -> AsyncIterator[Scene]:
    async with scene_on(pool, dev_server) as scene:
        yield scene
        for lender_id in ("default", "far"):
            if any([s.id == schedule_id(lender_id) async for s in await dev_server.list_schedules()]):
                await dev_server.get_schedule_handle(schedule_id(lender_id)).delete()


async def test_each_lender_has_its_sweep_at_the_start_of_its_own_day(scene: Scene) -> None:
    zones = {"default": "Asia/Shanghai", "far": "America/Santiago"}
    assert await schedule_sweeps(scene.client, zones) == ["sweep-default", "sweep-far"]
    for lender_id, zone in zones.items():
        told = await scene.client.get_schedule_handle(schedule_id(lender_id)).describe()
        coming = [at.astimezone(ZoneInfo(zone)) for at in told.info.next_action_times]
        assert {(at.hour, at.minute) for at in coming} == {(HOUR, MINUTE)}
        assert len({at.date() for at in coming}) == len(coming) > 1
        assert told.schedule.policy.overlap is ScheduleOverlapPolicy.BUFFER_ONE


async def test_registered_again_it_takes_the_new_zone_and_stays_paused(scene: Scene) -> None:
    await schedule_sweeps(scene.client, {"default": "Asia/Shanghai"})
    handle = scene.client.get_schedule_handle(schedule_id("default"))
    await handle.pause(note="the tape is late")
    await schedule_sweeps(scene.client, {"default": "Europe/Rome"})
    told = await handle.describe()
    assert told.schedule.spec.time_zone_name == "Europe/Rome"
    assert told.schedule.state.paused
    assert told.schedule.state.note == "the tape is late"


async def test_what_it_starts_opens_the_cases_of_that_lender(scene: Scene) -> None:
    due = await scene.loan((3, "100"))
    await schedule_sweeps(scene.client, {"default": "Europe/Rome"})
    await scene.client.get_schedule_handle(schedule_id("default")).trigger()

    async def begun() -> bool:
        row = await due.row()
        return row is not None and row["open"] and row["next_step"] is not None

    await poll(begun, "the scheduled sweep to open a case")
    scene.cases.append(due)
