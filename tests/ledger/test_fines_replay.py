"""Sixty real debts: in whatever order their entries are posted, the ledger says the same."""

import csv
import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.loan import LoanKey
from ledger.money import position_of
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.tape.intake import TapeFiles, take_in
from tests.ledger.samples import Pool, Standing

FINES = Path(__file__).parents[2] / "examples" / "fines"
CLOCK = Standing()
END = date(2026, 1, 1)
Order = Callable[[list[NewEntry]], list[NewEntry]]


def rows(name: str) -> list[dict[str, str]]:
    with (FINES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def by_value_date(entries: list[NewEntry]) -> list[NewEntry]:
    return sorted(entries, key=lambda e: (e.value_date, e.entry_id))


ORDERS: dict[str, Order] = {
    "by value date": by_value_date,
    "reverse": lambda entries: by_value_date(entries)[::-1],
    "shuffled": lambda entries: random.Random(7).sample(entries, len(entries)),
}


def owed_and_paid(entries: list[NewEntry]) -> dict[str, tuple[Decimal, Decimal]]:
    """What is left of each debt in the end, below zero where it is overpaid, and what was paid: two sums, and no ledger."""
    owed = {
        r["loan_id"]: Decimal(r["principal"]) + Decimal(r["interest"]) + Decimal(r["fee"]) for r in rows("instalments")
    }
    paid = dict.fromkeys(owed, Decimal(0))
    for entry in entries:
        if entry.kind == "payment":
            paid[entry.loan_id] += entry.amount
        else:
            assert entry.kind == "late_fee"
            owed[entry.loan_id] += entry.amount
    return {loan: (owed[loan] - paid[loan], paid[loan]) for loan in owed}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
async def test_every_order_of_posting_gives_the_same_positions(pool: Pool, order: Order) -> None:
    await take_in(pool, TapeFiles(loans=FINES / "loans.csv", instalments=FINES / "instalments.csv"), clock=CLOCK)
    entries = [NewEntry.read(row) for row in rows("entries")]
    for entry in order(entries):
        assert (await post_entry(pool, entry, CLOCK)).status == "new"
    async with pool.acquire() as conn:
        ends = {loan: await position_of(conn, LoanKey("default", loan), END) for loan in owed_and_paid(entries)}
    assert {loan: (at.outstanding - at.overpaid, at.paid) for loan, at in ends.items()} == owed_and_paid(entries)
    assert {loan: at.days_past_due > 0 for loan, at in ends.items()} == {
        loan: at.outstanding > at.fee_arrears for loan, at in ends.items()
    }
