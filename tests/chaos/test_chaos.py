"""A short chaos run; `make chaos` is the long one, with 300 deaths and more over at least 500 contacts."""

from pathlib import Path

import asyncpg
import pytest

from tests.chaos.run import Plan, chaos
from tests.chaos.switches import Switch


async def test_killed_workers_and_a_failing_carrier_do_nothing_twice(
    pool: "asyncpg.Pool[asyncpg.Record]", database_url: str, tmp_path: Path
) -> None:
    result = await chaos(pool, database_url, tmp_path, Plan(kills=15, intended=40, sweep=False))
    assert result["failures"] == {name: [] for name in result["failures"]}
    assert result["errors"] == {}
    assert result["kills"] >= 15
    assert result["lines killed at"] >= 8
    assert result["intended"] >= 40
    assert result["messages"] >= 20
    assert result["payments"] > 0


@pytest.mark.parametrize("switch", ["look-up", "state"])
async def test_a_run_without_one_of_the_mechanisms_finds_it(
    pool: "asyncpg.Pool[asyncpg.Record]", database_url: str, tmp_path: Path, switch: Switch
) -> None:
    plan = Plan(kills=5, intended=30, days=1, sweep=False, alone=True, without=switch)
    result = await chaos(pool, database_url, tmp_path, plan)
    assert result["failures"]["doubles"]
