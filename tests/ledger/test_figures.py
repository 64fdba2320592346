"""Each figure says what is in the ledger, and what it says ends with what it was about."""

from datetime import timedelta
from typing import Any

from channels.simulator.script import Behaviour, Fault, Script
from domain.loan import LoanKey
from ledger import outbox
from ledger.figures import MEANINGS, figures
from ledger.named import queries
from tests.activities.bench import bench_on
from tests.ledger.samples import KEY, NOON, Pool, add_case, add_contact, add_loan, add_task

STOPS = queries("stops")
Told = dict[str, dict[tuple[str, ...], float]]


async def told(pool: Pool) -> Told:
    """All figures at noon, by name and labels."""
    async with pool.acquire() as conn:
        return {f.name: dict(f.values) for f in await figures(conn, NOON)}


async def money(pool: Pool, *, seconds: int, key: LoanKey = KEY, result: str | None = "signalled") -> int:
    """A message about money that was committed so many seconds ago; its id."""
    async with pool.acquire() as conn:
        await outbox.add(conn, key, "payment_received", {})
    row_id: int = await pool.fetchval(
        """
        update outbox set created_at = now() - make_interval(secs => $1), result = $2,
            delivered_at = case when $2::text is not null then now() end
        where id = (select max(id) from outbox) returning id
        """,
        seconds,
        result,
    )
    return row_id


async def event(pool: Pool, kind: str, message_id: str | None = None, **data: Any) -> None:
    await pool.execute(
        "insert into case_events (lender_id, loan_id, episode, at, kind, message_id, data) values ($1, $2, 1, $3, $4, $5, $6)",
        *KEY,
        NOON,
        kind,
        message_id,
        data,
    )


async def test_an_empty_ledger_has_every_figure_and_nothing_to_tell(pool: Pool) -> None:
    found = await told(pool)
    assert set(found) == set(MEANINGS)
    assert {value for values in found.values() for value in values.values()} <= {0}


async def test_each_value_has_the_labels_that_its_figure_names_and_none_is_a_loan(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    await add_task(pool, "T-1", "call")
    await add_contact(pool, "C-1", "sent", "collect")
    await event(pool, "deadline_missed", task="call")
    await event(pool, "deferred", rules=["house.HOURS"])
    await pool.execute("insert into feeds (lender_id, fed_at) values ('default', $1)", NOON - timedelta(hours=30))
    await pool.execute("update lenders set feed_hours = 24 where lender_id = 'default'")
    found = await told(pool)
    for name, values in found.items():
        for labels in values:
            assert len(labels) == len(MEANINGS[name][1]), name
            assert not {KEY.loan_id, "Ann", f"B-{KEY.loan_id}"} & set(labels)
    assert found["arrears_open_cases"] == {("default", "new"): 1}
    assert found["arrears_open_tasks"] == {("default", "call"): 1}
    assert found["arrears_contacts_last_day"] == {("default", "sms", "collect", "sent"): 1}
    assert found["arrears_deadlines_missed_last_day"] == {("default", "call"): 1}
    assert found["arrears_gate_refusals_last_day"] == {("house.HOURS", "deferred"): 1}
    assert found["arrears_feed_age_seconds"] == {("default", "payments"): 30 * 3600}
    assert found["arrears_feed_promised_seconds"] == {("default",): 24 * 3600}


async def test_a_task_is_late_after_its_deadline_alone(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    await add_task(pool, "T-1", "call")
    assert (await told(pool))["arrears_late_tasks"] == {("default", "call"): 0}
    await pool.execute("update tasks set deadline = deadline - interval '1 second'")
    assert (await told(pool))["arrears_late_tasks"] == {("default", "call"): 1}
    await pool.execute("update tasks set status = 'done'")
    assert (await told(pool))["arrears_late_tasks"] == {}


async def test_money_is_quiet_when_the_message_that_holds_it_is_taken_in(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    first, last = await money(pool, seconds=100), await money(pool, seconds=10)
    await event(pool, "payment_received", f"outbox-{first - 1}")  # of before
    await event(pool, "record_outcome", "outbox-that-is-none")  # senders name their messages as they like
    found = await told(pool)
    assert found["arrears_payments_heard_last_hour"] == {(): 0}
    assert 100 <= found["arrears_payment_unheard_seconds"][()] < 200
    assert 100 <= found["arrears_payment_to_quiet_seconds"][("1",)] < 200
    await event(pool, "payment_received", f"outbox-{last}")  # one signal told of both
    found = await told(pool)
    assert found["arrears_payments_heard_last_hour"] == {(): 2}
    assert found["arrears_payment_unheard_seconds"] == {(): 0}
    assert 50 <= found["arrears_payment_to_quiet_seconds"][("0.5",)] < 150
    assert 100 <= found["arrears_payment_to_quiet_seconds"][("1",)] < 200


async def test_money_that_no_case_waits_for_is_not_waited_for(pool: Pool) -> None:
    await add_loan(pool)
    await money(pool, seconds=100, result="no case")
    await money(pool, seconds=100, result="closed")
    assert (await told(pool))["arrears_payment_unheard_seconds"] == {(): 0}
    await money(pool, seconds=100, result=None)
    found = await told(pool)
    assert 100 <= found["arrears_payment_unheard_seconds"][()] < 200
    assert 100 <= found["arrears_outbox_oldest_seconds"][()] < 200


async def test_money_that_a_case_never_takes_in_is_told_of_however_old_it_is(pool: Pool) -> None:
    """An alarm that ends by itself after an hour is none."""
    await add_loan(pool)
    await add_case(pool)
    deaf = await money(pool, seconds=90_000)
    await told(pool)
    assert 90_000 <= (await told(pool))["arrears_payment_unheard_seconds"][()] < 90_100
    await money(pool, seconds=100)
    await event(pool, "payment_received", f"outbox-{deaf}")
    found = await told(pool)
    assert 100 <= found["arrears_payment_unheard_seconds"][()] < 200
    assert found["arrears_payments_heard_last_hour"] == {(): 0}
    await pool.execute("update cases set open = false")  # whoever closed it read the ledger
    assert (await told(pool))["arrears_payment_unheard_seconds"] == {(): 0}


async def test_money_whose_workflow_is_gone_is_unheard(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    await money(pool, seconds=9000, result=None)
    await pool.execute("update outbox set result = 'no workflow'")
    found = await told(pool)
    assert 9000 <= found["arrears_payment_unheard_seconds"][()] < 9100
    assert (found["arrears_outbox_stranded"], found["arrears_outbox_oldest_seconds"]) == ({(): 1}, {(): 0})


async def test_a_stop_that_was_released_holds_no_more(pool: Pool) -> None:
    where = {"lender_id": "*", "channel": "sms", "strategy": "*"}
    async with pool.acquire() as conn:
        await STOPS.press(conn, **where, reason="test")
        assert (await told(pool))["arrears_contact_stops"] == {(): 1}
        await STOPS.release(conn, **where)
    assert (await told(pool))["arrears_contact_stops"] == {(): 0}


async def test_what_the_carrier_refuses_is_told_by_its_code(pool: Pool) -> None:
    async with bench_on(pool) as bench:
        fault = Fault(kind="refuse", code=21211, status=400)
        bench.simulator.play(Script(borrowers={"*": Behaviour(fault=fault)}))
        case = await bench.case()
        await bench.carry_out(await bench.due(case))
        async with pool.acquire() as conn:
            found = {f.name: dict(f.values) for f in await figures(conn, bench.clock.at)}
        assert found["arrears_carrier_errors_last_day"] == {("default", "sms", "21211"): 1}
        assert found["arrears_contacts_last_day"] == {("default", "sms", "collect", "failed"): 1}
        await bench.carrier.close()
        await bench.simulator.stop()
