"""Money whose loan nobody knows yet: matched by rule when the loan comes, or by hand."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import BadInput
from domain.loan import EntryKind, EntryStatus, LoanKey
from ledger.known import Conflict
from ledger.new_entry import NewEntry
from ledger.posting import Posted, WrongCurrency, post_entry, post_within
from ledger.proof.prove import prove
from ledger.suspense import list_suspense, match_by_hand, match_each, match_suspense
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, add_loan, entry

CLOCK = Standing()
OTHER = LoanKey("default", "L-2")


async def waiting(pool: Pool) -> dict[str, bool]:
    async with pool.acquire() as conn:
        return {row["entry_id"]: row["loan_known"] for row in await list_suspense(conn)}


async def lines(pool: Pool) -> list[tuple[Any, ...]]:
    rows = await pool.fetch("select entry_id, loan_id, status, ledger_version from ledger_lines order by commit_order")
    return [tuple(r) for r in rows]


async def test_by_rule_in_value_date_order(pool: Pool) -> None:
    await post_entry(pool, entry("R", kind=EntryKind.REVERSAL, reverses="a-late", value_date=date(2026, 3, 1)), CLOCK)
    await post_entry(pool, entry("a-late"), CLOCK)
    await post_entry(pool, entry("b-early", value_date=date(2026, 3, 2)), CLOCK)
    await post_entry(pool, entry("stranger", loan_id="L-9"), CLOCK)
    await post_entry(pool, entry("dollars", currency="USD"), CLOCK)
    assert await match_each(pool, CLOCK) == 0
    await add_loan(pool)
    await add_case(pool)
    assert await match_each(pool, CLOCK) == 3
    assert await lines(pool) == [
        ("b-early", "L-1", "settled", 1),
        ("a-late", "L-1", "settled", 2),
        ("R", "L-1", "settled", 3),
    ]
    assert await match_each(pool, CLOCK) == 0
    assert await waiting(pool) == {"stranger": False, "dollars": True}
    assert await pool.fetchval("select count(*) from outbox") == 3
    async with pool.acquire() as conn:
        why = {row["entry_id"]: row["refusal"] for row in await list_suspense(conn)}
    assert why["stranger"] is None
    assert "is in USD, but loan default/L-1 is in EUR" in why["dollars"]


async def test_by_rule_in_one_transaction(pool: Pool) -> None:
    await post_entry(pool, entry(), CLOCK)
    await post_entry(pool, entry("dollars", currency="USD"), CLOCK)
    await post_entry(pool, entry("older", loan_id="L-2", value_date=date(2026, 3, 1)), CLOCK)
    await add_loan(pool)
    await add_loan(pool, OTHER)
    async with pool.acquire() as conn, conn.transaction():
        assert await match_suspense(conn, CLOCK) == 2
        assert await match_suspense(conn, CLOCK) == 0
    # The order of locks: the date counts within a loan.
    assert await lines(pool) == [("E-1", "L-1", "settled", 1), ("older", "L-2", "settled", 1)]
    assert "in USD" in await pool.fetchval("select refusal from suspense")


async def test_by_hand(pool: Pool) -> None:
    await add_loan(pool)
    wrong = entry(loan_id="L-I", payer="Bert")
    await post_entry(pool, wrong, CLOCK)
    assert await match_by_hand(pool, KEY, "E-1", "c1", CLOCK) == Posted("new", 1, cured=True)
    assert await match_by_hand(pool, KEY, "E-1", "c1", CLOCK) == Posted("known", 1, cured=False)
    assert await waiting(pool) == {}
    match = await pool.fetchrow("select sent_for, loan_id, matched_by, matched_at from suspense_matches")
    assert match is not None
    assert tuple(match) == ("L-I", "L-1", "c1", NOON)
    assert await pool.fetchval("select payer from entries") == "Bert"


async def test_the_sender_may_go_on_naming_the_other_loan(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(loan_id="L-2", status=EntryStatus.PENDING), CLOCK)
    await match_by_hand(pool, KEY, "E-1", "c1", CLOCK)
    assert await post_entry(pool, entry(loan_id="L-2", status=EntryStatus.PENDING), CLOCK) == Posted("known", 1, False)
    assert await post_entry(pool, entry(loan_id="L-2"), CLOCK) == Posted("changed", 2, cured=True)
    with pytest.raises(Conflict):
        await post_entry(pool, entry(loan_id="L-2", amount=Decimal(1)), CLOCK)
    await add_loan(pool, OTHER)  # that loan comes after all
    assert await post_entry(pool, entry(loan_id="L-2"), CLOCK) == Posted("known", 2, cured=False)
    assert await post_entry(pool, entry(), CLOCK) == Posted("known", 2, cured=False)
    with pytest.raises(Conflict):
        await post_entry(pool, entry(loan_id="L-3"), CLOCK)
    assert await pool.fetchval("select sum(ledger_version) from loans") == 2


async def test_by_hand_what_cannot_be(pool: Pool) -> None:
    await add_loan(pool)
    await add_loan(pool, OTHER, currency="USD")
    await post_entry(pool, entry(loan_id="L-9"), CLOCK)
    with pytest.raises(BadInput, match="E-7 is not in suspense"):
        await match_by_hand(pool, KEY, "E-7", "c1", CLOCK)
    with pytest.raises(BadInput, match="loan default/L-8 is unknown"):
        await match_by_hand(pool, LoanKey("default", "L-8"), "E-1", "c1", CLOCK)
    with pytest.raises(WrongCurrency):
        await match_by_hand(pool, OTHER, "E-1", "c1", CLOCK)
    assert await waiting(pool) == {"E-1": False}
    assert await pool.fetchval("select count(*) from suspense_matches") == 0
    await match_by_hand(pool, KEY, "E-1", "c1", CLOCK)
    with pytest.raises(BadInput, match="is not in suspense: it was posted to loan default/L-1 before"):
        await match_by_hand(pool, OTHER, "E-1", "c1", CLOCK)


async def waits(pool: Pool, task: "asyncio.Task[Posted]", others: int = 0) -> None:
    """Until it waits for a lock beside the others, or is done without."""
    while not task.done() and await pool.fetchval("select count(*) from pg_locks where not granted") <= others:
        pass


async def test_what_was_kept_by_older_rules_keeps_nothing_else_waiting(pool: Pool) -> None:
    await keep(pool, entry("E-0", value_date=date(9999, 12, 31)))
    await post_entry(pool, entry(), CLOCK)
    await add_loan(pool)
    assert await match_each(pool, CLOCK) == 1
    assert "value_date 9999-12-31 is out of range" in await pool.fetchval("select refusal from suspense")


@pytest.mark.parametrize("first", ["L-1", "L-9"])
async def test_one_id_for_a_known_loan_and_an_unknown_one_at_once(pool: Pool, first: str) -> None:
    await add_loan(pool)
    second = "L-9" if first == "L-1" else "L-1"
    async with pool.acquire() as conn, conn.transaction():
        await post_within(conn, entry(loan_id=first), CLOCK)
        other = asyncio.create_task(post_entry(pool, entry(loan_id=second), CLOCK))
        await waits(pool, other)
    with pytest.raises(Conflict, match=r"with other content \(loan_id\)"):
        await other
    assert len(await lines(pool)) + len(await waiting(pool)) == 1


async def test_who_names_the_other_loan_while_it_is_matched_hears_that_it_is_known(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(loan_id="L-9"), CLOCK)
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("select pg_advisory_xact_lock(hashtextextended('E-1', hashtext('default')))")
        matching = asyncio.create_task(match_by_hand(pool, KEY, "E-1", "c1", CLOCK))
        await waits(pool, matching)
        again = asyncio.create_task(post_entry(pool, entry(loan_id="L-9"), CLOCK))  # it has looked for a match by now
        await waits(pool, again, others=1)
    assert await matching == Posted("new", 1, cured=True)
    assert await again == Posted("known", 1, cured=False)


async def keep(pool: Pool, kept: NewEntry) -> None:
    """As a tape does that is taken in beside a posting: it locks loans, and no ids."""
    await pool.execute(
        "insert into suspense (lender_id, entry_id, loan_id, entry) values ('default', $1, $2, $3)",
        kept.entry_id,
        kept.loan_id,
        kept.as_json(),
    )


async def test_what_is_posted_already_leaves_suspense(pool: Pool) -> None:
    await add_loan(pool)
    for loan_id, entry_id in (("L-1", "E-1"), ("L-9", "E-2"), ("L-1", "E-3")):
        await post_entry(pool, entry(entry_id), CLOCK)
        await keep(pool, entry(entry_id, loan_id=loan_id, amount=Decimal(7 if entry_id == "E-3" else 100)))
    async with pool.acquire() as conn:
        [money] = [c for c in (await prove(conn))["checks"] if c["name"] == "entries"]
    assert [(v["kind"], v["id"]) for v in money["violations"]] == [("posted_and_kept", f"E-{n}") for n in (1, 2, 3)]
    await match_each(pool, CLOCK)
    assert await waiting(pool) == {"E-2": False, "E-3": True}
    assert await match_by_hand(pool, KEY, "E-2", "c1", CLOCK) == Posted("known", 2, cured=False)
    for _ in range(2):
        with pytest.raises(BadInput, match="posted to loan default/L-1 with other content"):
            await match_by_hand(pool, KEY, "E-3", "c1", CLOCK)
    assert await waiting(pool) == {"E-3": True}


async def test_the_loan_that_an_entry_was_matched_to_is_locked_and_no_other(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(loan_id="L-2"), CLOCK)
    await match_by_hand(pool, KEY, "E-1", "c1", CLOCK)
    await add_loan(pool, OTHER)
    async with pool.acquire() as conn, conn.transaction():
        assert (await post_within(conn, entry(loan_id="L-2"), CLOCK)).status == "known"
        free = await pool.fetch("select loan_id from loans for no key update skip locked")
    assert [r["loan_id"] for r in free] == ["L-2"]
