"""A Temporal Schedule for each lender: its sweep at the start of its business day, whether or not any process of ours runs then."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import asyncpg
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from activities.contracts import CASES, SweepRequest

# The day has begun everywhere by then, nobody may be contacted yet, and no zone's clock ever jumps over this minute.
HOUR, MINUTE = 4, 5


def schedule_id(lender_id: str) -> str:
    """The id of a lender's schedule."""
    return f"sweep-{lender_id}"


def daily_sweep(lender_id: str, timezone: str) -> Schedule:
    """One sweep a day in the lender's zone. One that is late is done once; one still under way is followed by the next."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "DelinquencySweep",
            SweepRequest(lender_id=lender_id),
            id=schedule_id(lender_id),
            task_queue=CASES,
            static_summary="Opens cases for what became due",
        ),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(HOUR)], minute=[ScheduleRange(MINUTE)])],
            time_zone_name=timezone,
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=timedelta(days=1)),
    )


async def schedule_lenders(client: Client, pool: "asyncpg.Pool[asyncpg.Record]") -> list[str]:
    """Give every lender in the ledger its schedule. Not for a fast clock, whose days Temporal's schedules do not know."""
    rows = await pool.fetch("select lender_id, timezone from lenders")
    return await schedule_sweeps(client, {row["lender_id"]: row["timezone"] for row in rows})


async def schedule_sweeps(client: Client, zones: Mapping[str, str]) -> list[str]:
    """Give each lender, named with its zone, its schedule, or bring it up to date; one that was paused stays so. Returns their ids."""
    for lender_id, timezone in sorted(zones.items()):
        await _put(client, schedule_id(lender_id), daily_sweep(lender_id, timezone))
    return [schedule_id(lender_id) for lender_id in sorted(zones)]


async def _put(client: Client, named: str, schedule: Schedule) -> None:
    def changed(now: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(schedule=replace(schedule, state=now.description.schedule.state))

    try:
        await client.create_schedule(named, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(named).update(changed)
