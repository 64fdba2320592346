"""The tape's own late fee takes the place of the one that the lender's policy made here."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.loan import EntryKind
from ledger.posting import post_entry
from tests.ledger.samples import Pool, Standing, add_case, entry
from tests.ledger.tape.tapes import ENTRIES_HEADER, GOOD, take


@pytest.mark.parametrize(
    ("row", "gone"), [("F-1,L-1,late_fee,5,EUR,2026-03-09,,", True), ("F-1,L-1,late_fee,5,EUR,2026-03-09,,7", False)]
)
async def test_the_tapes_fee_takes_the_place_of_ours(pool: Pool, tmp_path: Path, row: str, gone: bool) -> None:
    await take(pool, tmp_path, GOOD)
    fee: dict[str, Any] = {"kind": EntryKind.LATE_FEE, "amount": Decimal(15), "value_date": date(2026, 3, 2)}
    await post_entry(pool, entry("policy/fee/L-1/1", **fee, instalment=1, source="policy"), Standing())
    await add_case(pool)
    for _ in range(2):
        await take(pool, tmp_path, {"entries": [f"{ENTRIES_HEADER},instalment", row]})
    back = await pool.fetch(
        "select entry_id, reverses, amount, value_date, ledger_version from entries where kind = 'reversal'"
    )
    taken = ("policy/fee/L-1/1/back", "policy/fee/L-1/1", Decimal(15), date(2026, 3, 2), 5)
    assert [tuple(r) for r in back] == ([taken] if gone else [])
    told = await pool.fetchval("select count(*) from outbox where payload::text like '%/back\"%'")
    assert told == int(gone)
    assert await pool.fetchval("select ledger_version from loans where loan_id = 'L-1'") == 4 + gone
