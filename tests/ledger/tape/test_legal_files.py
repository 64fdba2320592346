"""Notices and limitation: taken in, versioned, and refused by the row."""

from pathlib import Path

import pytest

from tests.ledger.samples import Pool
from tests.ledger.tape.tapes import GOOD, take, with_row


async def test_they_are_taken_once_and_versioned(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    assert await pool.fetchval("select kind from notices where notice_id = 'N-1'") == "default"
    assert await pool.fetchval("select years from limitation_events") == 6
    again = await take(pool, tmp_path, GOOD)
    assert (again.counts["notices"].unchanged, again.counts["limitation"].unchanged) == (1, 1)
    moved = {**GOOD, "notices": [GOOD["notices"][0], "N-1,L-1,default,2026-03-11,letter,RR123456789GB"]}
    assert (await take(pool, tmp_path, moved)).counts["notices"].changed == 1
    assert await pool.fetchval("select version from notices") == 2
    assert await pool.fetchval("select row ->> 'served_on' from tape_history where kind = 'notices'") == "2026-03-10"


@pytest.mark.parametrize(
    ("file", "row", "reason"),
    [
        ("notices", "N-2,L-9,default,2026-03-10,letter,", "loan L-9 is unknown: put it into the loans file."),
        ("limitation", "L-1,V-2,start,2026-03-01,,", "years is empty: say after how many a debt is time-barred."),
        ("limitation", "L-1,V-2,start,2026-03-01,,0", "years is 0: write whole years, 1 to 99."),
        ("limitation", "L-1,V-2,begin,2026-03-01,,6", "begin"),
    ],
)
async def test_a_bad_row_is_refused_and_the_rest_taken(
    pool: Pool, tmp_path: Path, file: str, row: str, reason: str
) -> None:
    report = await take(pool, tmp_path, with_row(file, row))
    assert report.counts[file].rejected == 1
    assert reason in report.sentences[0]
    assert report.counts[file].new == 1
