"""What the tape of the next day brings: other numbers, other days, new people, and loans that the lender takes back."""

from pathlib import Path
from typing import Any

import pytest

from domain.clock import business_date
from domain.holds import REASONS
from ledger.money import position_of
from tests.ledger.samples import KEY, NOON, Pool, add_case, add_contact, add_task
from tests.ledger.tape.tapes import GOOD, LOANS_HEADER, Tape, contents, take, with_line, with_row

OLD, NEW = "+12015550100", "+12015550199"
RECALLS_HEADER = "loan_id,reason,as_of"


async def points(pool: Pool) -> dict[str, str]:
    rows = await pool.fetch("select value, status from contact_points where party_id = 'B-1'")
    return {r["value"]: r["status"] for r in rows}


async def told(pool: Pool) -> list[tuple[str, str, Any]]:
    rows = await pool.fetch("select loan_id, message, payload from outbox order by id")
    return [(r["loan_id"], r["message"], r["payload"]) for r in rows]


async def one(pool: Pool, query: str) -> tuple[Any, ...]:
    """The one row that a query gives."""
    (row,) = await pool.fetch(query)
    return tuple(row)


def recall(*rows: str) -> Tape:
    return {"recalls": [RECALLS_HEADER, *rows]}


async def held(pool: Pool) -> list[str]:
    rows = await pool.fetch("select subject_id from holds where reason = 'recalled' and released_at is null order by 1")
    return [r["subject_id"] for r in rows]


# --- numbers ---


async def test_a_number_that_is_no_longer_on_the_tape_is_not_used(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    tape = with_line("loans", 2, lambda row: row.replace(OLD, NEW))
    report = await take(pool, tmp_path, tape)
    assert await points(pool) == {OLD: "replaced", NEW: "active"}
    assert report.counts["loans"].changed == 1
    assert await told(pool) == [("L-1", "ledger_changed", {"about": "tape", "files": ["loans"]})]
    kept = await pool.fetch("select row ->> 'status' as status from tape_history where kind = 'contact_points'")
    assert [r["status"] for r in kept] == ["active"]

    stands = await contents(pool)
    again = await take(pool, tmp_path, tape)
    assert (again.counts["loans"].new, again.counts["loans"].changed) == (0, 0)
    assert await contents(pool) == stands

    await take(pool, tmp_path, GOOD)
    assert await points(pool) == {OLD: "active", NEW: "replaced"}


async def test_a_number_that_is_taken_away_is_not_used(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await take(pool, tmp_path, with_line("loans", 2, lambda row: row.replace(OLD, "")))
    assert await points(pool) == {OLD: "replaced"}


async def test_another_loan_of_the_borrower_still_gives_the_number(pool: Pool, tmp_path: Path) -> None:
    second = GOOD["loans"][1].replace("L-1", "L-3")
    await take(pool, tmp_path, with_row("loans", second))
    changed = GOOD["loans"][1].replace(OLD, NEW)
    await take(pool, tmp_path, {"loans": [LOANS_HEADER, changed]})
    assert await points(pool) == {OLD: "active", NEW: "active"}  # L-3 is not on this tape, and nothing is said of it
    await take(pool, tmp_path, {"loans": [LOANS_HEADER, changed, second.replace(OLD, NEW)]})
    assert await points(pool) == {OLD: "replaced", NEW: "active"}


async def test_what_was_learned_of_a_number_stays(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await pool.execute("update contact_points set status = 'opted_out' where party_id = 'B-1'")
    await take(pool, tmp_path, with_line("loans", 2, lambda row: row.replace(OLD, NEW)))
    await take(pool, tmp_path, GOOD)
    assert (await points(pool))[OLD] == "opted_out"


async def test_a_number_of_the_contacts_file_is_that_files(pool: Pool, tmp_path: Path) -> None:
    own = f"B-1,mobile,{OLD},IT,,,Europe/Rome,application,,"
    await take(pool, tmp_path, with_row("contacts", own))
    await take(pool, tmp_path, {"loans": with_line("loans", 2, lambda row: row.replace(OLD, NEW))["loans"]})
    assert await points(pool) == {OLD: "active", NEW: "active"}
    await take(pool, tmp_path, {"loans": with_line("loans", 2, lambda row: row.replace(OLD, "+12015550198"))["loans"]})
    await take(pool, tmp_path, {"contacts": [GOOD["contacts"][0], f"B-1,mobile,{NEW},IT,,,Europe/Rome,application,,"]})
    assert await points(pool) == {OLD: "active", NEW: "active", "+12015550198": "active"}


# --- days and people ---


async def test_a_later_due_date_cures(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    await add_task(pool, "call", "call")
    await add_contact(pool, "due", "reserved", "collect")
    await take(pool, tmp_path, with_line("instalments", 2, lambda row: row.replace("2026-03-01", "2026-04-01")))
    async with pool.acquire() as conn:
        stands = await position_of(conn, KEY, business_date(NOON, "UTC"))
    assert stands.cured
    assert str(stands.next_due_on) == "2026-04-01"
    assert await told(pool) == [("L-1", "ledger_changed", {"about": "tape", "files": ["instalments"]})]
    assert await pool.fetchval("select status from tasks") == "withdrawn"
    assert await pool.fetchval("select state from contacts") == "cancelled"
    kept = await one(pool, "select kind, version, row ->> 'due_on' as due_on from tape_history")
    assert kept == ("instalments", 1, "2026-03-01")


async def test_a_new_party_beside_a_loan(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    report = await take(pool, tmp_path, {"parties": [GOOD["parties"][0], "L-1,G-9,guarantor,Gil,en,true,yes,,"]})
    assert report.counts["parties"].new == 1
    assert await told(pool) == [("L-1", "ledger_changed", {"about": "tape", "files": ["parties"]})]


async def test_the_first_row_of_its_kind_is_told(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {"loans": GOOD["loans"]})
    await add_case(pool)
    for name in ("instalments", "notices"):
        await take(pool, tmp_path, {name: GOOD[name]})
    assert await told(pool) == [
        ("L-1", "ledger_changed", {"about": "tape", "files": [name]}) for name in ("instalments", "notices")
    ]


@pytest.mark.parametrize("name", ["loans", "instalments", "parties", "contacts", "consents"])
async def test_a_row_that_is_missing_changes_nothing(pool: Pool, tmp_path: Path, name: str) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    stands = await contents(pool)
    await take(pool, tmp_path, {name: GOOD[name][:1]})
    await take(pool, tmp_path, {"loans": [LOANS_HEADER, GOOD["loans"][2]]})
    assert await contents(pool) == stands
    assert await told(pool) == []


# --- loans that the lender takes back ---


async def test_a_recalled_loan_is_held_at_once_and_its_case_closes(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    for kind in ("call", "withdraw_letter"):
        await add_task(pool, kind, kind)
    await add_contact(pool, "text", "reserved", "collect")
    await add_contact(pool, "out", "sending", "collect")
    report = await take(pool, tmp_path, recall("L-1,sold,2026-03-09"))
    assert (report.counts["recalls"].new, report.counts["recalls"].changed) == (1, 0)
    hold = await one(pool, "select subject_kind, subject_id, scopes, from_at, until_at from holds")
    assert hold == ("loan", "L-1", sorted(REASONS["recalled"]), NOON, None)
    tasks = await pool.fetch("select kind, status, end_reason from tasks order by kind")
    assert [tuple(r) for r in tasks] == [("call", "withdrawn", "sold"), ("withdraw_letter", "open", None)]
    states = await pool.fetch("select contact_id, state from contacts order by 1")
    assert [tuple(r) for r in states] == [("out", "sending"), ("text", "cancelled")]
    assert await pool.fetchval("select closing from cases") == "the loan was sold"
    event = await one(pool, "select kind, data from case_events")
    assert event == ("loan_taken_back", {"status": "sold"})
    assert await told(pool) == [("L-1", "ledger_changed", {"about": "tape", "files": ["recalls"]})]
    assert await pool.fetchval("select status from loans where loan_id = 'L-1'") == "sold"

    again = await take(pool, tmp_path, recall("L-1,sold,2026-03-09"))
    assert (again.counts["recalls"].new, again.counts["recalls"].changed) == (0, 0)
    await take(pool, tmp_path, GOOD)
    assert await held(pool) == ["L-1"]
    assert len(await told(pool)) == 1


async def test_a_loan_without_a_case_is_held_too(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await take(pool, tmp_path, recall("L-2,recalled,2026-03-09"))
    assert await held(pool) == ["L-2"]
    assert await told(pool) == []


async def test_a_hold_on_a_recalled_loan_that_somebody_released_comes_back(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await take(pool, tmp_path, recall("L-1,recalled,2026-03-09"))
    await pool.execute("update holds set released_at = $1", NOON)
    await take(pool, tmp_path, {"loans": [LOANS_HEADER]})
    assert await held(pool) == ["L-1"]


async def test_a_loan_that_is_given_back(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    await take(pool, tmp_path, recall("L-1,recalled,2026-03-09"))
    await take(pool, tmp_path, recall("L-1,returned,2026-03-10"))
    assert await held(pool) == []
    assert await pool.fetchval("select released_at from holds") == NOON
    assert await pool.fetchval("select status from loans where loan_id = 'L-1'") == "active"
    late = await take(pool, tmp_path, recall("L-1,recalled,2026-03-09"))
    assert late.sentences == [
        "recalls.csv line 2: as_of 2026-03-09 is before 2026-03-10, of which loan L-1 is known as returned: leave the older row out."
    ]
    assert await held(pool) == []


async def test_the_loans_file_may_say_it(pool: Pool, tmp_path: Path) -> None:
    header, first, second = GOOD["loans"]
    await take(pool, tmp_path, {"loans": [f"{header},status", f"{first},active", f"{second},"]})
    assert await held(pool) == []
    sold = {"loans": [f"{header},status", f"{first},sold", f"{second},"]}
    await take(pool, tmp_path, sold)
    assert await held(pool) == ["L-1"]
    again = await take(pool, tmp_path, sold)
    assert (again.counts["loans"].new, again.counts["loans"].changed) == (0, 0)
    await take(pool, tmp_path, GOOD)
    assert await held(pool) == ["L-1"]  # a file that says nothing of it changes nothing
    await take(pool, tmp_path, {"loans": [f"{header},status", f"{first},active", f"{second},"]})
    assert await held(pool) == []


async def test_the_recalls_file_stands_over_the_loans_file(pool: Pool, tmp_path: Path) -> None:
    header, first, _ = GOOD["loans"]
    both = {"loans": [f"{header},status", f"{first},active"], **recall("L-1,recalled,2026-03-09")}
    await take(pool, tmp_path, both)
    again = await take(pool, tmp_path, both)
    assert [(again.counts[n].new, again.counts[n].changed) for n in ("loans", "recalls")] == [(0, 0)] * 2
    assert await held(pool) == ["L-1"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("L-9,sold,2026-03-09", "loan L-9 is unknown: put it into the loans file."),
        ("L-1,lost,2026-03-09", "reason 'lost' is not known: use one of recalled, sold, returned."),
        ("L-1,sold,", "as_of is missing: every row gives it."),
        ("L-1,sold,9.3.2026", "as_of '9.3.2026' is not a date: write it as 2026-01-31."),
    ],
)
async def test_a_bad_recall(pool: Pool, tmp_path: Path, row: str, reason: str) -> None:
    await take(pool, tmp_path, GOOD)
    report = await take(pool, tmp_path, recall(row))
    assert report.sentences == [f"recalls.csv line 2: {reason}"]
    assert await held(pool) == []


async def test_the_age_of_the_files(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {"loans": GOOD["loans"]})
    assert await one(pool, "select fed_at, tape_at, balances_at from feeds") == (None, NOON, None)
    await take(pool, tmp_path, GOOD)
    balance = ["loan_id,as_of,outstanding,arrears,oldest_due_on", "L-2,2026-03-09,5000,5000,2026-03-01"]
    await take(pool, tmp_path, {"balances": balance})
    assert await one(pool, "select fed_at, tape_at, balances_at from feeds") == (NOON, NOON, NOON)


async def test_only_what_is_new_is_a_feed(pool: Pool, tmp_path: Path) -> None:
    header, *rows = GOOD["entries"]
    await take(pool, tmp_path, {**GOOD, "entries": [header, *rows, "E-3,L-1,payment,5,EUR,2026-03-09,"]})
    await pool.execute("update entries set status = 'pending' where entry_id = 'E-3'")
    old = [header, *rows, "E-4,L-1,payment,1,USD,2026-03-09,"]
    for entries, came in (
        (old, False),
        ([*old, "E-6,L-1,payment,1,EUR,2026-03-09,"], True),
        ([*old, "E-7,L-9,payment,1,EUR,2026-03-09,"], True),  # kept in suspense, and new all the same
        ([*old, "E-7,L-9,payment,1,EUR,2026-03-09,"], False),
        ([*old, "E-3,L-1,payment,5,EUR,2026-03-09,"], True),  # settled now
    ):
        await pool.execute("update feeds set fed_at = '2026-03-01Z'")
        await take(pool, tmp_path, {"entries": entries})
        assert (await pool.fetchval("select fed_at from feeds") == NOON) is came
