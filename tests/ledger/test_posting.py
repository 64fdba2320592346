import asyncio
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import BadInput
from domain.loan import EntryKind, EntryStatus, LoanKey
from ledger.known import Conflict
from ledger.money import position_of
from ledger.new_entry import NewEntry
from ledger.posting import Posted, WrongCurrency, post_entry
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, add_contact, add_loan, add_task, entry

CLOCK = Standing()


def reversal(entry_id: str, of: str, amount: str = "100", **values: Any) -> NewEntry:
    return entry(entry_id, kind=EntryKind.REVERSAL, reverses=of, amount=Decimal(amount), **values)


async def test_new_then_known(pool: Pool) -> None:
    await add_loan(pool)
    assert await post_entry(pool, entry(), CLOCK) == Posted("new", 1, cured=True)
    assert await post_entry(pool, entry(amount=Decimal("100.00")), CLOCK) == Posted("known", 1, cured=False)
    assert await pool.fetchval("select count(*) from entries") == 1


@pytest.mark.parametrize(
    "other",
    [{"amount": Decimal(99)}, {"value_date": date(2026, 3, 8)}, {"status": EntryStatus.PENDING}, {"reason": "typo"}],
)
async def test_same_id_with_other_content_is_refused(pool: Pool, other: dict[str, Any]) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(), CLOCK)
    with pytest.raises(Conflict, match="entry E-1 is already known with other content"):
        await post_entry(pool, entry(**other), CLOCK)


async def test_same_id_for_another_loan_is_refused(pool: Pool) -> None:
    await add_loan(pool)
    await add_loan(pool, LoanKey("default", "L-2"))
    await post_entry(pool, entry(), CLOCK)
    with pytest.raises(Conflict):
        await post_entry(pool, entry(loan_id="L-2"), CLOCK)
    assert await pool.fetchval("select ledger_version from loans where loan_id = 'L-2'") == 0


async def test_money_for_an_unknown_loan_waits(pool: Pool) -> None:
    assert await post_entry(pool, entry(), CLOCK) == Posted("suspense", None, cured=False)
    assert await post_entry(pool, entry(), CLOCK) == Posted("known", None, cured=False)
    with pytest.raises(Conflict):
        await post_entry(pool, entry(amount=Decimal(1)), CLOCK)
    await add_loan(pool)
    with pytest.raises(Conflict):
        await post_entry(pool, entry(amount=Decimal(1)), CLOCK)
    assert await post_entry(pool, entry(), CLOCK) == Posted("new", 1, cured=True)
    assert await pool.fetchval("select count(*) from suspense") == 0


async def test_wrong_currency(pool: Pool) -> None:
    await add_loan(pool)
    with pytest.raises(WrongCurrency, match="E-1 is in USD, but loan default/L-1 is in EUR"):
        await post_entry(pool, entry(currency="USD"), CLOCK)


async def test_reversals(pool: Pool) -> None:
    await add_loan(pool)
    await add_loan(pool, LoanKey("default", "L-2"))
    await post_entry(pool, entry(), CLOCK)
    await post_entry(pool, entry("E-2", loan_id="L-2"), CLOCK)
    with pytest.raises(BadInput, match="reverses E-2 is no entry of loan"):
        await post_entry(pool, reversal("R-1", "E-2"), CLOCK)
    assert (await post_entry(pool, reversal("R-1", "E-1", "30"), CLOCK)).version == 2
    with pytest.raises(BadInput, match="more than the 70 left of entry E-1"):
        await post_entry(pool, reversal("R-2", "E-1", "70.01"), CLOCK)
    with pytest.raises(BadInput, match="is a reversal itself"):
        await post_entry(pool, reversal("R-2", "R-1", "1"), CLOCK)
    assert await post_entry(pool, reversal("R-2", "E-1", "70"), CLOCK) == Posted("new", 3, cured=False)
    assert (await position_of(pool, KEY, NOON.date())).arrears == 100


async def test_nothing_is_left_of_what_was_returned(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(status=EntryStatus.PENDING), CLOCK)
    await post_entry(pool, entry(status=EntryStatus.RETURNED), CLOCK)
    await post_entry(pool, entry("E-2", status=EntryStatus.RETURNED), CLOCK)
    for returned in ("E-1", "E-2"):
        with pytest.raises(BadInput, match=f"reverses {returned} was returned"):
            await post_entry(pool, reversal("R-1", returned), CLOCK)


async def test_a_reversal_that_comes_first_waits_for_its_entry(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    for early in (reversal("R-1", "E-1"), reversal("R-2", "E-1", "1")):
        assert await post_entry(pool, early, CLOCK) == Posted("suspense", None, cured=False)
        assert await post_entry(pool, early, CLOCK) == Posted("known", None, cured=False)
    with pytest.raises(Conflict, match=r"with other content \(amount\)"):
        await post_entry(pool, reversal("R-1", "E-1", "99"), CLOCK)
    assert "reverses E-1" in await pool.fetchval("select refusal from suspense where entry_id = 'R-1'")
    assert (await post_entry(pool, entry(), CLOCK)).version == 1
    rows = await pool.fetch("select entry_id, ledger_version from entries order by commit_order")
    assert [tuple(r) for r in rows] == [("E-1", 1), ("R-1", 2)]
    assert [r["message"] for r in await pool.fetch("select message from outbox order by id")] == [
        "payment_received",
        "payment_reversed",
    ]
    # The second takes back more than is left: it waits on, and says why.
    assert "more than the 0 left" in await pool.fetchval("select refusal from suspense where entry_id = 'R-2'")


async def test_one_row_of_fifty_posts_at_once(pool: Pool) -> None:
    await add_loan(pool)
    done = await asyncio.gather(*(post_entry(pool, entry(), CLOCK) for _ in range(50)))
    assert sorted(p.status for p in done) == ["known"] * 49 + ["new"]
    assert await pool.fetchval("select count(*) from entries") == 1


async def test_versions_have_no_gap(pool: Pool) -> None:
    await add_loan(pool)
    good = [post_entry(pool, entry(f"E-{n}"), CLOCK) for n in range(20)]
    bad = [post_entry(pool, entry(f"B-{n}", currency="USD"), CLOCK) for n in range(20)]
    both = [post for pair in zip(good, bad, strict=True) for post in pair]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(d, WrongCurrency) for d in done) == 20
    rows = await pool.fetch("select ledger_version, commit_order from entries order by ledger_version")
    assert [r["ledger_version"] for r in rows] == list(range(1, 21))
    assert [r["commit_order"] for r in rows] == sorted(r["commit_order"] for r in rows)
    assert await pool.fetchval("select ledger_version from loans") == 20


async def test_cure_ends_the_chase(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    for task_id, kind, status in [
        ("call", "call", "open"),
        ("visit", "visit", "answered"),
        ("done", "call", "done"),
        ("suit", "withdraw_suit", "open"),
        ("remedy", "remedy", "open"),
    ]:
        await add_task(pool, task_id, kind, status=status)
    for contact_id, state, purpose in [
        ("due", "reserved", "collect"),
        ("soon", "reserved", "reminder"),
        ("thanks", "reserved", "service"),
        ("gone", "sending", "collect"),
    ]:
        await add_contact(pool, contact_id, state, purpose)

    await post_entry(pool, entry("E-1", amount=Decimal(40)), CLOCK)
    assert await pool.fetchval("select count(*) from tasks where status = 'withdrawn'") == 0

    assert (await post_entry(pool, entry("E-2", amount=Decimal(60)), CLOCK)).cured
    ended = await pool.fetch("select task_id, ended_at, end_reason from tasks where status = 'withdrawn' order by 1")
    assert [tuple(r) for r in ended] == [("call", NOON, "cured"), ("visit", NOON, "cured")]
    states = {r["contact_id"]: r["state"] for r in await pool.fetch("select contact_id, state from contacts")}
    assert states == {"due": "cancelled", "soon": "cancelled", "thanks": "reserved", "gone": "sending"}


async def test_a_payment_dated_ahead_ends_nothing_yet(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    await add_task(pool, "call", "call")
    assert not (await post_entry(pool, entry(value_date=date(2026, 3, 11)), CLOCK)).cured
    assert await pool.fetchval("select status from tasks") == "open"


async def test_the_lenders_date_decides(pool: Pool) -> None:
    await add_loan(pool)
    await pool.execute("update lenders set timezone = 'Pacific/Kiritimati'")  # already 11 March there
    assert (await post_entry(pool, entry(value_date=date(2026, 3, 11)), CLOCK)).cured


async def test_messages_to_an_open_case(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, entry("E-0", amount=Decimal(1)), CLOCK)
    assert await pool.fetchval("select count(*) from outbox") == 0
    await add_case(pool)
    await post_entry(pool, entry("E-1", reason="SEPA"), CLOCK)
    await post_entry(pool, reversal("R-1", "E-1", reason="Mrs Ann rang and cried"), CLOCK)
    await post_entry(pool, entry("F-1", kind=EntryKind.LATE_FEE), CLOCK)
    await post_entry(pool, entry("E-2", status=EntryStatus.PENDING), CLOCK)
    rows = await pool.fetch("select message, payload from outbox order by id")
    assert [r["message"] for r in rows] == ["payment_received", "payment_reversed", "ledger_changed", "ledger_changed"]
    assert rows[0]["payload"] == {
        "entry_id": "E-1",
        "kind": "payment",
        "amount": "100",
        "currency": "EUR",
        "value_date": "2026-03-09",
        "ledger_version": 2,
        "reason": "SEPA",
    }
    assert "reason" not in rows[1]["payload"]


async def test_a_refused_posting_leaves_nothing(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)

    class Broken(Standing):
        async def now(self) -> datetime:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await post_entry(pool, entry(), Broken())
    assert await pool.fetchval("select count(*) from entries") == 0
    assert await pool.fetchval("select count(*) from outbox") == 0
    assert await pool.fetchval("select ledger_version from loans") == 0


async def arrears_of(pool: Pool, as_of: date = date(2026, 3, 10)) -> tuple[float, ...]:
    """Arrears, outstanding, overpaid."""
    async with pool.acquire() as conn:
        stands = await position_of(conn, KEY, as_of)
    return float(stands.arrears), float(stands.outstanding), float(stands.overpaid)


async def test_part_over_and_third_party(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    assert not (await post_entry(pool, entry("E-1", amount=Decimal(40), payer="an aunt"), CLOCK)).cured
    assert await arrears_of(pool) == (60, 60, 0)
    assert (await post_entry(pool, entry("E-2", amount=Decimal(75)), CLOCK)).cured
    assert await arrears_of(pool) == (0, 0, 15)
    assert await pool.fetchval("select payer from entries where entry_id = 'E-1'") == "an aunt"
    # The case reads what is owed; who paid stays in the ledger, and nothing is said to them.
    assert "aunt" not in str(await pool.fetch("select payload from outbox"))
    assert await pool.fetchval("select count(*) from contacts") == 0


async def test_money_before_the_due_date_prepays(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(value_date=date(2026, 2, 10)), CLOCK)
    assert await arrears_of(pool, date(2026, 2, 11)) == (0, 0, 0)
    assert await arrears_of(pool) == (0, 0, 0)


@pytest.mark.parametrize("is_open", [False, True])
async def test_money_on_a_written_off_loan(pool: Pool, is_open: bool) -> None:
    await add_loan(pool)
    await add_case(pool, is_open=is_open)
    await post_entry(pool, entry("W", kind=EntryKind.WRITE_OFF, value_date=date(2026, 3, 5)), CLOCK)
    assert await arrears_of(pool) == (100, 100, 0)
    assert await post_entry(pool, entry(amount=Decimal(40)), CLOCK) == Posted("new", 2, cured=False)
    assert await arrears_of(pool) == (60, 60, 0)
    assert await pool.fetchval("select count(*) from outbox") == (2 if is_open else 0)


async def test_backdated_money_is_there_on_every_day_since(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(value_date=date(2026, 3, 4)), CLOCK)
    assert (await arrears_of(pool, date(2026, 3, 3)))[0] == 100
    assert (await arrears_of(pool, date(2026, 3, 4)))[0] == 0
    await post_entry(pool, reversal("R-1", "E-1", "30", value_date=date(2026, 3, 6)), CLOCK)
    assert (await arrears_of(pool, date(2026, 3, 5)))[0] == 0
    assert (await arrears_of(pool, date(2026, 3, 6)))[0] == 30


async def test_accelerate_and_reinstate(pool: Pool) -> None:
    await add_loan(pool)
    await pool.execute(
        "insert into instalments (lender_id, loan_id, number, due_on, principal, interest, fee) values ($1, $2, 2, '2027-03-01', 50, 0, 0)",
        *KEY,
    )
    assert await arrears_of(pool) == (100, 150, 0)
    await post_entry(pool, entry("A", kind=EntryKind.ACCELERATE, amount=Decimal(150)), CLOCK)
    assert await arrears_of(pool) == (150, 150, 0)
    await post_entry(pool, entry("B", kind=EntryKind.REINSTATE, value_date=NOON.date()), CLOCK)
    assert await arrears_of(pool) == (100, 150, 0)


async def test_a_settlement_discount_cures(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    await add_task(pool, "call", "call")
    await post_entry(pool, entry("E-1", amount=Decimal(70)), CLOCK)
    rest = entry("D-1", kind=EntryKind.SETTLEMENT_DISCOUNT, amount=Decimal(30), source="s1", reason="agreed")
    assert (await post_entry(pool, rest, CLOCK)).cured
    assert await arrears_of(pool) == (0, 0, 0)
    assert await pool.fetchval("select status from tasks") == "withdrawn"


async def test_a_waiver_and_an_adjustment(pool: Pool) -> None:
    await add_loan(pool)
    await post_entry(pool, entry("W", kind=EntryKind.WAIVER, amount=Decimal(10)), CLOCK)
    await post_entry(pool, entry("U", kind=EntryKind.ADJUSTMENT, amount=Decimal(5)), CLOCK)
    await post_entry(pool, entry("D", kind=EntryKind.ADJUSTMENT, amount=Decimal(-20)), CLOCK)
    assert await arrears_of(pool) == (75, 75, 0)
