"""The first tape of a ledger does without foreign keys while it runs: afterwards they are there, and it took what any other takes."""

from pathlib import Path

import asyncpg
import pytest

from ledger.tape.first import TABLES, first_tape
from tests.ledger.samples import Pool, add_loan
from tests.ledger.tape.tapes import GOOD, take

PROMISES = """
select 'trigger ' || tgname as name, tgenabled::text as says from pg_trigger where tgrelid = any($1::text[]::regclass[]) and not tgisinternal
union all select conname, pg_get_constraintdef(oid) as says from pg_constraint where conrelid = any($1::text[]::regclass[]) and convalidated
union all select indexname, indexdef from pg_indexes where tablename = any($1) order by 1, 2
"""


async def promises(pool: Pool) -> list[tuple[str, str]]:
    return [tuple(row) for row in await pool.fetch(PROMISES, TABLES)]


async def test_all_that_was_promised_before_is_promised_after(pool: Pool, tmp_path: Path) -> None:
    before = await promises(pool)
    assert {"loans_lender_id_borrower_id_fkey", "instalments_by_due"} <= {name for name, _ in before}
    async with pool.acquire() as conn, conn.transaction():
        async with first_tape(conn) as first:
            assert first
            gone = set(before) - {tuple(row) for row in await conn.fetch(PROMISES, TABLES)}
        assert {"instalments_pkey", "instalments_by_due", "loans_lender_id_borrower_id_fkey"} < {
            name for name, _ in gone
        }
    await take(pool, tmp_path, GOOD)
    assert await promises(pool) == before


async def test_a_row_that_breaks_a_promise_does_not_stay(pool: Pool) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with pool.acquire() as conn, conn.transaction(), first_tape(conn):
            await conn.execute("insert into parties (lender_id, party_id, name) values ('nobody', 'B-1', 'Ann')")
    assert await pool.fetchval("select count(*) from parties") == 0


async def test_an_instalment_of_no_loan_does_not_stay(pool: Pool) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="an instalment names loan default/L-9"):
        async with pool.acquire() as conn, conn.transaction(), first_tape(conn):
            await conn.execute(
                "insert into instalments (lender_id, loan_id, number, due_on, principal, interest, fee)"
                " values ('default', 'L-9', 1, '2026-03-01', 1, 0, 0)"
            )
    assert await pool.fetchval("select count(*) from instalments") == 0


async def test_who_looks_meanwhile_is_not_in_the_way(pool: Pool, tmp_path: Path) -> None:
    async with pool.acquire() as looking, looking.transaction():
        await looking.fetchval("select count(*) from loans")
        async with pool.acquire() as conn, conn.transaction(), first_tape(conn) as first:
            assert not first
        report = await take(pool, tmp_path, GOOD)
    assert {name: counts.new for name, counts in report.counts.items()} == {
        name: len(rows) - 1 for name, rows in GOOD.items()
    }


async def test_a_second_tape_is_not_the_first(pool: Pool) -> None:
    await add_loan(pool)
    async with pool.acquire() as conn, conn.transaction(), first_tape(conn) as first:
        assert not first
