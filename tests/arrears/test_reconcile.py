"""`arrears reconcile`, as a person calls it."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

from domain.loan import EntryKind, EntryStatus
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from tests.arrears.test_intake import arrears
from tests.ledger.samples import KEY, Pool, Standing, add_loan
from tests.starters.statements.test_camt import BANK_02


async def post(
    pool: Pool,
    entry_id: str,
    amount: str,
    day: int,
    loan_id: str = "L-1",
    reverses: str | None = None,
    status: EntryStatus = EntryStatus.SETTLED,
) -> None:
    entry = NewEntry(
        entry_id=entry_id,
        loan_id=loan_id,
        kind=EntryKind.REVERSAL if reverses else EntryKind.PAYMENT,
        amount=Decimal(amount),
        currency="EUR",
        value_date=date(2026, 3, day),
        reverses=reverses,
        status=status,
    )
    await post_entry(pool, entry, Standing())


async def test_a_statement_and_the_ledger(pool: Pool, database_url: str, tmp_path: Path) -> None:
    await add_loan(pool, KEY, owed="1000")
    await post(pool, "E-1", "40.00", 4)
    await post(pool, "E-2", "10.00", 6)
    await post(pool, "P-1", "5.00", 9, status=EntryStatus.PENDING)
    await post(pool, "P-1", "5.00", 9, status=EntryStatus.RETURNED)
    await post(pool, "A-7", "20.00", 8, loan_id="L-2")  # in suspense: nobody knows L-2 yet
    await post(pool, "R-1", "40.00", 9, reverses="E-1")
    same = await arrears(database_url, "reconcile", "--statement", BANK_02, "--json")
    assert same.code == 0, same.out + same.err
    told = json.loads(same.out)
    assert (told["ok"], told["read"], told["matched"], told["in_suspense"]) == (True, 4, 4, 1)
    assert (told["since"], told["until"]) == ("2026-03-01", "2026-03-10")

    await post(pool, "E-3", "7.00", 10)
    report = tmp_path / "processor.csv"
    report.write_text(
        "reference,amount,currency,value_date,text\nE-2,11.00,EUR,2026-03-06,\nP-1,-5.00,EUR,2026-03-09,\nch_9,5.00,EUR,2026-03-07,Annunziata\n"
    )
    other = await arrears(
        database_url, "reconcile", "--statement", report, "--statement", BANK_02, "--lender", "default", "--json"
    )
    assert other.code == 1
    told = json.loads(other.out)
    assert [(each["references"], each["amount"]) for each in told["missing"]] == [
        (["E-2"], "11.00"),
        (["ch_9"], "5.00"),
    ]
    assert [each["entry_id"] for each in told["extra"]] == ["E-3"]

    table = await arrears(database_url, "reconcile", "--statement", report)
    assert table.code == 1
    assert "Annunziata" not in table.out
    assert all(len(row) <= 80 for row in table.out.splitlines())
    assert "different line 2" in " ".join(table.out.split())
    assert table.out.splitlines()[-1] == "1 matched, 1 different, 1 missing, 2 extra, 0 other."


async def test_what_cannot_be_compared(pool: Pool, database_url: str, tmp_path: Path) -> None:
    report = tmp_path / "processor.csv"
    report.write_text("amount,currency,value_date\n")
    for arguments, sentence in (
        ([report], "the statement has no movement and names no days: nothing can be compared with it."),
        (
            [tmp_path / "none"],
            f"statement {tmp_path / 'none'} cannot be read (No such file or directory): check its name.",
        ),
        ([BANK_02, "--lender", "x"], "lender 'x' is unknown: lenders come with the loans of `arrears intake`."),
    ):
        done = await arrears(database_url, "reconcile", "--json", "--statement", *arguments)
        assert done.code == 2
        assert json.loads(done.out)["error"]["message"] == sentence
