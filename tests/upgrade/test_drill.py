"""A short upgrade drill; `make upgrade-drill` is the long one, with ten cases in each condition."""

from pathlib import Path

from tests.upgrade.drill import upgrade_drill


async def test_a_newer_build_takes_the_cases_over_and_the_older_one_drains(tmp_path: Path) -> None:
    told: list[str] = []
    result = await upgrade_drill(tmp_path, 2, told.append)
    assert result["failures"] == {name: [] for name in result["failures"]}
    assert result["open by build before the poke"]["A"] >= 2  # those that sleep, at least
    assert result["runs of A that B cannot replay"] >= 6
    assert any("drained" in line for line in told)
