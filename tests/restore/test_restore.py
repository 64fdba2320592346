"""A short drill; `make restore-drill` has all three, with more loans and a text in flight."""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from tests.environment import in_memory
from tests.restore.__main__ import well
from tests.restore.drill import drill


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not in pytest's folder, which each new run closes to the account that PostgreSQL has in root's stead.
    made = Path(mkdtemp(prefix="arrears-restore-", dir=in_memory()))
    yield made
    rmtree(made)


@pytest.mark.timeout(300)
async def test_a_ledger_that_went_back_in_time_is_brought_up_to_what_others_know(folder: Path) -> None:
    result = await drill(folder, "ledger", 3, day=2, in_flight=False)
    assert well(result), result
    first, last, again = result["recovered"]
    assert first["missing"]["loans"] == ["default/NEW-0"]
    assert len(first["missing"]["entries"]) == result["payments"]["sent"] == 4
    assert not any(last["missing"].values())
    assert first["contacts"] + last["contacts"] + 2 >= result["lost with the backup"]["contacts"] > 0
    done = ("contacts", "settled", "tasks", "messages", "replies", "strangers", "started", "told_again")
    assert {name: again[name] for name in done} == dict.fromkeys(done, 0)
    assert (first["replies"], first["messages"]) == (1, 3)
