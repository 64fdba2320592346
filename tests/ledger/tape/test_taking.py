"""What a tape changes, what it leaves alone, and whom it tells."""

import csv
import random
from decimal import Decimal
from pathlib import Path

import pytest

from domain.loan import EntryStatus, LoanKey
from ledger.posting import post_entry
from ledger.tape import TapeFiles, take_in
from tests.ledger.samples import KEY, Pool, Standing, add_case, add_contact, add_task, entry
from tests.ledger.tape.tapes import ENTRIES_HEADER, GOOD, contents, take, with_line, with_row

CLOCK = Standing()
FINES = Path(__file__).parents[2] / "tapes" / "fines"


async def test_a_tape_of_real_debts(pool: Pool, tmp_path: Path) -> None:
    files = TapeFiles(loans=FINES / "loans.csv", instalments=FINES / "instalments.csv", entries=FINES / "entries.csv")
    report = await take_in(pool, files, clock=CLOCK, rejects=tmp_path / "rejects.csv")
    none = {"changed": 0, "unchanged": 0, "rejected": 0}
    assert report.as_json() == {
        "loans": {"read": 144, "new": 144, **none},
        "instalments": {"read": 144, "new": 144, **none},
        "entries": {"read": 428, "new": 424, **none, "rejected": 4},
    }
    with (tmp_path / "rejects.csv").open(encoding="utf-8", newline="") as file:
        refused = [(r["line"], r["field"], r["reason"]) for r in csv.DictReader(file)]
    zero = "amount is zero: leave the row out, or give the amount that moved."
    assert refused == [(line, "amount", zero) for line in ("229", "369", "390", "391")]
    taken = await contents(pool)

    again = await take_in(pool, files, clock=CLOCK)
    assert [(c.new, c.changed) for c in again.counts.values()] == [(0, 0)] * 3
    assert await contents(pool) == taken
    gaps = """select count(*) from loans l left join lateral (
        select count(*) as entries, max(ledger_version) as newest from entries e where (e.lender_id, e.loan_id) = (l.lender_id, l.loan_id)
    ) e on true where (l.ledger_version, l.ledger_version) is distinct from (e.entries, coalesce(e.newest, 0))"""
    assert await pool.fetchval(gaps) == 0


async def test_rows_in_any_order_come_to_the_same(pool: Pool, tmp_path: Path) -> None:
    chance = random.Random(7)
    shuffled = {}
    for name in ("loans", "instalments", "entries"):
        header, *rows = (FINES / f"{name}.csv").read_text("utf-8").splitlines()
        chance.shuffle(rows)
        shuffled[name] = [header, *rows]
    report = await take(pool, tmp_path, shuffled)
    assert report.counts["entries"].new == 424
    files = TapeFiles(loans=FINES / "loans.csv", instalments=FINES / "instalments.csv", entries=FINES / "entries.csv")
    again = await take_in(pool, files, clock=CLOCK)
    assert [(c.new, c.changed) for c in again.counts.values()] == [(0, 0)] * 3


async def test_all_files_twice(pool: Pool, tmp_path: Path) -> None:
    report = await take(pool, tmp_path, GOOD)
    assert [(c.new, c.read) for c in report.counts.values()] == [(len(GOOD[n]) - 1,) * 2 for n in report.counts]
    taken = await contents(pool)
    again = await take(pool, tmp_path, GOOD)
    assert all((c.new, c.changed, c.unchanged) == (0, 0, c.read) for c in again.counts.values())
    assert await contents(pool) == taken


async def test_a_row_twice_in_a_file(pool: Pool, tmp_path: Path) -> None:
    for name in GOOD:
        report = await take(pool, tmp_path, with_row(name, GOOD[name][1]))
        assert report.sentences == []
    counts = report.counts[name]
    assert (counts.read, counts.unchanged) == (2, 2)


async def test_a_loans_file_alone(pool: Pool, tmp_path: Path) -> None:
    report = await take(pool, tmp_path, {"loans": GOOD["loans"]})
    empty = {"read": 0, "new": 0, "changed": 0, "unchanged": 0, "rejected": 0}
    assert report.as_json() == {
        "loans": {"read": 2, "new": 2, "changed": 0, "unchanged": 0, "rejected": 0},
        "instalments": empty,
        "entries": empty,
    }
    points = await pool.fetch("select party_id, kind, value, timezone, country, source from contact_points")
    assert [tuple(p) for p in points] == [("B-1", "mobile", "+12015550100", "Europe/Rome", "IT", "loan")]


@pytest.mark.parametrize(
    ("kind", "at", "old", "new", "table"),
    [
        ("loans", 2, "fine", "loan", "loans"),
        ("loans", 2, "Ann", "Anna", "parties"),
        ("loans", 2, "Europe/Rome", "Europe/Vienna", "contact_points"),
        ("instalments", 2, "90.00", "91.00", "instalments"),
        ("parties", 2, "Gus", "Gustav", "parties"),
        ("parties", 2, "true", "false", "loan_parties"),
        ("contacts", 2, "America/New_York", "America/Chicago", "contact_points"),
        ("consents", 2, ",,signed", ",2026-02-01,signed", "consents"),
    ],
)
async def test_a_changed_row_is_versioned(
    pool: Pool, tmp_path: Path, kind: str, at: int, old: str, new: str, table: str
) -> None:
    await take(pool, tmp_path, GOOD)
    before = await pool.fetch("select version from " + table)
    assert {r["version"] for r in before} == {1}
    report = await take(pool, tmp_path, with_line(kind, at, lambda row: row.replace(old, new)))
    counts = report.counts[kind]
    assert (counts.new, counts.changed, counts.rejected) == (0, 1, 0)
    kept = await pool.fetch("select kind, version, row::text from tape_history")
    assert [(r["kind"], r["version"]) for r in kept] == [(table, 1)]
    assert await pool.fetchval(f"select count(*) from {table} where version = 2") == 1
    assert sum(c.changed for name, c in report.counts.items() if name != kind) == 0


async def test_a_new_number_is_a_change_of_its_loan(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    report = await take(pool, tmp_path, with_line("loans", 2, lambda row: row.replace("5550100", "5550199")))
    assert (report.counts["loans"].changed, report.counts["loans"].unchanged) == (1, 1)


async def test_a_loan_keeps_its_currency(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    report = await take(pool, tmp_path, with_line("loans", 2, lambda row: row.replace("EUR", "USD")))
    assert "currency of loan L-1 is EUR in the ledger, not USD" in report.sentences[0]


async def test_the_loans_file_does_not_undo_the_contacts_file(pool: Pool, tmp_path: Path) -> None:
    tape = with_row("contacts", "B-1,mobile,+12015550100,IT,,,Europe/Paris,,,")
    await take(pool, tmp_path, tape)
    again = await take(pool, tmp_path, tape)
    assert [(c.new, c.changed) for c in again.counts.values()] == [(0, 0)] * len(GOOD)
    assert await pool.fetchval("select timezone from contact_points where party_id = 'B-1'") == "Europe/Paris"


async def test_a_dead_number_stays_dead(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await pool.execute("update contact_points set status = 'opted_out'")
    again = await take(pool, tmp_path, GOOD)
    assert [(c.new, c.changed) for c in again.counts.values()] == [(0, 0)] * len(GOOD)
    assert await pool.fetchval("select count(*) from contact_points where status = 'opted_out'") == 2


async def test_an_entry_with_other_content_is_refused(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    report = await take(pool, tmp_path, with_line("entries", 3, lambda row: row.replace(",10,", ",11,")))
    assert report.sentences == [
        "entries.csv line 3: entry E-2 is already known with other content: post a reversal or use a new id."
    ]


async def test_tape_and_post_are_the_same_sender(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    stranger = entry("E-9", loan_id="L-9", reason="SEPA", instalment=3, amount=Decimal("12.50"))
    assert (await post_entry(pool, stranger, CLOCK)).status == "suspense"
    header = ENTRIES_HEADER + ",reason,instalment"
    tape = {"entries": [header, "E-9,L-9,payment,12.5,EUR,2026-03-09,,SEPA,3", "E-8,L-9,payment,1,EUR,2026-03-09,,,"]}
    report = await take(pool, tmp_path, tape)
    assert (report.counts["entries"].unchanged, report.counts["entries"].suspense) == (1, 1)
    assert (await post_entry(pool, entry("E-8", loan_id="L-9", amount=Decimal("1.00")), CLOCK)).status == "known"
    assert (
        await post_entry(pool, entry("E-1", amount=Decimal(40), value_date=entry().value_date.replace(day=5)), CLOCK)
    ).status == "known"


async def test_money_that_waited_finds_its_loan(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {"entries": [*GOOD["entries"], "R-1,L-1,reversal,10,EUR,2026-03-07,E-2"]})
    assert await pool.fetchval("select count(*) from suspense") == 3
    report = await take(pool, tmp_path, {"loans": GOOD["loans"]})
    assert report.matched == 3
    assert await pool.fetchval("select count(*) from suspense") == 0
    assert await pool.fetchval("select ledger_version from loans where loan_id = 'L-1'") == 3


async def test_reversals_of_the_same_tape(pool: Pool, tmp_path: Path) -> None:
    rows = [
        "R-1,L-1,reversal,30,EUR,2026-03-07,E-9",  # comes before what it reverses
        "E-9,L-1,payment,50,EUR,2026-03-06,",
        "R-2,L-1,reversal,20.01,EUR,2026-03-08,E-9",
        "R-3,L-1,reversal,1,EUR,2026-03-08,R-1",
        "E-10,L-1,payment,0,EUR,2026-03-06,",
        "R-4,L-1,reversal,1,EUR,2026-03-08,E-10",
    ]
    report = await take(pool, tmp_path, with_row("entries", *rows))
    assert [s.split(": ")[0] for s in report.sentences] == [
        "entries.csv line 6",
        "entries.csv line 7",
        "entries.csv line 8",
    ]
    # What R-4 reverses was refused, and may come yet.
    assert (report.counts["entries"].new, report.counts["entries"].suspense) == (5, 1)


async def test_a_reversal_waits_for_its_entry_from_either_side(pool: Pool, tmp_path: Path) -> None:
    early = with_row("entries", "R-8,L-1,reversal,2,EUR,2026-03-07,E-8", "R-9,L-1,reversal,1,EUR,2026-03-07,E-9")
    for n in range(2):
        report = await take(pool, tmp_path, early)
        assert (report.counts["entries"].suspense, report.counts["entries"].rejected) == (0 if n else 2, 0)
    assert "reverses E-8" in await pool.fetchval("select refusal from suspense where entry_id = 'R-8'")
    report = await take(pool, tmp_path, {"entries": [ENTRIES_HEADER, "E-8,L-1,payment,2,EUR,2026-03-06,"]})
    assert report.matched == 1
    assert (await post_entry(pool, entry("E-9", amount=Decimal(1)), CLOCK)).status == "new"
    reversed_ = await pool.fetch("select entry_id from entries where kind = 'reversal' order by ledger_version")
    assert [r["entry_id"] for r in reversed_] == ["R-8", "R-9"]
    assert await pool.fetchval("select count(*) from suspense") == 0


async def test_nothing_is_left_of_what_was_returned(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await post_entry(pool, entry("E-9", status=EntryStatus.RETURNED), CLOCK)
    report = await take(pool, tmp_path, {"entries": [ENTRIES_HEADER, "R-9,L-1,reversal,1,EUR,2026-03-10,E-9"]})
    assert ["reverses E-9 was returned" in s for s in report.sentences] == [True]


async def test_open_cases_are_told_and_cured(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    await add_case(pool, LoanKey("default", "L-2"), is_open=False)
    await add_task(pool, "call", "call")
    await add_contact(pool, "due", "reserved", "collect")
    await take(pool, tmp_path, GOOD)
    assert await pool.fetchval("select count(*) from outbox") == 0

    rows = [
        "E-3,L-1,payment,50,EUR,2026-03-09,",
        "F-1,L-1,late_fee,5,EUR,2026-03-09,",
        "E-4,L-2,payment,1,JPY,2026-03-09,",
    ]
    await take(pool, tmp_path, with_row("entries", *rows))
    told = await pool.fetch("select loan_id, message, payload from outbox order by id")
    assert [(r["loan_id"], r["message"]) for r in told] == [("L-1", "payment_received"), ("L-1", "ledger_changed")]
    assert told[0]["payload"] == {
        "entries": [
            {
                "entry_id": "E-3",
                "kind": "payment",
                "amount": "50",
                "currency": "EUR",
                "value_date": "2026-03-09",
                "ledger_version": 3,
            }
        ]
    }
    assert await pool.fetchval("select status from tasks") == "withdrawn"
    assert await pool.fetchval("select state from contacts") == "cancelled"


async def test_open_cases_hear_of_changed_terms(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    await add_task(pool, "call", "call")
    tape = with_line("instalments", 2, lambda row: row.replace("90.00,10.00", "40.00,10.00"))
    tape["loans"] = with_line("loans", 2, lambda row: row.replace("Ann", "Anna"))["loans"]
    await take(pool, tmp_path, tape)
    told = await pool.fetch("select loan_id, message, payload from outbox")
    assert [tuple(r) for r in told] == [("L-1", "ledger_changed", {"about": "tape", "files": ["instalments", "loans"]})]
    assert await pool.fetchval("select status from tasks") == "withdrawn"  # 50 were paid, and 50 is all that was due
    assert KEY.loan_id == "L-1"


async def test_a_new_lender_begins_in_shadow(pool: Pool, tmp_path: Path) -> None:
    header, row, _ = GOOD["loans"]
    await take(pool, tmp_path, {"loans": [f"{header},lender_id", f"{row},acme", f"{row},"]})
    rows = await pool.fetch("select lender_id, mode, packs from lenders order by 1")
    assert [tuple(r) for r in rows] == [("acme", "shadow", {}), ("default", "shadow", {"*": ["house"]})]
    assert await pool.fetchval("select count(*) from loans where loan_id = 'L-1'") == 2


async def test_a_strategy_for_the_taken_loans(pool: Pool, tmp_path: Path) -> None:
    await pool.execute("insert into strategies (name, version, digest, content) values ('soft', 1, '', '{}')")
    await take(pool, tmp_path, GOOD, strategy="soft")
    await take(pool, tmp_path, GOOD)
    assert await pool.fetchval("select count(*) from loans where strategy = 'soft'") == 2
