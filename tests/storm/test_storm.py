"""Short storms; `make storm` is the long one, with 20,000 entries and five deaths of each part."""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from tests.environment import in_memory
from tests.storm.parts import PARTS, last_line, unasked
from tests.storm.run import Plan, storm


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not in pytest's folder, which each new run closes to the account that PostgreSQL has in root's stead.
    made = Path(mkdtemp(prefix="arrears-storm-", dir=in_memory()))
    yield made
    rmtree(made)


@pytest.mark.timeout(300)
async def test_no_payment_is_lost_and_none_counts_twice_while_every_part_dies(folder: Path) -> None:
    result = await storm(folder, Plan(sends=300, kills=1))
    assert result["failures"] == {name: [] for name in result["failures"]}
    assert result["kills"] == dict.fromkeys(PARTS, 1)
    assert (result["sent"], result["acknowledged"]) == (300, 240)
    assert result["in the ledger"] + result["in suspense"] == 240
    assert result["open cases"] == result["cases opened by the sweep"] == 8
    assert result["entries told to cases"] == result["in the ledger"]


@pytest.mark.timeout(300)
async def test_a_storm_without_the_outbox_finds_it(folder: Path) -> None:
    result = await storm(folder, Plan(sends=60, kills=0, without="outbox"))
    assert result["failures"]["cases"]
    assert len(result["failures"]["untold"]) == result["in the ledger"] > 0
    assert not result["failures"]["lost"]


def test_a_program_may_end_by_itself_only_where_a_part_is_away(tmp_path: Path) -> None:
    log = tmp_path / "relay.log"
    said = "the database cannot be reached (it starts up\nDETAIL: recovery): start it, or correct ARREARS_DATABASE_URL."
    log.write_text(f"the relay is ready\n{said}\n\n")
    away = last_line(log)
    log.write_text('Traceback (most recent call last):\nKeyError: "the relay"\n')
    assert unasked("relay", [away, last_line(log)]) == ['the relay ended by itself: KeyError: "the relay"']
