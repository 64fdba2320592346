"""`arrears reconcile`, as a person calls it."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

from domain.loan import EntryKind, EntryStatus
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from tests.commands import arrears
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
    kind: EntryKind | None = None,
    source: str | None = None,
) -> None:
    entry = NewEntry(
        entry_id=entry_id,
        loan_id=loan_id,
        kind=kind or (EntryKind.REVERSAL if reverses else EntryKind.PAYMENT),
        amount=Decimal(amount),
        currency="EUR",
        value_date=date(2026, 3, day),
        reverses=reverses,
        status=status,
        source=source,
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
        ([BANK_02, "--statement", BANK_02], f"statement {BANK_02} is given twice: it is the same as {BANK_02}."),
        ([BANK_02, "--lender", "x"], "lender 'x' is unknown: lenders come with the loans of `arrears intake`."),
    ):
        done = await arrears(database_url, "reconcile", "--json", "--statement", *arguments)
        assert done.code == 2
        assert json.loads(done.out)["error"]["message"] == sentence


async def test_what_moves_no_money_and_what_a_processor_calls_otherwise(
    pool: Pool, database_url: str, tmp_path: Path
) -> None:
    await add_loan(pool, KEY, owed="1000")
    await post(pool, "LF", "5.00", 5, kind=EntryKind.LATE_FEE)
    await post(pool, "LF-R", "5.00", 5, reverses="LF")
    await post(pool, "F-1", "3.00", 5, kind=EntryKind.REFUND)
    await post(pool, "F-1-failed", "3.00", 6, reverses="F-1")
    await post(pool, "stripe-ch_7", "11.00", 4, source="stripe")
    await post(pool, "stripe-dp_7-withdrawn", "11.00", 4, reverses="stripe-ch_7", source="stripe")
    report = tmp_path / "processor.csv"
    report.write_text(
        "reference,kind,amount,currency,value_date,booked_on\n"
        "F-1,refund,3.00,EUR,2026-03-05,\n"
        "F-1,refund_returned,3.00,EUR,2026-03-06,\n"
        # The ledger's days are not among those of the statement, so that the ids alone find them.
        "ch_7,payment,11.00,EUR,2026-04-20,2026-03-04\n"
        "ch_7,reversal,11.00,EUR,2026-04-20,2026-03-04\n"
    )
    done = await arrears(database_url, "reconcile", "--statement", report, "--json")
    told = json.loads(done.out)
    assert (done.code, told["matched"], told["extra"]) == (0, 4, [])
    report.write_text(report.read_text().replace("2026-03-", "2026-05-"))
    far = json.loads((await arrears(database_url, "reconcile", "--statement", report, "--json")).out)
    assert [each["entry"]["entry_id"] for each in far["different"]][2:] == ["stripe-ch_7", "stripe-dp_7-withdrawn"]


async def test_a_payment_that_bounced_is_no_fee(pool: Pool, database_url: str, tmp_path: Path) -> None:
    await add_loan(pool, KEY, owed="1000")
    await post(pool, "E-1", "40.00", 4)
    await post(pool, "E-2", "10.00", 6)
    await post(pool, "A-7", "20.00", 8)
    bank = tmp_path / "bank.xml"
    text = BANK_02.read_text("utf-8").replace("<RvslInd>true</RvslInd>", "").replace(">L-2<", ">L-1<")
    bank.write_text(text)
    done = await arrears(database_url, "reconcile", "--statement", bank, "--json")
    told = json.loads(done.out)
    assert (done.code, told["other"], told["extra"]) == (1, 0, [])
    assert [(each["moved"], each["references"]) for each in told["missing"]] == [("returned", ["E-1"])]


async def test_a_correction_of_long_ago_is_found_by_its_text(pool: Pool, database_url: str, tmp_path: Path) -> None:
    await add_loan(pool, KEY, owed="1000")
    await post(pool, "OLD", "7.00", 1)
    await post(pool, "NEXT", "8.00", 12)
    report = tmp_path / "bank.csv"
    report.write_text("amount,currency,value_date,booked_on,text\n7.00,EUR,2026-03-02,2026-03-20,loan L-1\n")
    told = json.loads((await arrears(database_url, "reconcile", "--statement", report, "--json")).out)
    assert (told["ok"], told["since"], told["matched"]) == (True, "2026-03-20", 1)
