"""What typical journeys may cost on Temporal (design.md 8)."""

import pytest

from benchmarks.journeys import BOUNDS, Cost, cost
from tests.histories.stories import STORIES
from tests.scenario import Scene


@pytest.mark.parametrize("name", list(BOUNDS))
async def test_a_journey_costs_no_more_than_its_bound(scene: Scene, name: str) -> None:
    took = cost(await (await STORIES[name](scene)).histories())
    assert Cost(*map(min, zip(took, BOUNDS[name], strict=True))) == took
