"""Entries that come at the same moment are posted together, and each becomes what it would have been alone."""

import asyncio
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

import pytest

from domain.loan import EntryKind, LoanKey
from ledger.group_commit import GroupCommit
from ledger.known import Conflict
from ledger.money import position_of
from ledger.new_entry import NewEntry
from ledger.next_version import NextVersion
from ledger.posting import Posted, WrongCurrency, post_entry
from tests.ledger.samples import NOON, Pool, Standing, add_case, add_contact, add_loan, add_task, entry

CLOCK = Standing()


def loan(n: int) -> LoanKey:
    return LoanKey("default", f"L-{n}")


async def add_loans(pool: Pool, count: int) -> None:
    for n in range(1, count + 1):
        await add_loan(pool, loan(n))


async def commits(pool: Pool) -> int:
    """How many transactions wrote the entries that there are."""
    found: int = await pool.fetchval("select count(distinct xmin::text) from entries")
    return found


async def at_once(together: GroupCommit, *entries: Any) -> list[Any]:
    return await asyncio.gather(*(together.post(each) for each in entries), return_exceptions=True)


@pytest.fixture
def together(pool: Pool) -> GroupCommit:
    return GroupCommit(pool, CLOCK)


async def test_what_comes_together_is_committed_together(pool: Pool, together: GroupCommit) -> None:
    await add_loans(pool, 40)
    entries = [entry(f"E-{n}", loan_id=f"L-{n}", amount=Decimal(n)) for n in range(1, 41)]
    assert await at_once(together, *entries) == [Posted("new", 1, False)] * 40
    assert await commits(pool) == 1
    for n in range(1, 41):
        assert (await position_of(pool, loan(n), NOON.date())).outstanding == 100 - n


async def test_the_cases_are_told_and_a_cured_chase_ends(pool: Pool, together: GroupCommit) -> None:
    await add_loans(pool, 3)
    await add_case(pool, loan(1))
    await add_case(pool, loan(2))
    await add_task(pool, "T-1", "call", loan(1))
    await add_contact(pool, "C-1", "reserved", "collect", loan(1))
    await add_task(pool, "T-2", "call", loan(2))
    all_of_it, part, no_case = (
        entry(f"E-{n}", loan_id=f"L-{n}", amount=Decimal(amount)) for n, amount in ((1, 100), (2, 40), (3, 5))
    )
    said = await at_once(together, all_of_it, part, no_case)
    assert said == [Posted("new", 1, True), Posted("new", 1, False), Posted("new", 1, False)]
    assert await commits(pool) == 1
    told = await pool.fetch("select loan_id, message, payload ->> 'entry_id' as entry_id from outbox order by loan_id")
    assert [tuple(row) for row in told] == [("L-1", "payment_received", "E-1"), ("L-2", "payment_received", "E-2")]
    tasks = await pool.fetch("select task_id, status from tasks order by task_id")
    assert [tuple(row) for row in tasks] == [("T-1", "withdrawn"), ("T-2", "open")]
    assert await pool.fetchval("select state from contacts") == "cancelled"


async def test_money_that_comes_late_makes_its_remedy_task(pool: Pool, together: GroupCommit) -> None:
    await add_loans(pool, 2)
    await add_case(pool, loan(1))
    await pool.execute(
        "insert into entries (lender_id, entry_id, loan_id, kind, amount, currency, value_date, ledger_version)"
        " values ('default', 'F-1', 'L-1', 'late_fee', 5, 'EUR', '2026-03-09', 1)"
    )
    await pool.execute("update loans set ledger_version = 1 where loan_id = 'L-1'")
    early = NOON.date().replace(month=2)
    await at_once(together, entry("E-1", value_date=early), entry("E-2", loan_id="L-2"))
    assert await pool.fetchval("select count(*) from tasks where kind = 'remedy' and loan_id = 'L-1'") == 1


async def test_two_for_one_loan_make_two_versions(pool: Pool, together: GroupCommit) -> None:
    await add_loans(pool, 2)
    said = await at_once(together, *(entry(f"E-{n}", loan_id="L-1", amount=Decimal(1)) for n in range(30)))
    assert sorted(posted.version for posted in said) == list(range(1, 31))
    assert (await position_of(pool, loan(1), NOON.date())).outstanding == 70


async def test_the_same_entry_many_times_counts_once(pool: Pool, together: GroupCommit) -> None:
    await add_loans(pool, 1)
    said = await at_once(together, *[entry()] * 20)
    assert sorted(posted.status for posted in said) == ["known"] * 19 + ["new"]
    assert {posted.version for posted in said} == {1}


async def test_what_is_not_plain_is_what_it_is_alone(pool: Pool, together: GroupCommit) -> None:
    await add_loans(pool, 5)
    await post_entry(pool, entry("E-1"), CLOCK)
    said = await at_once(
        together,
        entry("E-1"),  # known
        entry("E-2", loan_id="L-2"),
        entry("E-1", loan_id="L-3"),  # the id of another loan's
        entry("E-3", loan_id="L-9"),  # no loan
        entry("E-4", loan_id="L-4", currency="CNY"),
        entry("E-5", loan_id="L-1", kind=EntryKind.REVERSAL, reverses="E-1", amount=Decimal(30)),
        entry("E-6", loan_id="L-5", kind=EntryKind.REVERSAL, reverses="E-7"),  # before what it reverses
    )
    assert said[0] == Posted("known", 1, False)
    assert said[1] == Posted("new", 1, True)
    assert isinstance(said[2], Conflict)
    assert said[3] == Posted("suspense", None, False)
    assert isinstance(said[4], WrongCurrency)
    assert said[5] == Posted("new", 2, False)
    assert said[6] == Posted("suspense", None, False)
    assert (await together.post(entry("E-7", loan_id="L-5"))).status == "new"  # and what waited for it comes with it
    assert (await position_of(pool, loan(5), NOON.date())).outstanding == 100


async def test_a_loan_that_is_held_holds_nobody_else(pool: Pool, together: GroupCommit) -> None:
    await add_loans(pool, 3)
    async with pool.acquire() as holder:
        held = holder.transaction()
        await held.start()
        await holder.execute("select from parties where party_id = 'B-L-2' for update")
        entries = [asyncio.create_task(together.post(entry(f"E-{n}", loan_id=f"L-{n}"))) for n in (1, 2, 3)]
        done, waiting = await asyncio.wait(entries, timeout=1)
        assert {task.result().status for task in done} == {"new"}
        assert waiting == {entries[1]}
        await held.rollback()
    assert (await entries[1]).status == "new"


async def test_one_that_cannot_be_written_spoils_it_for_none(pool: Pool, together: GroupCommit) -> None:
    await add_loans(pool, 3)
    await pool.execute("alter table entries add constraint unlucky check (entry_id <> 'E-2')")
    said = await at_once(together, *(entry(f"E-{n}", loan_id=f"L-{n}") for n in (1, 2, 3)))
    assert [getattr(each, "status", type(each).__name__) for each in said] == ["new", "CheckViolationError", "new"]
    assert await pool.fetchval("select count(*) from entries") == 2


async def test_who_gives_up_waiting_takes_nothing_from_the_others(pool: Pool, together: GroupCommit) -> None:
    await add_loans(pool, 3)
    one, two = (asyncio.create_task(together.post(entry(f"E-{n}", loan_id=f"L-{n}"))) for n in (1, 2))
    await asyncio.sleep(0)
    one.cancel()
    assert (await two).status == "new"
    assert (await together.post(entry("E-3", loan_id="L-3"))).status == "new"
    assert await pool.fetchval("select count(*) from entries") == 2  # and is not posted, for nobody is told of it


async def test_a_fault_with_one_spares_the_others(
    pool: Pool, together: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_loans(pool, 3)
    sound = NextVersion.of

    def unlucky(entry: NewEntry, *rest: Any) -> NextVersion:
        if entry.entry_id == "E-2":
            raise KeyError("a zone that nobody knows")
        return sound(entry, *rest)

    monkeypatch.setattr(NextVersion, "of", unlucky)
    said = await at_once(together, *(entry(f"E-{n}", loan_id=f"L-{n}") for n in (1, 2, 3)))
    assert [getattr(each, "status", type(each).__name__) for each in said] == ["new", "KeyError", "new"]


async def test_who_comes_as_the_last_group_ends_is_not_forgotten(
    pool: Pool, together: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.group_commit.AT_ONCE", 1)
    await add_loans(pool, 20)
    for n in range(1, 21):
        assert (await asyncio.wait_for(together.post(entry(f"E-{n}", loan_id=f"L-{n}")), 10)).status == "new"


async def test_of_a_ledger_that_is_away_all_hear_at_once(
    pool: Pool, together: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.group_commit.AT_ONCE", 1)
    monkeypatch.setattr("ledger.group_commit.LARGEST", 1)
    tries = 0

    class Away:
        def acquire(self) -> None:
            nonlocal tries
            tries += 1
            raise TimeoutError

    monkeypatch.setattr(together, "_pool", Away())
    said = await at_once(together, *(entry(f"E-{n}", loan_id=f"L-{n}") for n in range(5)))
    assert [type(each) for each in said] == [TimeoutError] * 5
    assert tries == 1
    monkeypatch.setattr(together, "_pool", pool)
    await add_loans(pool, 1)
    assert (await together.post(entry("E-1"))).status == "new"


async def test_each_message_has_the_trace_of_its_own_request(
    pool: Pool, together: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine: ContextVar[str | None] = ContextVar("mine", default=None)
    monkeypatch.setattr("ledger.group_commit.traceparent", mine.get)
    monkeypatch.setattr("ledger.next_version.traceparent", mine.get)
    await add_loans(pool, 3)
    for n in (1, 2, 3):
        await add_case(pool, loan(n))

    async def request(n: int) -> None:
        mine.set(f"trace {n}")
        await together.post(entry(f"E-{n}", loan_id=f"L-{n}", amount=Decimal(1)))

    await asyncio.gather(*(asyncio.create_task(request(n)) for n in (1, 2, 3)))
    rows = await pool.fetch("select loan_id, trace from outbox order by loan_id")
    assert [tuple(row) for row in rows] == [(f"L-{n}", f"trace {n}") for n in (1, 2, 3)]
