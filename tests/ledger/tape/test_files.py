"""Files that cannot be used at all, and the forms that can."""

import json
from pathlib import Path

import pytest

from domain.errors import BadInput
from ledger.tape import TapeFiles, take_in
from tests.ledger.samples import Pool, Standing
from tests.ledger.tape.tapes import ENTRIES_HEADER, GOOD, contents, take, written

CLOCK = Standing()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "entries file .*entries.csv cannot be read .No such file or directory."),
        (b"", "is empty: begin with the line entry_id,loan_id"),
        (b"entry_id,loan_id,kind,amount,value_date,reverses\n", "lacks the column currency"),
        (ENTRIES_HEADER.encode() + b",kind\n", "has the column 'kind' twice"),
        (ENTRIES_HEADER.encode() + b"\nE-3,L-1,pay\xffment\n", "is not UTF-8 in line 2"),
        (ENTRIES_HEADER.encode() + b"\n\xc3", "is not UTF-8 in line 2"),
    ],
)
async def test_one_unusable_file_and_nothing_is_taken(
    pool: Pool, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    files = written(tmp_path, GOOD)
    assert files.entries
    files.entries.unlink() if content is None else files.entries.write_bytes(content)
    with pytest.raises(BadInput, match=sentence):
        await take_in(pool, files, clock=CLOCK)
    assert await pool.fetchval("select count(*) from loans") == 0


async def test_a_strategy_that_nobody_published(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="strategy 'harsh' is not published"):
        await take(pool, tmp_path, GOOD, strategy="harsh")


async def test_rejects_that_cannot_be_written_stop_the_intake(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"rejects file .* cannot be written"):
        await take(pool, tmp_path, GOOD, rejects=tmp_path / "none" / "rejects.csv")
    assert await pool.fetchval("select count(*) from loans") == 0


async def test_json_lines_say_the_same(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    taken = await contents(pool)
    paths = {}
    for name, (header, *rows) in GOOD.items():
        paths[name] = tmp_path / f"{name}.jsonl"
        objects = [dict(zip(header.split(","), row.split(","), strict=True)) for row in rows]
        paths[name].write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
    report = await take_in(pool, TapeFiles(**paths), clock=CLOCK)
    assert all(c.unchanged == c.read > 0 for c in report.counts.values())
    assert await contents(pool) == taken


async def test_json_is_read_with_care(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    start = '{"loan_id": "L-1", "kind": "payment", "currency": "EUR", "value_date": "2026-03-07", '
    lines = [
        start + '"entry_id": "J-1", "amount": 35}',
        start + '"entry_id": "J-2", "amount": 35.5}',
        start + '"entry_id": "J-3", "amount": "35.50", "reverses": null, "remark": "ours"}',
        start + '"entry_id": "J-\\u0000", "amount": "1"}',
        start + '"entry_id": "J-\\ud800", "amount": "1"}',
        start + '"entry_id": "J-6", "amount": ["1"]}',
        "[]",
        "",
        "{",
    ]
    file = tmp_path / "entries.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    report = await take_in(pool, TapeFiles(entries=file), clock=CLOCK)
    assert [s.removeprefix("entries.jsonl ") for s in report.sentences] == [
        'line 2: amount is a JSON number with decimals: write it as a string such as "12.50", which loses nothing.',
        "line 4: entry_id holds a control character: remove it.",
        "line 5: entry_id holds a control character: remove it.",
        "line 6: amount is a list or an object: write one text.",
        "line 7: the line is not a JSON object: write one object a line.",
        "line 9: the line is not JSON: write one object a line.",
    ]
    assert (report.counts["entries"].read, report.counts["entries"].new) == (8, 2)


async def test_odd_but_readable_csv(pool: Pool, tmp_path: Path) -> None:
    files = written(tmp_path, GOOD)
    assert files.entries
    text = (
        f"\ufeff{ENTRIES_HEADER},remark\r\n\r\n"
        'E-5,L-1,"payment",1,EUR,2026-03-05,,"two\nlines"\r\nE-6,L-1,payment,0,EUR,2026-03-05,,\r\n'
    )
    files.entries.write_text(text, encoding="utf-8", newline="")
    report = await take_in(pool, files, clock=CLOCK)
    assert report.ignored == ["entries.csv: remark"]
    assert report.sentences == ["entries.csv line 5: amount is zero: leave the row out, or give the amount that moved."]
    assert report.counts["entries"].new == 1


async def test_a_zero_byte_spoils_its_row_alone(pool: Pool, tmp_path: Path) -> None:
    files = written(tmp_path, GOOD)
    assert files.entries
    with files.entries.open("a", encoding="utf-8") as file:
        file.write("E-7,L-1,pay\0ment,1,EUR,2026-03-05,\nE-8,L-1,payment,1,EUR,2026-03-05,\n")
    report = await take_in(pool, files, clock=CLOCK)
    assert report.sentences == ["entries.csv line 4: the row holds a zero byte: remove it."]
    assert report.counts["entries"].new == 3


async def test_progress_ends_at_the_end(pool: Pool, tmp_path: Path) -> None:
    files = written(tmp_path, GOOD)
    told: dict[str, tuple[int, int]] = {}
    await take_in(pool, files, clock=CLOCK, progress=lambda name, done, size: told.__setitem__(name, (done, size)))
    assert told == {f"{n}.csv": ((tmp_path / f"{n}.csv").stat().st_size,) * 2 for n in GOOD}
