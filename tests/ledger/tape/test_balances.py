"""The core system's balances: loans that begin with one, and those that are held against the ledger."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.loan import LoanKey
from domain.position import Position
from ledger.money import position_of
from ledger.posting import post_entry
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, add_task, entry
from tests.ledger.tape.tapes import GOOD, Tape, contents, take

HEADER = "loan_id,as_of,outstanding,arrears,oldest_due_on"
LATER = Standing(NOON + timedelta(days=2))
BARE = {"loans": GOOD["loans"]}
AGREES = "L-1,2026-03-09,50.00,50.00,2026-03-01"
DIFFERS = "L-1,2026-03-09,60.00,60.00,2026-03-01"


def balances(*rows: str) -> Tape:
    return {"balances": [HEADER, *rows]}


async def stands(pool: Pool, on: date, key: LoanKey = KEY) -> Position:
    async with pool.acquire() as conn:
        return await position_of(conn, key, on)


async def holding(pool: Pool) -> list[str]:
    rows = await pool.fetch("select subject_id from holds where reason = 'balance_mismatch' and released_at is null")
    return [r["subject_id"] for r in rows]


async def tasks(pool: Pool) -> list[tuple[Any, ...]]:
    rows = await pool.fetch("select task_id, status, outcome from tasks order by ordinal")
    return [tuple(r) for r in rows]


# --- loans that begin with one ---


async def test_a_loan_begins_in_mid_life(pool: Pool, tmp_path: Path) -> None:
    tape = {**BARE, **balances("L-1,2026-03-09,1000.00,120.50,2026-01-15", "L-2,2026-03-09,5000,0,")}
    report = await take(pool, tmp_path, tape)
    assert report.sentences == []
    assert (report.counts["balances"].new, report.counts["balances"].differing) == (2, 0)
    for on in (date(2026, 3, 9), date(2026, 6, 9)):
        one = await stands(pool, on)
        assert (one.outstanding, one.arrears, one.oldest_due_on) == (
            Decimal("1000.00"),
            Decimal("120.50"),
            date(2026, 1, 15),
        )
        assert (one.next_due_on, one.next_due_amount) == (None, Decimal(0))
        other = await stands(pool, on, LoanKey("default", "L-2"))
        assert (other.outstanding, other.arrears, other.cured) == (Decimal(5000), Decimal(0), True)
    assert (await stands(pool, date(2026, 3, 9))).days_past_due == 53
    posted = await pool.fetch("select entry_id, amount, value_date, reason, ledger_version from entries order by 1")
    assert [tuple(r) for r in posted] == [
        ("opening/L-1/arrears", Decimal("120.50"), date(2026, 1, 15), None, 1),
        ("opening/L-1/rest", Decimal("879.50"), date(2026, 3, 9), "not_due", 2),
        ("opening/L-2/rest", Decimal(5000), date(2026, 3, 9), "not_due", 1),
    ]
    versions = await pool.fetch("select ledger_version from loans order by loan_id")
    assert [r["ledger_version"] for r in versions] == [2, 1]

    taken = await contents(pool)
    again = await take(pool, tmp_path, tape)
    assert (again.counts["balances"].unchanged, again.counts["balances"].differing) == (2, 0)
    assert await contents(pool) == taken
    assert await holding(pool) == []


async def test_what_begins_with_a_balance_is_paid_like_any_other(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {**BARE, **balances("L-1,2026-03-09,1000,100,2026-01-15")})
    await post_entry(pool, entry("E-7", amount=Decimal(150)), Standing())
    now = await stands(pool, date(2026, 3, 9))
    assert (now.arrears, now.outstanding, now.overpaid, now.cured) == (Decimal(0), Decimal(850), Decimal(0), True)


async def test_a_loan_with_a_schedule_does_not_begin_with_a_balance(pool: Pool, tmp_path: Path) -> None:
    report = await take(pool, tmp_path, {**GOOD, **balances("L-1,2026-03-09,50,50,2026-03-01")})
    assert report.counts["balances"].differing == 0
    assert await pool.fetchval("select count(*) from entries where kind = 'opening_balance'") == 0


async def test_the_earliest_balance_begins_and_the_newest_is_compared(pool: Pool, tmp_path: Path) -> None:
    rows = ("L-1,2026-03-09,900,90,2026-01-15", "L-1,2026-03-08,1000,100,2026-01-15")
    report = await take(pool, tmp_path, {**BARE, **balances(*rows)})
    assert report.counts["balances"].differing == 1
    assert (await stands(pool, date(2026, 3, 9))).arrears == Decimal(100)
    assert await holding(pool) == ["L-1"]


async def test_a_balance_of_nothing_begins_a_loan_too(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {**BARE, **balances("L-1,2026-03-08,0,0,")})
    report = await take(pool, tmp_path, balances("L-1,2026-03-09,100,100,2026-03-01"))
    assert report.counts["balances"].differing == 1
    assert await pool.fetchval("select count(*) from entries") == 0
    assert await holding(pool) == ["L-1"]


# --- their schedules, which come later ---

SCHEDULE = ["loan_id,number,due_on,principal,interest,fee", "L-1,3,2026-04-01,400,0,0", "L-1,4,2026-05-01,500,0,0"]


async def test_a_schedule_takes_the_place_of_what_nobody_knew_the_days_of(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {**BARE, **balances("L-1,2026-03-09,1000,100,2026-01-15")})
    await add_case(pool)
    paid = {"entries": [GOOD["entries"][0], "E-7,L-1,payment,30,EUR,2026-03-10,"]}
    for _ in range(2):
        report = await take(pool, tmp_path, {"instalments": SCHEDULE, **paid})
        assert report.sentences == []
    for on in (date(2026, 3, 9), date(2026, 3, 10)):
        now = await stands(pool, on)
        left = Decimal(1000 - (30 if on.day == 10 else 0))
        assert (now.outstanding, now.arrears, now.oldest_due_on) == (left, left - 900, date(2026, 1, 15))
        assert (now.next_due_on, now.next_due_amount) == (date(2026, 4, 1), Decimal(400))
    posted = await pool.fetch("select entry_id, amount, reverses, ledger_version from entries order by ledger_version")
    assert [tuple(r) for r in posted][2:] == [
        ("E-7", Decimal(30), None, 3),
        ("opening/L-1/rest/scheduled", Decimal(900), "opening/L-1/rest", 4),
    ]
    told = await pool.fetch(
        "select each ->> 'entry_id' as id from outbox, jsonb_array_elements(payload -> 'entries') each"
    )
    assert sorted(r["id"] for r in told) == ["E-7", "opening/L-1/rest/scheduled"]
    agrees = await take(pool, tmp_path, balances("L-1,2026-03-10,970,70,2026-01-15"))
    assert agrees.counts["balances"].differing == 0


async def test_an_instalment_that_the_opening_balance_holds_is_refused(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {**BARE, **balances("L-1,2026-03-09,1000,100,2026-01-15")})
    rows = [SCHEDULE[0], "L-1,1,2026-03-09,100,0,0", "L-1,2,2026-03-09,0,0,0", "L-2,1,2026-03-01,5000,0,0"]
    report = await take(pool, tmp_path, {"instalments": rows})
    held = "the instalment is already in the opening balance of that day, leave it out."
    assert report.sentences == [f"instalments.csv line 2: due_on 2026-03-09 is not after 2026-03-09: {held}"]
    assert (await stands(pool, date(2026, 3, 9))).outstanding == 1000


# --- loans that have a ledger ---


async def test_a_balance_that_agrees(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    report = await take(pool, tmp_path, balances(AGREES))
    assert report.as_json()["balances"] == {
        "read": 1,
        "new": 1,
        "changed": 0,
        "unchanged": 0,
        "rejected": 0,
        "differing": 0,
    }
    assert (await holding(pool), await tasks(pool)) == ([], [])
    assert await pool.fetchval("select count(*) from outbox") == 0


async def test_a_balance_that_differs_holds_contact_until_one_agrees(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    report = await take(pool, tmp_path, balances(DIFFERS))
    assert report.counts["balances"].differing == 1
    assert await holding(pool) == ["L-1"]
    assert await tasks(pool) == [("L-1.1.house-reconcile-balance.1", "open", None)]
    assert await pool.fetchval("select data from tasks") == {
        "as_of": "2026-03-09",
        "core": {"outstanding": "60.00", "arrears": "60.00", "oldest_due_on": "2026-03-01"},
        "ledger": {"outstanding": "50.00", "arrears": "50.00", "oldest_due_on": "2026-03-01"},
    }
    await take(pool, tmp_path, balances(DIFFERS))
    await take(pool, tmp_path, balances("L-1,2026-03-10,70,70,2026-03-01"))
    assert len(await tasks(pool)) == 1
    assert await pool.fetchval("select data ->> 'as_of' from tasks") == "2026-03-10"
    assert await pool.fetchval("select count(*) from outbox") == 1

    await take(pool, tmp_path, balances("L-1,2026-03-11,50,50,2026-03-01"), clock=LATER)
    assert await holding(pool) == []
    assert await tasks(pool) == [("L-1.1.house-reconcile-balance.1", "done", "AGREED")]
    rows = await pool.fetch("select message, payload from outbox order by id")
    assert [tuple(r) for r in rows] == [
        ("ledger_changed", {"about": about}) for about in ("balance_differs", "balance_agrees")
    ]
    events = await pool.fetch("select kind from case_events order by id")
    assert [r["kind"] for r in events] == ["balance_differs", "balance_agrees"]

    await take(pool, tmp_path, balances("L-1,2026-03-12,51,51,2026-03-01"), clock=LATER)
    assert [t[:2] for t in await tasks(pool)][1] == ("L-1.1.house-reconcile-balance.2", "open")


async def test_an_older_balance_says_nothing_any_more(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await take(pool, tmp_path, balances("L-1,2026-03-10,50,50,2026-03-01"))
    await take(pool, tmp_path, balances(DIFFERS))
    assert await holding(pool) == []


async def test_a_balance_of_a_day_to_come_silences_none(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await pool.execute(
        "insert into balances values ('default', 'L-1', '2030-01-01', 50, 50, null)"
    )  # of an older release
    await take(pool, tmp_path, balances(DIFFERS))
    assert await holding(pool) == ["L-1"]


async def test_a_balance_agrees_once_the_missing_payment_came(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await take(pool, tmp_path, balances("L-1,2026-03-09,20,20,2026-03-01"))
    assert await holding(pool) == ["L-1"]
    rows = [GOOD["entries"][0], "E-8,L-1,payment,30,EUR,2026-03-09,"]
    await take(pool, tmp_path, {"entries": rows, **balances("L-1,2026-03-09,20,20,2026-03-01")})
    assert await holding(pool) == []


async def test_a_loan_without_a_case_gets_a_task_too(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await take(pool, tmp_path, balances("L-2,2026-03-09,5001,5000,2026-03-01"))
    assert await tasks(pool) == [("L-2.1.house-reconcile-balance.1", "open", None)]
    assert await pool.fetchval("select deadline > opened_at from tasks")


async def test_a_cure_leaves_the_question(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    await add_task(pool, "call", "call")
    rows = [GOOD["entries"][0], "E-8,L-1,payment,50,EUR,2026-03-09,"]
    await take(pool, tmp_path, {"entries": rows, **balances(DIFFERS)})
    found = await pool.fetch("select kind, status from tasks order by kind")
    assert [tuple(r) for r in found] == [("call", "withdrawn"), ("reconcile_balance", "open")]


@pytest.mark.parametrize(
    ("row", "differs"),
    [
        ("L-1,2026-03-09,50.05,50,2026-03-01", False),
        ("L-1,2026-03-09,50.06,50,2026-03-01", True),
        ("L-1,2026-03-09,50,49.94,2026-03-01", True),
        ("L-1,2026-03-09,50,50,2026-02-28", True),
        ("L-1,2026-03-09,50,50,", False),
    ],
)
async def test_how_far_apart_they_may_be(pool: Pool, tmp_path: Path, row: str, differs: bool) -> None:
    await take(pool, tmp_path, GOOD)
    await pool.execute("update lenders set balance_tolerance = 0.05")
    report = await take(pool, tmp_path, balances(row))
    assert report.counts["balances"].differing == int(differs)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("L-9,2026-03-09,50,50,2026-03-01", "loan L-9 is unknown: put it into the loans file."),
        ("L-1,,50,50,2026-03-01", "as_of is missing: every row gives it."),
        (
            "L-1,2026-03-11,50,50,2026-03-01",
            "as_of 2026-03-11 is after 2026-03-10, the lender's business date: load the balance when its day has come.",
        ),
        ("L-1,2026-03-09,-1,0,", "outstanding -1 is negative: give a positive amount."),
        ("L-1,2026-03-09,50,5.123,2026-03-01", "arrears 5.123 has more decimals than EUR allows: write at most 2."),
        (
            "L-1,2026-03-09,50,51,2026-03-01",
            "arrears 51 are more than the outstanding 50, of which they are a part: correct one of the two.",
        ),
        (
            "L-1,2026-03-09,50,50,2026-03-10",
            "oldest_due_on 2026-03-10 is after 2026-03-09: give the day of what was due by then.",
        ),
        (
            "L-1,2026-03-09,50,0,2026-03-01",
            "oldest_due_on 2026-03-01 is given, but nothing is in arrears: leave it empty, or give the arrears.",
        ),
        (
            "L-1,2026-03-09,50,50,",
            "oldest_due_on is missing: loan L-1 begins with this balance, and its arrears need their day.",
        ),
    ],
)
async def test_a_bad_balance(pool: Pool, tmp_path: Path, row: str, reason: str) -> None:
    await take(pool, tmp_path, BARE)
    report = await take(pool, tmp_path, balances(row))
    assert report.sentences == [f"balances.csv line 2: {reason}"]
    assert await pool.fetchval("select count(*) from entries") == 0


async def test_balances_as_json_lines(pool: Pool, tmp_path: Path) -> None:
    from ledger.tape import TapeFiles, take_in

    await take(pool, tmp_path, GOOD)
    file = tmp_path / "balances.jsonl"
    file.write_text(
        '{"loan_id": "L-1", "as_of": "2026-03-09", "outstanding": "50.00", "arrears": "50", "oldest_due_on": null}\n'
    )
    report = await take_in(pool, TapeFiles(balances=file), clock=Standing())
    assert (report.counts["balances"].new, report.counts["balances"].differing) == (1, 0)
