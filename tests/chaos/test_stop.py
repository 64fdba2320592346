"""The stop button in the middle of a burst; `make chaos` does it with 500 loans."""

import asyncio
from typing import Any

import pytest

from activities.gate import Gatekeeper
from tests.activities.bench import Bench
from tests.chaos.stopping import burst


async def test_nobody_is_contacted_in_shadow_nor_after_the_stop(bench: Bench) -> None:
    result = await burst(bench, 100, presses=3)
    assert (result.shadowed, result.heard_in_shadow, result.presses) == (100, 0, 3)
    assert result.after_stop == 0
    assert result.sent + result.put_off == 100
    assert result.sent >= 40  # it was pressed in the middle
    assert result.put_off >= 20
    assert await bench.violations() == []


async def test_a_button_that_waits_for_nobody_is_overtaken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(conn: Any) -> None: ...

    permit = Gatekeeper.permit

    async def slowly(self: Gatekeeper, case: Any, meant: Any) -> Any:
        """Between the gate's look at the stops and the commit there is time enough to press."""
        verdict = await permit(self, case, meant)
        await asyncio.sleep(0.05)
        return verdict

    monkeypatch.setattr(Gatekeeper, "permit", slowly)
    monkeypatch.setattr("ledger.stops.STOPS.wait_for_those_passing", at_once)
    result = await burst(bench, 60, presses=12)
    assert result.after_stop > 0
    assert result.failures == {"after_stop": result.after_stop}
