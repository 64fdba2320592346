"""What typical journeys cost on Temporal, in events of history and billable actions: `python -m benchmarks.journeys`.

Each is lived anew on the server whose clock jumps, over a real ledger. An action is what Temporal's pricing page counts: a start (a run that goes on
as new is one), a timer, an activity and each of its retries, a signal, an update, a change of search attributes; local activities of one
workflow task are one together. `tests/workflows/test_budget.py` holds both figures under the bounds below.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.histories.record import lived
from tests.histories.stories import STORIES

ONE_EACH = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    }
)


class Cost(NamedTuple):
    """Events of history and billable actions, over all runs of one case."""

    events: int
    actions: int


# The most that each may cost. Whoever raises one says in the change what it buys.
BOUNDS = {
    "sms_cure": Cost(52, 15),
    "promise": Cost(112, 31),
    "bounce": Cost(114, 32),
    "plan": Cost(206, 60),
    "legal_cure": Cost(183, 51),
    "suit": Cost(228, 63),
}


def cost(histories: Sequence[WorkflowHistory]) -> Cost:
    """What the runs of one case cost."""
    return Cost(sum(len(h.events) for h in histories), sum(_actions(h.events) for h in histories))


def _actions(events: Sequence[HistoryEvent]) -> int:
    plain = sum(e.event_type in ONE_EACH for e in events)
    retries = sum(
        e.activity_task_started_event_attributes.attempt - 1
        for e in events
        if e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    )
    local = {
        e.marker_recorded_event_attributes.workflow_task_completed_event_id
        for e in events
        if e.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
    }
    return plain + retries + len(local)


async def measure() -> dict[str, Cost]:
    """Live the journeys."""
    found: dict[str, Cost] = {}
    async for name, histories in lived(list(BOUNDS)):
        found[name] = cost(histories)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = asyncio.run(measure())
    for name, (events, actions) in found.items():
        print(f"{name}: {events} events, {actions} actions ({(STORIES[name].__doc__ or '').splitlines()[0]})")
    if asked.json:
        asked.json.write_text(json.dumps({name: each._asdict() for name, each in found.items()}), encoding="utf-8")


if __name__ == "__main__":
    main()
