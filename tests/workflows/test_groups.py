"""Each command of a stage is in the stage's group, on a server that keeps them."""

import asyncpg
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from tests.case import Case
from tests.scenario import scene_on
from tests.workflows.test_rollover import AFTERNOON

GROUPED = {
    EventType.EVENT_TYPE_TIMER_STARTED: "timer",
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activity",
    EventType.EVENT_TYPE_MARKER_RECORDED: "local activity",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "upsert",
}


def stages(event: HistoryEvent) -> list[str]:
    return [marker.label.id for marker in event.event_group_markers]


async def grouped(case: Case) -> list[tuple[str, list[str]]]:
    """Every command that became an event, with its groups, over all runs."""
    events = [event for history in await case.histories() for event in history.events]
    return [(GROUPED[e.event_type], stages(e)) for e in events if e.event_type in GROUPED]


async def test_each_command_of_a_stage_is_in_its_group(
    pool: "asyncpg.Pool[asyncpg.Record]", dev_server: Client
) -> None:
    async with scene_on(pool, dev_server, start=AFTERNOON) as scene:
        case = await scene.loan()
        await case.open(roll_over_after=20)
        await case.poke()
        await case.pay("100")
        first, *rest = await grouped(case)
        assert first == ("local activity", [])  # before it nobody knows the stage
        entered = rest.index(("upsert", ["probation"]))
        assert {kind for kind, _ in rest} == set(GROUPED.values())
        assert [groups for _, groups in rest] == [["sms"]] * entered + [["probation"]] * (len(rest) - entered)
        assert len(await case.histories()) > 1
