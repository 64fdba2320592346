"""Files that the database reads by itself, and those that it must not: both give the same."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger.tape import TapeFiles, take_in
from ledger.tape.kind import FileKind
from ledger.tape.money_files import INSTALMENTS
from ledger.tape.plain import Plain
from ledger.tape.reading import inspect
from tests.ledger.samples import Pool, Standing
from tests.ledger.tape.tapes import GOOD, contents, take

HEADER = "loan_id,number,due_on,principal,interest,fee"
LINE = "L-1,1,2026-03-01,90.00,10.00,0"
CLOCK = Standing()


def matches(kind: FileKind, column: str, value: str) -> bool:
    return re.fullmatch(kind.sound[column], value.encode()) is not None


@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("loan_id", ("", " L-1", "L-1 ", "L\t1", "L,1", "x" * 201)),
        ("number", ("", "x", "-1", "01", "1.0", "1234567890")),
        ("due_on", ("", "2026-02-30", "2026-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-1-1", "20260101")),
        ("principal", ("", "x", "-1", "1e3", "1000000000000", ".5", "5.", "12,50")),
    ],
)
def test_what_a_check_refuses_meets_no_pattern(column: str, bad: tuple[str, ...]) -> None:
    assert not [value for value in bad if matches(INSTALMENTS, column, value)]


def test_every_day_that_meets_the_pattern_is_one() -> None:
    days = [f"{y:04}-{m:02}-{d:02}" for y in (1999, 2024, 2026) for m in range(14) for d in range(33)]
    real = {(date(1999, 1, 1) + timedelta(days=n)).isoformat() for n in range(11000)}
    met = {day for day in days if matches(INSTALMENTS, "due_on", day)}
    assert met <= real
    assert len(met) == 3 * 365


async def looked_at(path: Path) -> bool:
    plain = Plain(inspect(path, INSTALMENTS), None)
    _ = [chunk async for chunk in plain.chunks()]
    return plain.sound


@pytest.mark.parametrize(
    ("lines", "sound"),
    [
        ([LINE], True),
        ([LINE, LINE.replace("2026-03-01", "2026-02-30")], False),
        ([LINE, "L-1,1,2026-03-01,90.00,10.00"], False),
        ([LINE, ""], False),
    ],
)
async def test_which_files_need_no_closer_look(tmp_path: Path, lines: list[str], sound: bool) -> None:
    path = tmp_path / "instalments.csv"
    for end in ("\n", "\r\n"):
        path.write_text(end.join([HEADER, *lines]) + end, encoding="utf-8", newline="")
        assert await looked_at(path) == sound


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"{HEADER}\n{LINE}\nL-1,2,2026-02-30,1,0,0\n",
            "line 3: due_on '2026-02-30' is not a date: write it as 2026-01-31.",
        ),
        (f"{HEADER}\n{LINE}\n\nL-1,2,x,1,0,0\n", "line 4: due_on 'x' is not a date: write it as 2026-01-31."),
        (f"{HEADER}\n{LINE}\nL-1,2\n", "line 3: the row has 2 columns, the header 6: add or remove some."),
        (f'{HEADER}\n{LINE}\n"L-1",2,x,1,0,0\n', "line 3: due_on 'x' is not a date: write it as 2026-01-31."),
        (f"{HEADER}\r\n{LINE}\r\nL-1,2,x,1,0,0\n", "line 3: due_on 'x' is not a date: write it as 2026-01-31."),
        (f"\ufeff{HEADER}\n{LINE}\nL-1,2,x,1,0,0", "line 3: due_on 'x' is not a date: write it as 2026-01-31."),
        (f"{HEADER},note\n{LINE},\nL-1,2,x,1,0,0,\n", "line 3: due_on 'x' is not a date: write it as 2026-01-31."),
    ],
)
async def test_lines_are_counted_alike(pool: Pool, tmp_path: Path, text: str, sentence: str) -> None:
    await take(pool, tmp_path, {"loans": GOOD["loans"]})
    path = tmp_path / "instalments.csv"
    path.write_text(text, encoding="utf-8", newline="")
    report = await take_in(pool, TapeFiles(instalments=path), clock=CLOCK)
    assert report.sentences == [f"instalments.csv {sentence}"]
    assert report.counts["instalments"].new == 1


async def test_quotes_change_nothing(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    stands = await contents(pool)
    quoted = {
        name: [",".join(f'"{value}"' for value in line.split(",")) for line in lines] for name, lines in GOOD.items()
    }
    report = await take(pool, tmp_path, quoted)
    assert all((c.new, c.changed, c.rejected) == (0, 0, 0) for c in report.counts.values())
    assert await contents(pool) == stands
