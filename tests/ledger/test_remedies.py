"""What a payment that is known too late made wrong is listed for a person."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.loan import EntryKind, EntryStatus
from ledger.posting import post_entry
from ledger.proof import prove
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, add_loan, entry

CLOCK = Standing()
FEE = EntryKind.LATE_FEE


async def made(pool: Pool, contact_id: str, day: int, purpose: str = "collect", state: str = "sent") -> None:
    """A contact on a day of March 2026, on the ledger as it stands."""
    at = datetime(2026, 3, day, 9, tzinfo=UTC)
    await pool.execute(
        """
        insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, state, reserved_at,
                              sending_at, business_date, commit_order, ledger_version)
        values ($1, $2, $3, 1, $1, 1, 'sms', $4, 'B-L-1', $5, $6, $6, $7, nextval('commit_order'), (select ledger_version from loans where loan_id = $3))
        """,
        contact_id,
        *KEY,
        purpose,
        state,
        at,
        at.date(),
    )


async def remedies(pool: Pool) -> list[dict[str, Any]]:
    return [r["data"] for r in await pool.fetch("select data from tasks where kind = 'remedy' order by opened_at")]


async def past(pool: Pool) -> None:
    """A loan due on 1 March, chased every few days, with a late fee; it is the 10th."""
    await add_loan(pool)
    await add_case(pool)
    await post_entry(pool, entry("fee-5", kind=FEE, amount=Decimal(5), value_date=date(2026, 3, 5)), CLOCK)
    for day in (2, 4, 6):
        await made(pool, f"sms-{day}", day)
    await made(pool, "thanks", 7, purpose="service")
    await made(pool, "failed", 7, state="failed")
    await made(pool, "shadow", 7, state="shadow")


async def test_contacts_and_fees_after_the_value_date(pool: Pool) -> None:
    await past(pool)
    await post_entry(pool, entry(value_date=date(2026, 3, 4)), CLOCK)
    assert await remedies(pool) == [{"because": "entry E-1", "contacts": ["sms-6"], "late_fees": ["fee-5"]}]
    task = await pool.fetchrow("select task_id, status, owner, deadline, episode, step_id from tasks")
    assert task is not None
    assert (task["task_id"], task["status"]) == ("L-1.1.house-put-right.1", "open")
    assert task["deadline"] > NOON + timedelta(days=5)  # working days
    async with pool.acquire() as conn:
        found = [(c["name"], v["kind"]) for c in (await prove(conn))["checks"] for v in c["violations"]]
    assert ("undone", "not_on_record") not in found


async def test_the_same_posting_again_lists_nothing_twice(pool: Pool) -> None:
    await past(pool)
    for _ in range(2):
        await post_entry(pool, entry(value_date=date(2026, 3, 3)), CLOCK)
    await post_entry(pool, entry("E-2", value_date=date(2026, 3, 1)), CLOCK)  # what it makes wrong beyond that
    assert [r["contacts"] for r in await remedies(pool)] == [["sms-4", "sms-6"], ["sms-2"]]


async def test_what_was_owed_all_the_same_was_right(pool: Pool) -> None:
    await past(pool)
    await post_entry(pool, entry(amount=Decimal(99), value_date=date(2026, 3, 1)), CLOCK)
    await post_entry(pool, entry("E-2", amount=Decimal(1), value_date=NOON.date()), CLOCK)
    assert await remedies(pool) == []


async def test_money_of_today_makes_nothing_wrong(pool: Pool) -> None:
    await past(pool)
    await post_entry(pool, entry(value_date=NOON.date()), CLOCK)
    await post_entry(pool, entry("E-2", value_date=date(2026, 3, 20)), CLOCK)
    assert await remedies(pool) == []


async def test_pending_money_counts_when_it_settles(pool: Pool) -> None:
    await past(pool)
    await post_entry(pool, entry(value_date=date(2026, 3, 3), status=EntryStatus.PENDING), CLOCK)
    assert await remedies(pool) == []
    await post_entry(pool, entry(value_date=date(2026, 3, 3)), CLOCK)
    assert [r["contacts"] for r in await remedies(pool)] == [["sms-4", "sms-6"]]


async def test_a_fee_that_was_taken_back_is_right_already(pool: Pool) -> None:
    await past(pool)
    await post_entry(pool, entry("R", kind=EntryKind.REVERSAL, reverses="fee-5", amount=Decimal(5)), CLOCK)
    await post_entry(pool, entry(value_date=date(2026, 3, 4)), CLOCK)
    assert await remedies(pool) == [{"because": "entry E-1", "contacts": ["sms-6"]}]


async def test_a_reminder_is_wrong_once_nothing_is_to_come(pool: Pool) -> None:
    await add_loan(pool)
    await pool.execute("update instalments set due_on = '2026-03-12'")
    await add_case(pool)
    await made(pool, "soon", 9, purpose="reminder")
    await post_entry(pool, entry(amount=Decimal(50), value_date=date(2026, 3, 8)), CLOCK)
    assert await remedies(pool) == []
    await post_entry(pool, entry("E-2", amount=Decimal(50), value_date=date(2026, 3, 8)), CLOCK)
    assert [r["contacts"] for r in await remedies(pool)] == [["soon"]]


async def test_a_closed_case_hands_out_no_task(pool: Pool) -> None:
    await past(pool)
    await pool.execute("update cases set open = false")
    await post_entry(pool, entry(value_date=date(2026, 3, 4)), CLOCK)
    assert await remedies(pool) == []
    alert = await pool.fetchrow("select kind, about from alerts")
    assert alert is not None
    assert tuple(alert) == ("remedy", "default/L-1, entry E-1: contacts sms-6; late fees fee-5")
