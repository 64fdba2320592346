"""A ledger of made-up people on a PostgreSQL of its own, for the benchmarks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from ledger.migrate import migrate
from ledger.pool import open_pool
from ledger.strategies import publish_shipped
from workers.embedded import EmbeddedPostgres

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday, one o'clock in Rome
Pool = asyncpg.Pool


class StandingClock:
    """It shows the same moment until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    async def now(self) -> datetime:
        return self.at

    async def real(self, at: datetime) -> datetime:
        return at


@asynccontextmanager
async def ledger() -> AsyncIterator[tuple[Pool, str]]:
    """An empty ledger whose commits reach the disk, as in production; its connections, and its address."""
    with TemporaryDirectory(prefix="arrears-benchmark-") as folder:
        server = EmbeddedPostgres(Path(folder))
        address = await server.start()
        await asyncio.to_thread(migrate, address)
        async with await open_pool(address) as pool:
            async with pool.acquire() as conn:
                await publish_shipped(conn)
                await conn.execute("update lenders set mode = 'live'")
            yield pool, address
        await server.stop()


async def add_cases(pool: Pool, first: int, last: int) -> None:
    """Loans of people of their own, one instalment a day past due, each with an open case."""
    await pool.execute(
        """
        with n as (select n, 'P' || n as party, 'L' || n as loan,
                       '+1' || (201 + n / 100) || '55501' || lpad((n % 100)::text, 2, '0') as phone
                   from generate_series($1::int, $2::int) n),
        people as (insert into parties (lender_id, party_id, name, language) select 'default', party, 'Made Up', 'it' from n),
        points as (
            insert into contact_points (lender_id, party_id, kind, value, timezone)
            select 'default', party, 'mobile', phone, 'Europe/Rome' from n),
        loans as (
            insert into loans (lender_id, loan_id, borrower_id, country, currency, opened_on, product)
            select 'default', loan, party, 'IT', 'EUR', date '2025-01-01', 'loan' from n),
        due as (
            insert into instalments (lender_id, loan_id, number, due_on, principal, interest, fee)
            select 'default', loan, 1, $3::date - 1, 100, 0, 0 from n)
        insert into cases (lender_id, loan_id, workflow_id, strategy, strategy_version, opened_at, episode_at)
        select 'default', loan, 'loan-default-' || loan, s.name, s.version, $4::timestamptz, $4
        from n, strategies s where s.name = 'standard'
        """,
        first,
        last,
        NOON.date(),
        NOON,
    )
    for table in ("parties", "contact_points", "loans", "instalments", "cases"):
        await pool.execute(f"analyze {table}")


async def add_past(pool: Pool, first: int, last: int) -> None:
    """A text to each of these people ten days ago; and PostgreSQL looks how many rows there are, as it does by itself in time."""
    await pool.execute(
        """
        insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, contact_value,
            state, reserved_at, sending_at, sending_real, settled_at, business_date, commit_order)
        select gen_random_uuid(), p.lender_id, 'L' || n, 1, 'first', 1, 'sms', 'collect', p.party_id, p.value,
            'sent', at, at, now(), at, at::date, nextval('commit_order')
        from generate_series($1::int, $2::int) n join contact_points p on p.party_id = 'P' || n, (select $3::timestamptz as at) then_
        """,
        first,
        last,
        NOON - timedelta(days=10),
    )
    await pool.execute("analyze")
