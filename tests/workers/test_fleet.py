"""What the workers of a fleet are told: who takes how much."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiolimiter import AsyncLimiter
from temporalio.client import Client

from activities import registry
from activities.contracts import CASES, CONTACT, OFFICE
from activities.registry import World
from activities.reminding import Reminding
from workers import fleet

NOBODY = cast(Any, SimpleNamespace())


def world(client: Client, **more: Any) -> World:
    return World(NOBODY, NOBODY, client, NOBODY, "+12015550199", **more)


async def test_temporal_holds_contacts_back_and_nothing_else(dev_server: Client) -> None:
    workers = fleet.build(dev_server, world(dev_server), tuning=fleet.Tuning(cached_cases=7, contacts_per_second=5))
    async with fleet.running(workers):  # one that never ran would keep its queue from the next
        limits = {w.task_queue: w.config().get("max_task_queue_activities_per_second") for w in workers}
        assert limits == {CASES: None, CONTACT: 5, OFFICE: None}
        assert {w.config().get("max_cached_workflows") for w in workers} == {7}


@pytest.mark.parametrize(("rate", "apart"), [(None, None), (5.0, 0.2), (0.5, 2.0)])
def test_reminders_wait_for_their_turn(
    dev_server: Client, monkeypatch: pytest.MonkeyPatch, rate: float | None, apart: float | None
) -> None:
    made: list[Reminding] = []

    class Watched(Reminding):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(registry, "Reminding", Watched)
    registry.activities_by_queue(world(dev_server, reminders_per_second=rate))
    [reminding] = made
    if apart is None:
        assert not isinstance(reminding.pace, AsyncLimiter)
    else:
        assert isinstance(reminding.pace, AsyncLimiter)
        assert (reminding.pace.max_rate, reminding.pace.time_period) == (1, apart)
