"""By which terms a loan is read: chosen by its lender, or for itself."""

from datetime import date
from decimal import Decimal

import pytest

from domain.errors import BadInput
from domain.interest import DayCount, Interest
from domain.loan import EntryKind
from domain.position import Disputed, Terms
from ledger.facts import load_case
from ledger.money import money_of, position_of
from ledger.posting import post_entry
from ledger.strategies import publish_shipped
from ledger.terms import choose, dispute_part, end_disputes, terms_of_loans, waterfall_named, waterfalls
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, add_loan, entry


async def test_the_shipped_lender_works_out_no_interest(pool: Pool) -> None:
    await add_loan(pool)
    await pool.execute("update loans set annual_rate = 0.1, penalty_rate = 0.2")
    async with pool.acquire() as conn:
        assert (await money_of(conn, KEY)).terms == Terms()


async def test_a_loan_differs_from_its_lender(pool: Pool) -> None:
    await add_loan(pool)
    await pool.execute("update loans set annual_rate = 0.1, penalty_rate = 0.2, opened_on = '2026-01-01'")
    async with pool.acquire() as conn, conn.transaction():
        await choose(conn, "default", waterfall="cn-561", penalty_interest=True, day_count=DayCount.THIRTY_360)
        terms = (await money_of(conn, KEY)).terms
        assert (terms.waterfall.name, terms.interest) == (
            "cn-561",
            Interest(date(2026, 1, 1), None, Decimal("0.2"), DayCount.THIRTY_360),
        )
        await choose(
            conn, "default", KEY.loan_id, waterfall="principal-first", penalty_interest=False, daily_interest=True
        )
        terms = (await money_of(conn, KEY)).terms
        assert (terms.waterfall.name, terms.interest) == (
            "principal-first",
            Interest(date(2026, 1, 1), Decimal("0.1"), None, DayCount.THIRTY_360),
        )
        assert await terms_of_loans(conn, [KEY.lender_id], [KEY.loan_id]) == {KEY: terms}


async def test_a_case_is_decided_by_the_same_terms(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    await pool.execute("update loans set penalty_rate = 3.65")
    async with pool.acquire() as conn, conn.transaction():
        await publish_shipped(conn)
        await conn.execute(
            "update cases set strategy = 'standard', strategy_version = (select max(version) from strategies where name = 'standard')"
        )
        plain = await load_case(conn, KEY, NOON)
        await choose(conn, "default", penalty_interest=True)
        snapshot = await load_case(conn, KEY, NOON)
        assert plain is not None
        assert snapshot is not None
        assert plain.facts.position.fee_arrears < snapshot.facts.position.fee_arrears
        assert snapshot.facts.position == await position_of(conn, KEY, snapshot.facts.position.as_of)


async def test_what_is_disputed_is_spared_until_it_is_not(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(entry_id="C-1", kind=EntryKind.COST, amount=Decimal(30)), Standing())
    await post_entry(pool, entry(amount=Decimal(500)), Standing())
    today = NOON.date()
    async with pool.acquire() as conn, conn.transaction():
        await dispute_part(
            conn, KEY, date(2026, 1, 1), instalment=None, component="cost", source="call", reason="never agreed"
        )
        assert ((await money_of(conn, KEY)).terms).disputed == (Disputed(date(2026, 1, 1), component="cost"),)
        assert (await position_of(conn, KEY, today)).held_back == 30
        assert await end_disputes(conn, KEY, today) == 1
        assert await end_disputes(conn, KEY, today) == 0
        assert (await position_of(conn, KEY, today)).held_back == 0
        with pytest.raises(BadInput, match="a disputed part is missing"):
            await dispute_part(conn, KEY, today, instalment=None, component=None, source="call", reason="all of it")
        with pytest.raises(BadInput, match="loan default/L-1 has no instalment 99"):
            await dispute_part(conn, KEY, today, instalment=99, component=None, source="call", reason="not mine")


async def test_what_is_not_known_is_refused(pool: Pool) -> None:
    assert set(waterfalls()) == {"default", "cn-561", "instalment-wise", "principal-first"}
    with pytest.raises(BadInput, match="waterfall 'mine' is not known: use one of cn-561, default"):
        waterfall_named("mine")
    async with pool.acquire() as conn, conn.transaction():
        with pytest.raises(BadInput, match="waterfall 'mine' is not known"):
            await choose(conn, "default", waterfall="mine")
        with pytest.raises(BadInput, match="lender 'nobody' is unknown"):
            await choose(conn, "nobody", waterfall="cn-561")
        with pytest.raises(BadInput, match="loan default/L-1 is unknown"):
            await choose(conn, "default", "L-1", waterfall="cn-561")
