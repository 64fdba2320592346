from decimal import Decimal

import asyncpg
import pytest

from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.locks import lock_loan, try_lock_loan
from ledger.pool import open_pool
from tests.ledger.samples import KEY, NOON, Pool, add_loan


async def test_json_keeps_amounts_exact(pool: Pool) -> None:
    sent = {"amount": Decimal("0.10"), "at": NOON, "day": NOON.date(), "name": "Łucja 李", "rows": [1, None, True]}
    got = await pool.fetchval("select $1::jsonb", sent)
    assert got == {
        "amount": "0.10",
        "at": "2026-03-10T12:00:00+00:00",
        "day": "2026-03-10",
        "name": "Łucja 李",
        "rows": [1, None, True],
    }
    assert await pool.fetchval("""select '{"a": 0.1}'::jsonb""") == {"a": Decimal("0.1")}
    with pytest.raises(Exception, match="object has no form in JSON"):
        await pool.fetchval("select $1::jsonb", object())


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://nobody:secret-word@127.0.0.1:1/none",
        "postgresql://nobody:secret-word@no-such-host.invalid/none",
        "no address at all",
    ],
)
async def test_a_database_that_is_down(dsn: str) -> None:
    with pytest.raises(
        BadInput, match=r"the database cannot be reached .*: start it, or correct ARREARS_DATABASE_URL\."
    ) as error:
        await open_pool(dsn)
    assert "secret-word" not in str(error.value)


async def test_an_unknown_loan_cannot_be_locked(pool: Pool) -> None:
    async with pool.acquire() as conn, conn.transaction():
        assert not await try_lock_loan(conn, KEY)
        with pytest.raises(BadInput, match="loan default/L-1 is unknown"):
            await lock_loan(conn, KEY)


async def test_a_locked_loan_keeps_its_borrowers_other_loans_locked_too(pool: Pool) -> None:
    await add_loan(pool)
    await pool.execute(
        """
        insert into loans (lender_id, loan_id, borrower_id, country, currency, opened_on, product)
        values ('default', 'L-2', 'B-L-1', 'IT', 'EUR', '2026-01-01', 'fine')
        """
    )
    async with pool.acquire() as one, pool.acquire() as two:
        async with one.transaction():
            await lock_loan(one, KEY)
            async with two.transaction():
                await two.execute("set local lock_timeout = '50ms'")
                with pytest.raises(Exception, match="lock timeout"):
                    await lock_loan(two, LoanKey("default", "L-2"))
        async with two.transaction():
            await lock_loan(two, LoanKey("default", "L-2"))


async def test_a_connection_that_nobody_gives_back_holds_up_no_end(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.pool.CLOSED_WITHIN", 0.1)
    pool = await open_pool(database_url)
    kept = await pool.acquire()
    await pool.close()
    with pytest.raises(asyncpg.InterfaceError):
        await kept.fetchval("select 1")
