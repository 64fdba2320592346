"""By which terms a loan is read: chosen by its lender, or for itself."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import BadInput
from domain.interest import DayCount, Interest
from domain.loan import EntryKind, LoanKey
from domain.position import Disputed, Terms
from ledger.facts import load_case
from ledger.money import money_of, position_of
from ledger.posting import post_entry
from ledger.strategies import publish_shipped
from ledger.terms import Chosen, choose, dispute_part, end_disputes, terms_of_loans, waterfall_named, waterfalls
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, add_loan, entry


async def chosen(conn: Any, lender_id: str = "default", loan_id: str | None = None, **terms: Any) -> None:
    await choose(conn, Chosen(**terms), lender_id, loan_id, by="ann", why="asked", now=NOON)


async def test_the_shipped_lender_works_out_no_interest(pool: Pool) -> None:
    await add_loan(pool)
    await pool.execute("update loans set annual_rate = 0.1, penalty_rate = 0.2")
    async with pool.acquire() as conn:
        assert (await money_of(conn, KEY)).terms == Terms()


async def test_a_loan_differs_from_its_lender(pool: Pool) -> None:
    await add_loan(pool)
    await pool.execute("update loans set annual_rate = 0.1, penalty_rate = 0.2, opened_on = '2026-01-01'")
    async with pool.acquire() as conn, conn.transaction():
        await chosen(conn, waterfall="cn-561", penalty_interest=True, day_count=DayCount.THIRTY_360)
        terms = (await money_of(conn, KEY)).terms
        assert (terms.waterfall.name, terms.interest) == (
            "cn-561",
            Interest(date(2026, 1, 1), None, Decimal("0.2"), DayCount.THIRTY_360),
        )
        own = {"waterfall": "principal-first", "penalty_interest": False, "daily_interest": True}
        await chosen(conn, "default", KEY.loan_id, **own)
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
        await chosen(conn, penalty_interest=True)
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
            await chosen(conn, waterfall="mine")
        with pytest.raises(BadInput, match="lender 'nobody' is unknown"):
            await chosen(conn, "nobody", waterfall="cn-561")
        with pytest.raises(BadInput, match="loan default/L-1 is unknown"):
            await chosen(conn, "default", "L-1", waterfall="cn-561")


OTHERS = LoanKey("other", "L-1")
CLOSED = LoanKey("default", "L-2")


async def test_tolerance_and_materiality_are_what_the_lender_chose(pool: Pool) -> None:
    await add_loan(pool)  # of 100
    await post_entry(pool, entry(amount=Decimal(98)), Standing())
    today = NOON.date()
    async with pool.acquire() as conn, conn.transaction():
        await chosen(conn, materiality=Decimal(2))
        assert (await money_of(conn, KEY)).terms == Terms(materiality=Decimal(2))
        stands = await position_of(conn, KEY, today)
        assert (stands.days_past_due, stands.arrears) == (0, Decimal(2))
        await chosen(conn, materiality=Decimal("1.99"))
        assert (await position_of(conn, KEY, today)).days_past_due == 9
        await chosen(conn, materiality=Decimal(0), tolerance=Decimal(2))
        assert (await money_of(conn, KEY)).terms == Terms(tolerance=Decimal(2))
        stands = await position_of(conn, KEY, today)
        assert (stands.days_past_due, stands.arrears) == (0, Decimal(0))
        await chosen(conn, tolerance=Decimal("1.99"))
        assert (await position_of(conn, KEY, today)).days_past_due == 9


async def test_a_change_is_recorded_and_told_to_the_open_cases_it_concerns(pool: Pool) -> None:
    await pool.execute("insert into lenders (lender_id, name) values ('other', 'Other')")
    for key, is_open in ((KEY, True), (OTHERS, True), (CLOSED, False)):
        await add_loan(pool, key)
        await add_case(pool, key, is_open=is_open)

    async def told() -> list[tuple[str, str]]:
        rows = await pool.fetch("delete from outbox returning lender_id, loan_id, message, payload")
        assert all((r["message"], r["payload"]) == ("ledger_changed", {"about": "terms"}) for r in rows)
        return [(r["lender_id"], r["loan_id"]) for r in rows]

    async with pool.acquire() as conn:
        await chosen(conn, tolerance=Decimal("0.50"), timezone="Asia/Shanghai", waterfall="default")
        assert await told() == [KEY]
        await chosen(conn, tolerance=Decimal("0.5"))  # as it is
        await chosen(conn, balance_tolerance=Decimal(1))  # which no position is read by
        assert await told() == []
        await chosen(conn, "other", "L-1", waterfall="cn-561")
        assert await told() == [OTHERS]
    kept = await pool.fetch(
        "select lender_id, loan_id, changed, made_by, reason, changed_at from term_changes order by 1, 2, change_id"
    )
    assert [(r["lender_id"], r["loan_id"], r["changed"]) for r in kept] == [
        ("default", None, {"tolerance": ["0", "0.50"], "timezone": ["UTC", "Asia/Shanghai"]}),
        ("default", None, {"balance_tolerance": ["0", "1"]}),
        ("other", "L-1", {"waterfall": [None, "cn-561"]}),
    ]
    assert {(r["made_by"], r["reason"], r["changed_at"]) for r in kept} == {("ann", "asked", NOON)}


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"timezone": "Europe/Roma"}, "timezone 'Europe/Roma' is not known: use a name such as Europe/Rome"),
        ({"tolerance": Decimal(-1)}, "tolerance -1 is no amount of money: use 0 or more"),
        ({"materiality": Decimal("NaN")}, "materiality NaN is no amount of money"),
        ({"balance_tolerance": Decimal("Infinity")}, "balance_tolerance Infinity is no amount of money"),
    ],
)
async def test_terms_that_cannot_be_are_refused(pool: Pool, terms: dict[str, Any], says: str) -> None:
    async with pool.acquire() as conn:
        with pytest.raises(BadInput, match=says):
            await chosen(conn, **terms)


async def test_what_is_the_lenders_alone_is_no_loan_s_own(pool: Pool) -> None:
    await add_loan(pool)
    async with pool.acquire() as conn:
        with pytest.raises(BadInput, match="tolerance is a lender's policy"):
            await chosen(conn, "default", "L-1", waterfall="cn-561", tolerance=Decimal(1))
