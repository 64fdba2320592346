"""A short upgrade drill; `make upgrade-drill` is the long one, with ten cases in each condition."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.environment import in_memory
from tests.upgrade.back import back_drill
from tests.upgrade.drill import LONGEST, upgrade_drill


@pytest.mark.timeout(LONGEST + 60)
async def test_a_newer_build_takes_the_cases_over_and_the_older_one_drains() -> None:
    # Not in pytest's folder, which each new run closes to the account that PostgreSQL has in root's stead.
    with TemporaryDirectory(prefix="arrears-upgrade-", dir=in_memory()) as folder:
        result = await upgrade_drill(Path(folder), 2, lambda line: None)
    assert result["failures"] == {name: [] for name in result["failures"]}
    assert result["open by build before the poke"]["A"] >= 2  # those that sleep, at least
    assert result["runs of A that B cannot replay"] >= 6


@pytest.mark.timeout(LONGEST + 60)
async def test_cases_that_fail_on_a_newer_build_go_back() -> None:
    with TemporaryDirectory(prefix="arrears-back-", dir=in_memory()) as folder:
        result = await back_drill(Path(folder), 2, lambda line: None)
    assert result["failures"] == {name: [] for name in result["failures"]}
    assert result["failed on BAD"] == 2
