"""Why a case fell back after a cure: only a payment that stood and came back is a returned payment."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.case_in_hand import CASES
from activities.contracts import CaseRef
from domain.loan import EntryKind, EntryStatus
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from tests.activities.bench import Bench

SETTLED, PENDING, RETURNED = EntryStatus.SETTLED, EntryStatus.PENDING, EntryStatus.RETURNED
PAID, BACK = EntryKind.PAYMENT, EntryKind.REVERSAL
Told = tuple[EntryKind, str, dict[str, Any]]


async def post(bench: Bench, ref: CaseRef, kind: EntryKind, amount: str, **more: Any) -> None:
    values = {"entry_id": f"{kind}-{amount}-{bench.clock.at.timestamp()}", "value_date": bench.clock.at.date(), **more}
    entry = NewEntry(loan_id=ref.loan_id, kind=kind, amount=Decimal(amount), currency="EUR", **values)
    await post_entry(bench.pool, entry, bench.clock)
    bench.clock.at += timedelta(minutes=1)


def told(kind: EntryKind, amount: str, **more: Any) -> Told:
    return kind, amount, more


def bounced(entry_id: str, amount: str, reason: str = "R01", **more: Any) -> Told:
    return told(BACK, amount, reverses=entry_id, reason=reason, **more)


BEFORE = [
    told(EntryKind.LATE_FEE, "5", entry_id="fee"),
    told(EntryKind.COST, "30", entry_id="cost"),
    told(PAID, "7", entry_id="hoped", status=PENDING),
    told(PAID, "60", entry_id="one"),
    told(PAID, "40", entry_id="two"),
]
AFTER: dict[str, tuple[list[Told], str]] = {
    "the next instalment fell due": ([], "arrears"),
    "a late fee is taken back": ([bounced("fee", "5")], "arrears"),
    "a cost was the lender's error": ([bounced("cost", "30", "misposted")], "arrears"),
    "money never came": ([told(PAID, "7", entry_id="hoped", status=RETURNED)], "arrears"),
    "a later payment came back": ([told(PAID, "3", entry_id="later"), bounced("later", "3")], "arrears"),
    "a return came to nothing": ([bounced("two", "40", status=PENDING)], "arrears"),
    "a payment is returned": ([bounced("two", "40")], "bounce"),
    "a payment is returned, and a fee taken back": ([bounced("two", "40"), bounced("fee", "5", "misposted")], "bounce"),
    "the lender's error": ([bounced("two", "40", "misposted")], "misposted"),
    "the lender's error, and a return after it": (
        [bounced("two", "40", "misposted"), bounced("one", "60")],
        "misposted",
    ),
}


async def fallen_back(bench: Bench, after: list[Told]) -> CaseRef:
    """A case that was cured, is told these, and is past due again by its next instalment."""
    case = await bench.case((1, "100"), (-2, "50"))
    for kind, amount, more in BEFORE:
        await post(bench, case, kind, amount, **more)
    await bench.decide(case)
    assert await bench.pool.fetchval("select cured_version from cases where loan_id = $1", case.loan_id) == 5
    for kind, amount, more in after:
        await post(bench, case, kind, amount, **more)
    bench.clock.at += timedelta(days=4)
    return case


@pytest.mark.parametrize("what", AFTER)
async def test_only_what_cured_it_and_came_back_is_a_return(bench: Bench, what: str) -> None:
    after, why = AFTER[what]
    case = await fallen_back(bench, after)
    await bench.carry_out(await bench.due(case))
    row: Any = await bench.pool.fetchrow("select * from cases where loan_id = $1", case.loan_id)
    assert (row["episode"], row["relapse"]) == (2, why)
    assert row["chain_from"] == (2 if why == "arrears" else 1)


@pytest.mark.parametrize("what", AFTER)
async def test_nor_where_the_case_had_been_closed(bench: Bench, what: str) -> None:
    after, why = AFTER[what]
    case = await fallen_back(bench, after)
    close: Callable[..., Any] = CASES.close_case
    key = {"lender_id": case.lender_id, "loan_id": case.loan_id}
    row: Any = await bench.pool.fetchrow("select * from cases where loan_id = $1", case.loan_id)
    async with bench.pool.acquire() as conn:
        await close(conn, **key, now=bench.clock.at)
        named = {name: row[name] for name in ("workflow_id", "strategy", "strategy_version")}
        await CASES.open_case(conn, **key, **named, now=bench.clock.at)
    relapse = await bench.pool.fetchval("select relapse from cases where loan_id = $1", case.loan_id)
    assert relapse == ("misposted" if why == "misposted" else "arrears")
