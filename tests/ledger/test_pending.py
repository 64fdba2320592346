"""Money that is pending first, and settled or returned later."""

import asyncio
from datetime import date
from decimal import Decimal

import pytest

from domain.loan import EntryKind, EntryStatus
from ledger.known import Conflict
from ledger.money import position_of
from ledger.new_entry import NewEntry
from ledger.posting import Posted, post_entry
from ledger.proof import prove
from ledger.suspense import match_each
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, add_loan, add_task, entry

CLOCK = Standing()
PENDING = entry(status=EntryStatus.PENDING)
SETTLED, RETURNED = entry(), entry(status=EntryStatus.RETURNED)


async def arrears(pool: Pool) -> Decimal:
    async with pool.acquire() as conn:
        return (await position_of(conn, KEY, NOON.date())).arrears


async def test_pending_money_settles(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    await add_task(pool, "call", "call")
    assert await post_entry(pool, PENDING, CLOCK) == Posted("new", 1, cured=False)
    assert await arrears(pool) == 100
    assert await pool.fetchval("select status from tasks") == "open"
    assert await post_entry(pool, SETTLED, CLOCK) == Posted("changed", 2, cured=True)
    assert await arrears(pool) == 0
    assert await pool.fetchval("select status from tasks") == "withdrawn"
    rows = await pool.fetch("select message, payload from outbox order by id")
    assert [(r["message"], r["payload"]["ledger_version"]) for r in rows] == [
        ("ledger_changed", 1),
        ("payment_received", 2),
    ]
    assert rows[0]["payload"]["status"] == "pending"


async def test_pending_money_comes_back(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    await post_entry(pool, PENDING, CLOCK)
    assert await post_entry(pool, RETURNED, CLOCK) == Posted("changed", 2, cured=False)
    assert await arrears(pool) == 100
    rows = await pool.fetch("select message, payload ->> 'status' as status from outbox order by id")
    assert [tuple(r) for r in rows] == [("ledger_changed", "pending"), ("ledger_changed", "returned")]


@pytest.mark.parametrize("last", [SETTLED, RETURNED])
async def test_what_came_before_stays_known(pool: Pool, last: NewEntry) -> None:
    await add_loan(pool)
    await post_entry(pool, PENDING, CLOCK)
    await post_entry(pool, last, CLOCK)
    assert await post_entry(pool, PENDING, CLOCK) == Posted("known", 1, cured=False)
    assert await post_entry(pool, last, CLOCK) == Posted("known", 2, cured=False)
    with pytest.raises(Conflict):
        await post_entry(pool, SETTLED if last is RETURNED else RETURNED, CLOCK)
    assert await pool.fetchval("select ledger_version from loans") == 2


async def test_only_the_status_may_move(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, PENDING, CLOCK)
    with pytest.raises(Conflict):
        await post_entry(pool, entry(amount=Decimal(99)), CLOCK)
    with pytest.raises(Conflict):
        await post_entry(pool, entry(value_date=date(2026, 3, 8)), CLOCK)


async def test_settled_money_goes_back_by_a_reversal_alone(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, SETTLED, CLOCK)
    for other in (PENDING, RETURNED):
        with pytest.raises(Conflict, match="post a reversal"):
            await post_entry(pool, other, CLOCK)
    await post_entry(pool, entry("R-1", kind=EntryKind.REVERSAL, reverses="E-1"), CLOCK)
    assert await arrears(pool) == 100


async def test_one_of_fifty_moves_it_on(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, PENDING, CLOCK)
    done = await asyncio.gather(*(post_entry(pool, SETTLED, CLOCK) for _ in range(50)))
    assert sorted(p.status for p in done) == ["changed"] + ["known"] * 49
    assert await pool.fetchval("select ledger_version from loans") == 2


async def test_a_returned_reversal_took_nothing_back(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, SETTLED, CLOCK)
    back = {"kind": EntryKind.REVERSAL, "reverses": "E-1"}
    await post_entry(pool, entry("R-1", status=EntryStatus.PENDING, **back), CLOCK)
    await post_entry(pool, entry("R-1", status=EntryStatus.RETURNED, **back), CLOCK)
    assert await arrears(pool) == 0
    assert (await post_entry(pool, entry("R-2", **back), CLOCK)).version == 4
    assert await arrears(pool) == 100


async def test_it_moves_on_in_suspense(pool: Pool) -> None:
    await post_entry(pool, PENDING, CLOCK)
    assert await post_entry(pool, SETTLED, CLOCK) == Posted("changed", None, cured=False)
    assert (await post_entry(pool, SETTLED, CLOCK)).status == "known"
    assert (await post_entry(pool, PENDING, CLOCK)).status == "known"
    with pytest.raises(Conflict):
        await post_entry(pool, RETURNED, CLOCK)
    await add_loan(pool)
    assert await match_each(pool, CLOCK) == 1
    assert await arrears(pool) == 0
    assert await post_entry(pool, PENDING, CLOCK) == Posted("known", 1, cured=False)
    assert await post_entry(pool, SETTLED, CLOCK) == Posted("known", 2, cured=False)


async def test_it_settles_with_its_loan(pool: Pool) -> None:
    await post_entry(pool, PENDING, CLOCK)
    await add_loan(pool)
    assert await post_entry(pool, SETTLED, CLOCK) == Posted("new", 2, cured=True)
    assert await pool.fetchval("select count(*) from suspense") == 0


async def test_the_proof_counts_each_change_as_a_version(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, PENDING, CLOCK)
    await post_entry(pool, SETTLED, CLOCK)
    async with pool.acquire() as conn:
        assert (await prove(conn))["ok"]
        await conn.execute("delete from entry_status_changes")
        broken = [v for c in (await prove(conn))["checks"] for v in c["violations"]]
    assert [v["kind"] for v in broken] == ["versions"]
