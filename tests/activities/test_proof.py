"""`arrears verify`: each of the five promises, broken by hand in the database, turns its check red, and that one alone."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from activities.contracts import CaseRef
from domain.decision import Action
from tests.activities.bench import Bench


@pytest_asyncio.fixture
async def lived(bench: Bench) -> AsyncIterator[CaseRef]:
    """A case that was written to and called for, and then paid."""
    case = await bench.case((10, "100"), (1, "20"))
    await bench.carry_out(await bench.due(case))
    task = await bench.pool.fetchval("select task_id from tasks")
    await bench.tell(case, "record_outcome", task_id=task, code="RPC_REFUSED", by="c1")
    other = await bench.case(phone="+12015550102")
    await bench.carry_out(await bench.due(other))
    await bench.pay(case, "60", entry_id="first")
    await bench.pay(case, "60", entry_id="second")
    await bench.pay(other)
    for ref in (case, other):
        await bench.decide(ref)
    assert await bench.violations() == []
    yield case


async def red(bench: Bench) -> set[str]:
    return {name for name, _ in await bench.violations()}


async def test_a_contact_after_the_cure_breaks_quiet(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute(
        """
        insert into contacts select 'late', lender_id, loan_id, episode, 'call-9', 1, channel, purpose, party_id, contact_value, state,
            template, language, body, reference, permit, 2, nextval('commit_order'), business_date, reserved_at, sending_at,
            sending_real, settled_at, null, carrier_status, error_code, reason
        from contacts where loan_id = $1 and purpose = 'collect'
        """,
        lived.loan_id,
    )
    assert await bench.violations() == [("quiet", "contact_after_cure")]


async def test_a_contact_that_saw_an_old_ledger_breaks_quiet(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute(
        "update contacts set commit_order = nextval('commit_order') where loan_id = $1 and purpose = 'collect'",
        lived.loan_id,
    )
    assert set(await bench.violations()) == {("quiet", "saw_old_ledger"), ("quiet", "contact_after_cure")}


async def test_a_letter_or_a_thanks_after_the_cure_breaks_nothing(bench: Bench, lived: CaseRef) -> None:
    order = await bench.due(lived)
    assert order.decision.action is Action.THANK_BORROWER
    await bench.carry_out(order)
    assert await bench.violations() == []


async def test_one_carrier_message_for_two_contacts_breaks_once(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute("alter table contacts drop constraint contacts_carrier_id_key")
    await bench.pool.execute("update contacts set carrier_id = 'SM1'")
    assert await bench.violations() == [("once", "two_contacts_one_message")]


async def test_two_contacts_for_one_step_break_once(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute(
        "alter table contacts drop constraint contacts_lender_id_loan_id_episode_step_id_ordinal_key"
    )
    await bench.pool.execute("alter table contacts drop constraint contacts_carrier_id_key")
    await bench.pool.execute("update contacts set loan_id = $1, step_id = 'call-1', ledger_version = 0", lived.loan_id)
    assert ("once", "two_contacts_one_step") in await bench.violations()


async def test_a_text_without_a_message_breaks_once(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute("update contacts set carrier_id = null where channel = 'sms'")
    assert await bench.violations() == [("once", "no_carrier_message")]


async def test_a_permit_that_was_changed_breaks_permitted(bench: Bench, lived: CaseRef) -> None:
    changes: tuple[dict[str, dict[str, Any]], ...] = (
        {"facts": {"now": "2026-03-02T23:30:00Z"}},
        {"facts": {"suppressed": True}},
        {"facts": {"owes": False}},
        {"verdict": {"rules": []}},
    )
    for change in changes:
        kept: Any = await bench.pool.fetchrow("select contact_id, permit from contacts where channel = 'sms'")
        permit = json.loads(json.dumps(kept["permit"]))
        for part, values in change.items():
            permit[part] |= values
        await bench.pool.execute("update contacts set permit = $2 where contact_id = $1", kept["contact_id"], permit)
        assert await bench.violations() == [("permitted", "permit_not_repeated")], change
        await bench.pool.execute("update contacts set permit = $2 where contact_id = $1", *kept)
    assert await bench.violations() == []


async def test_a_contact_without_a_permit_breaks_permitted(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute("update contacts set permit = null where channel = 'call'")
    assert await bench.violations() == [("permitted", "no_permit")]


async def test_a_gap_in_the_versions_breaks_entries(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute("delete from entries where entry_id = 'first'")
    assert "entries" in await red(bench)
    assert ("entries", "versions") in await bench.violations()


async def test_an_entry_that_its_case_was_never_told_of_breaks_entries(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute("delete from outbox where payload ->> 'entry_id' = 'first'")
    assert await bench.violations() == [("entries", "untold")]


async def test_commits_out_of_order_break_entries(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute("update entries set commit_order = -1 where entry_id = 'second'")
    assert ("entries", "order") in await bench.violations()


async def test_an_effect_that_stands_after_the_cure_breaks_undone(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute("update effects set state = 'open' where loan_id = $1", lived.loan_id)
    assert await bench.violations() == [("undone", "not_undone")]


async def test_a_task_that_was_never_on_record_breaks_undone(bench: Bench, lived: CaseRef) -> None:
    await bench.pool.execute("delete from effects")
    assert await bench.violations() == [("undone", "not_on_record")]
