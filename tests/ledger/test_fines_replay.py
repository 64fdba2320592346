"""144 real debts: in whatever order their entries are posted, the ledger says what really was owed and paid."""

import csv
import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.money import position_of
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.tape.intake import TapeFiles, take_in
from tests.ledger.samples import Pool, Standing

FINES = Path(__file__).parents[1] / "tapes" / "fines"
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


def outcomes() -> dict[str, tuple[Decimal, Decimal]]:
    """What was left of each debt in the end, below zero where it was overpaid, and what had been paid."""
    return {r["loan_id"]: (Decimal(r["shortfall_eur"]), Decimal(r["paid_eur"] or 0)) for r in rows("outcomes")}


def usable() -> list[NewEntry]:
    """The entries; a payment of nothing is none."""
    given = rows("entries")
    refused = [row for row in given if Decimal(row["amount"]) == 0]
    assert len(refused) == 4
    for row in refused:
        with pytest.raises(BadInput, match="amount is zero"):
            NewEntry.read(row)
    return [NewEntry.read(row) for row in given if row not in refused]


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
async def test_every_order_of_posting_gives_what_was_owed_and_paid(pool: Pool, order: Order) -> None:
    await take_in(pool, TapeFiles(loans=FINES / "loans.csv", instalments=FINES / "instalments.csv"), clock=CLOCK)
    for entry in order(usable()):
        assert (await post_entry(pool, entry, CLOCK)).status == "new"
    async with pool.acquire() as conn:
        ends = {loan: await position_of(conn, LoanKey("default", loan), END) for loan in outcomes()}
    assert len(ends) == 144
    assert {loan: (at.outstanding - at.overpaid, at.paid) for loan, at in ends.items()} == outcomes()
    assert sum(at.overpaid > 0 for at in ends.values()) == 18
    assert {loan: at.days_past_due > 0 for loan, at in ends.items()} == {
        loan: at.outstanding > at.fee_arrears for loan, at in ends.items()
    }
