"""The commands that take in files, as a person calls them."""

import json
from decimal import Decimal
from pathlib import Path

import phonenumbers

from arrears.portfolio import write_portfolio
from ledger.tape import TapeFiles, take_in
from tests.commands import arrears
from tests.ledger.samples import Pool, Standing
from tests.ledger.tape.tapes import with_row, written


async def test_a_tape_with_a_bad_row(database_url: str, tmp_path: Path) -> None:
    files = written(tmp_path, with_row("entries", "E-9,L-1,payment,0.00,EUR,2026-03-07,"))
    tape = ["--loans", files.loans, "--instalments", files.instalments, "--entries", files.entries]
    done = await arrears(database_url, "intake", *tape, "--json")
    assert done.code == 0, done.err
    none = {"changed": 0, "unchanged": 0, "rejected": 0}
    assert json.loads(done.out) == {
        "loans": {"read": 2, "new": 2, **none},
        "instalments": {"read": 2, "new": 2, **none},
        "entries": {"read": 3, "new": 2, **none, "rejected": 1},
    }
    sentence = "entries.csv line 4: amount is zero: leave the row out, or give the amount that moved.\n"
    assert done.err == sentence

    rejects = tmp_path / "rejects.csv"
    again = await arrears(database_url, "intake", *tape, "--rejects", rejects)
    assert "entries: 3 read, 2 unchanged, 1 rejected." in again.out.splitlines()
    assert again.err == f"1 rows refused: see {rejects}.\n"
    assert len(rejects.read_text("utf-8").splitlines()) == 2

    alone = await arrears(database_url, "entries", "--file", files.entries, "--json")
    assert json.loads(alone.out)["entries"]["unchanged"] == 2


async def test_a_file_that_is_not_there(database_url: str, tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    done = await arrears(database_url, "intake", "--loans", missing, "--json")
    assert done.code == 2
    error = json.loads(done.out)["error"]
    assert error["message"] == f"loans file {missing} cannot be read (No such file or directory): check its path."


async def test_a_made_up_portfolio(pool: Pool, tmp_path: Path) -> None:
    paths = write_portfolio(300, 7, tmp_path / "one")
    again = write_portfolio(300, 7, tmp_path / "two")
    assert [p.read_bytes() for p in paths] == [p.read_bytes() for p in again]
    assert paths[0].read_bytes() != write_portfolio(300, 8, tmp_path / "three")[0].read_bytes()

    report = await take_in(pool, TapeFiles(**{p.stem: p for p in paths}), clock=Standing())
    assert report.sentences == report.ignored == []
    assert (report.counts["loans"].new, report.counts["instalments"].new) == (300, 1800)
    assert await pool.fetchval("select count(distinct borrower_id) from loans") == 286
    assert await pool.fetchval("select count(distinct currency) from loans") >= 5
    numbers = await pool.fetch("select distinct value from contact_points where kind = 'mobile'")
    for row in numbers:
        assert row["value"][5:10] == "55501"
        assert phonenumbers.is_possible_number(phonenumbers.parse(row["value"]))
    assert await pool.fetchval("select min(amount) from entries") > Decimal(0)


async def test_people_hear_of_loans_for_which_nothing_can_be_filed(database_url: str, tmp_path: Path) -> None:
    files = written(tmp_path, with_row("entries", "E-9,L-99,payment,1.00,EUR,2026-03-07,"))
    done = await arrears(database_url, "intake", "--loans", files.loans, "--entries", files.entries)
    assert "Loans without limitation_on: 2; nothing will be filed for them until it is given.\n" in done.out
    assert "entries: 3 read, 3 new, 1 of them in suspense.\n" in done.out


async def test_looking_at_a_feed_does_not_make_it_new(pool: Pool, database_url: str) -> None:
    shown = await arrears(database_url, "feed", "--hours", "24", "--json")
    assert (json.loads(shown.out)["fed_at"], json.loads(shown.out)["feed_hours"]) == (None, 24), shown.err
    assert json.loads((await arrears(database_url, "feed", "--came", "--json")).out)["fed_at"] is not None
    await pool.execute("update feeds set fed_at = '2026-03-01Z'")
    assert json.loads((await arrears(database_url, "feed", "--json")).out)["fed_at"].startswith("2026-03-01")
