"""Files that cannot be used at all, and the forms that can."""

import csv
import json
from pathlib import Path

import pytest

from domain.errors import BadInput
from ledger.tape import TapeFiles, take_in
from ledger.tape.money_files import ENTRIES
from ledger.tape.reading import inspect
from tests.ledger.samples import Pool, Standing
from tests.ledger.tape.tapes import ENTRIES_HEADER, GOOD, contents, take, written

CLOCK = Standing()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "entries file .*entries.csv cannot be read .No such file or directory."),
        (b"", "is empty: begin with the line entry_id,loan_id"),
        (b"entry_id,loan_id,kind,amount,value_date,reverses\n", "lacks the column currency"),
        (ENTRIES_HEADER.replace(",", ";").encode(), "entries.csv separates its columns by semicolons: save it with"),
        (ENTRIES_HEADER.replace(",", "\t").encode(), "separates its columns by tabs: save it with commas."),
        (b"\x1f\x8b\x08", "is packed by gzip: unpack it first, with gunzip."),
        (b"PK\x03\x04\x14", "is a zip or a workbook: unpack it, or save its sheet as CSV."),
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


async def test_rejects_take_no_files_place_and_appear_whole(pool: Pool, tmp_path: Path) -> None:
    files = written(tmp_path, GOOD)
    assert files.entries
    stood = files.entries.read_text("utf-8")
    link = tmp_path / "rejects.csv"
    link.symlink_to(files.entries)
    for rejects in (files.entries, link):
        with pytest.raises(BadInput, match=r"rejects file .*csv is the entries file itself: name another\."):
            await take_in(pool, files, clock=CLOCK, rejects=rejects)
    assert files.entries.read_text("utf-8") == stood
    link.unlink()
    link.write_text("of yesterday")
    before = set(tmp_path.iterdir())
    await pool.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'no' using errcode = '40P01'; end $$"
    )
    await pool.execute(
        "create constraint trigger late after insert on entries initially deferred for each row execute function refuse()"
    )
    with pytest.raises(BadInput, match="the tape and another command waited for each other, and nothing was taken"):
        await take_in(pool, files, clock=CLOCK, rejects=link)
    await pool.execute("drop trigger late on entries")
    await take_in(pool, files, clock=CLOCK, rejects=link)
    assert link.read_text() == "file,line,field,reason,row\n"
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".json", ".JSONL"])
def test_what_json_lines_are_called(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"entries{suffix}"
    path.write_text("{}\n")
    assert inspect(path, ENTRIES).jsonl


async def test_a_quote_that_is_left_open_says_up_to_where(pool: Pool, tmp_path: Path) -> None:
    files = written(tmp_path, GOOD)
    assert files.entries
    row = 'E-7,L-1,"payment,1,EUR,2026-03-05,\n'
    rows = [row, row, "E-8,L-1,payment,1,EUR,2026-03-05,\n", row, "E-9,L-1,payment,1,EUR,2026-03-05,\n"]
    with files.entries.open("a", encoding="utf-8") as file:
        file.writelines(rows)
    report = await take_in(pool, files, clock=CLOCK)
    assert report.sentences == [
        "entries.csv line 4: the row from line 4 to line 5 is no CSV (',' expected after '\"'): correct its quotes.",
        "entries.csv line 7: the row from line 7 to line 8 is no CSV (unexpected end of data): correct its quotes.",
    ]
    assert report.counts["entries"].new == 3


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
        start + '"entry_id": "J-8", "amount": "1", "amount": "2"}',
    ]
    file = tmp_path / "entries.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    report = await take_in(pool, TapeFiles(entries=file), clock=CLOCK, rejects=tmp_path / "rejects.csv")
    assert report.ignored == ["entries.jsonl: remark"]
    with (tmp_path / "rejects.csv").open(encoding="utf-8", newline="") as refused:
        fields = [r["field"] for r in csv.DictReader(refused)]
    assert fields == ["amount", "entry_id", "entry_id", "amount", "", "", "amount"]
    assert [s.removeprefix("entries.jsonl ") for s in report.sentences] == [
        'line 2: amount is a JSON number with decimals: write it as a string such as "12.50", which loses nothing.',
        "line 4: entry_id holds a control character: remove it.",
        "line 5: entry_id holds a control character: remove it.",
        "line 6: amount is a list or an object: write one text.",
        "line 7: the line is not a JSON object: write one object a line.",
        "line 9: the line is not JSON: write one object a line.",
        "line 10: amount is in the line twice: keep one of the two.",
    ]
    assert (report.counts["entries"].read, report.counts["entries"].new) == (9, 2)


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
