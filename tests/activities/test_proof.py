"""`arrears verify`: each promise, broken by hand in a database that was lived in, turns its own checks red and names the row.

One good database is made by the activities themselves; every test breaks a copy of it, and calls the command as a person does.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from arrears.cli import app
from channels.simulator import Simulator
from channels.twilio_sms import TwilioSms
from domain.decision import Action
from domain.loan import LoanKey
from domain.strategy import Stage, Step
from ledger.inbound import Reply, take_reply
from ledger.locks import lock_loan
from ledger.pool import open_pool
from ledger.proof import prove
from ledger.strategies import publish, publish_shipped, shipped
from tests.activities.bench import Bench, Clock
from tests.case import poll
from tests.commands import arrears
from tests.environment import on_database
from tests.ledger.proof.corruptions import CORRUPTIONS, Broken


class Lived(NamedTuple):
    """A ledger, and the rows in it that the tests break; `paid` was called and paid, `owing` was texted twice and still owes."""

    database: str
    paid: str
    owing: str
    other: str
    text: str
    call: str
    first: str
    second: str
    effect: str
    address: str = ""


@asynccontextmanager
async def bench_on(address: str) -> AsyncIterator[Bench]:
    simulator = Simulator(latency=0)
    base_url = await simulator.start()
    carrier = TwilioSms(simulator.account_sid, simulator.auth_token, "http://127.0.0.1:9", base_url, 5)
    async with await open_pool(address) as pool:
        yield Bench(pool, Clock(), simulator, carrier)
    await carrier.close()
    await simulator.stop()


async def live(bench: Bench) -> dict[str, str]:
    """Three cases: one called, part-paid and paid; one texted twice; one texted and paid."""
    async with bench.pool.acquire() as conn:
        await publish_shipped(conn)
        await conn.execute("update lenders set mode = 'live'")
    paid = await bench.case((10, "100"), (1, "20"))
    await bench.carry_out(await bench.due(paid))
    task = await bench.pool.fetchval("select task_id from tasks")
    await bench.tell(paid, "record_outcome", task_id=task, code="RPC_REFUSED", by="c1")
    other = await bench.case(phone="+12015550102")
    await bench.carry_out(await bench.due(other))
    owing = await bench.case(phone="+12015550103")
    for _ in range(2):
        await bench.carry_out(await bench.due(owing))
    await bench.pay(paid, "60", entry_id="part")
    await bench.pay(paid, "60", entry_id="rest")
    await bench.pay(other)
    for ref in (paid, other):
        await bench.decide(ref)
    find = "select contact_id from contacts where loan_id = $1 and channel = $2 order by commit_order"
    first, second = [r["contact_id"] for r in await bench.pool.fetch(find, owing.loan_id, "sms")]
    return {
        "paid": paid.loan_id,
        "owing": owing.loan_id,
        "other": other.loan_id,
        "text": await bench.pool.fetchval(find, other.loan_id, "sms"),
        "call": await bench.pool.fetchval(find, paid.loan_id, "call"),
        "first": first,
        "second": second,
        "effect": str(await bench.pool.fetchval("select effect_id from effects where loan_id = $1", paid.loan_id)),
    }


@pytest_asyncio.fixture(scope="module")
async def good(
    postgres: str, database_admin: "asyncpg.Connection[asyncpg.Record]", template_database: str
) -> AsyncIterator[Lived]:
    name = f"test_{uuid4().hex}"
    await database_admin.execute(f"create database {name} template {template_database}")
    async with bench_on(on_database(postgres, name)) as bench:
        rows = await live(bench)
    yield Lived(name, **rows)
    await database_admin.execute(f"drop database {name} with (force)")


@pytest_asyncio.fixture
async def lived(
    postgres: str, database_admin: "asyncpg.Connection[asyncpg.Record]", good: Lived
) -> AsyncIterator[Lived]:
    """A copy to break."""
    name = f"test_{uuid4().hex}"
    await database_admin.execute(f"create database {name} template {good.database}")
    yield good._replace(database=name, address=on_database(postgres, name))
    await database_admin.execute(f"drop database {name} with (force)")


async def called_here(address: str) -> tuple[int, str]:
    """The command in this process, in a thread with a loop of its own: as `verify`, without the second that a start takes."""
    done = await asyncio.to_thread(CliRunner().invoke, app, ["verify", "--json"], env={"ARREARS_DATABASE_URL": address})
    return done.exit_code, done.stdout


async def verify(address: str, *options: str) -> tuple[int | None, str]:
    done = await arrears(address, "verify", *options)
    return done.code, done.out


async def run_sql(lived: Lived, *statements: str) -> None:
    """Break it: every name in braces is that row's id."""
    connection = await asyncpg.connect(lived.address)
    for statement in statements:
        await connection.execute(statement.format(**lived._asdict()))
    await connection.close()


@pytest.mark.parametrize("broken", CORRUPTIONS, ids=lambda b: b.name)
async def test_what_is_broken_by_hand_is_found_and_named(lived: Lived, broken: Broken) -> None:
    await run_sql(lived, *broken.statements)
    code, out = await called_here(lived.address)
    proof = json.loads(out)
    found: dict[str, set[str]] = {
        c["name"]: {v["kind"] for v in c["violations"]} for c in proof["checks"] if not c["ok"]
    }
    assert found == broken.red
    row = broken.row.format(**lived._asdict())
    named = [v for c in proof["checks"] for v in c["violations"] if row in v["id"] or row == v["loan_id"]]
    assert named
    assert (code, proof["ok"]) == (1, False)


async def test_the_good_ledger_is_proven(lived: Lived) -> None:
    code, out = await verify(lived.address, "--json")
    proof = json.loads(out)
    assert (code, proof["ok"]) == (0, True), out
    checked = {c["name"]: c["checked"] for c in proof["checks"]}
    assert checked.pop("audit") > 0
    assert checked == {
        "quiet": 4,
        "once": 4,
        "permitted": 4,
        "limits": 4,
        "hours": 4,
        "entries": 3,
        "undone": 1,
    }
    assert all(c["violations"] == [] and c["violations_total"] == 0 for c in proof["checks"])


async def test_for_people_it_names_the_row_in_a_sentence(lived: Lived) -> None:
    await run_sql(lived, "update contacts set permit = null where contact_id = '{call}'")
    code, out = await verify(lived.address)
    assert code == 1
    assert f"permitted: loan {lived.paid}, {lived.call}: this call was made without a permit\n" in out
    assert "permitted  BROKEN by 1  4 checked\n" in out
    assert "quiet      holds  4 checked\n" in out


async def test_of_many_broken_rows_a_thousand_are_kept_and_all_are_counted(lived: Lived) -> None:
    await run_sql(
        lived,
        """
        insert into contacts select (jsonb_populate_record(null::contacts,
            to_jsonb(c) || jsonb_build_object('contact_id', 'x' || n, 'step_id', 'x' || n, 'permit', null, 'carrier_id', 'SM' || n,
                'commit_order', nextval('commit_order'), 'sending_at', c.sending_at - n * interval '100 days'))).*
        from contacts c, generate_series(1, 1005) n where contact_id = '{first}'
        """,
    )
    heard: list[str] = []
    async with await open_pool(lived.address) as pool, pool.acquire() as conn:
        proof = await prove(conn, lambda check, violation: heard.append(violation["id"]))
    permitted = next(c for c in proof["checks"] if c["name"] == "permitted")
    assert (len(permitted["violations"]), permitted["violations_total"]) == (1000, 1005)
    assert len(heard) == 1005


async def test_a_letter_or_a_thanks_after_the_cure_breaks_nothing(bench: Bench) -> None:
    case = await bench.case()
    await bench.carry_out(await bench.due(case))
    await bench.pay(case)
    order = await bench.due(case)
    assert order.decision.action is Action.THANK_BORROWER
    await bench.carry_out(order)
    assert await bench.violations() == []
    assert [c["purpose"] for c in await bench.contacts(case)] == ["collect", "service"]


async def test_a_call_that_the_law_asks_for_is_on_record_as_what_its_permit_was_for(bench: Bench) -> None:
    base = next(s for s in shipped() if s.name == "standard")
    step = Step(id="told-in-person", do="task.call", purpose="statutory")
    stages = (Stage(name="call", from_dpd=1, steps=(step,)),)
    async with bench.pool.acquire() as conn:
        await publish(conn, base.model_copy(update={"name": "by-law", "stages": stages}))
    case = await bench.case((10, "100"), strategy="by-law")
    await bench.carry_out(await bench.due(case))
    task = await bench.pool.fetchval("select task_id from tasks")
    await bench.tell(case, "record_outcome", task_id=task, code="NO_ANSWER", by="c1")
    assert [c["purpose"] for c in await bench.contacts(case)] == ["statutory"]
    assert await bench.violations() == []


async def test_holds_placed_later_or_ended_before_break_nothing(bench: Bench) -> None:
    case = await bench.case()
    await bench.tell(case, "place_hold", reason="complaint")
    await bench.tell(case, "release_hold", reason="complaint")
    await bench.carry_out(await bench.due(case))
    assert len(bench.texts()) == 1
    # Later by the order of commits; by its own day it was in force all along.
    await bench.tell(case, "place_hold", reason="dispute", since="2026-01-01T00:00:00Z")
    placed = await bench.pool.fetch("select commit_order, released_order from holds order by commit_order")
    made = await bench.pool.fetchval("select commit_order from contacts")
    assert placed[0]["commit_order"] < placed[0]["released_order"] < made < placed[1]["commit_order"]
    assert await bench.violations() == []


async def test_opt_outs_taken_back_before_or_made_later_break_nothing(bench: Bench) -> None:
    case = await bench.case()
    for about in (Reply.OPTED_OUT, Reply.OPTED_IN):
        await hear(bench, about)
    await bench.carry_out(await bench.due(case))
    assert len(bench.texts()) == 1
    await hear(bench, Reply.OPTED_OUT)
    (lifted,) = await bench.pool.fetch("select commit_order, lifted_order from suppressions_lifted")
    made = await bench.pool.fetchval("select commit_order from contacts")
    asked = await bench.pool.fetchval("select commit_order from suppressions")
    assert lifted["commit_order"] < lifted["lifted_order"] < made < asked
    assert await bench.violations() == []


async def hear(bench: Bench, about: Reply) -> None:
    await take_reply(
        bench.pool, bench.clock, carrier_id=uuid4().hex, sender="+12015550101", body=about.value, about=about
    )


PLACED_ELSEWHERE = {
    "a hold on the loan": "'loan', '{loan}'",
    "a hold on the person": "'person', '{borrower}'",
    "a hold on the number": "'contact_point', '+12015550101'",
}


@pytest.mark.parametrize("about", [*PLACED_ELSEWHERE.values(), None], ids=[*PLACED_ELSEWHERE, "an opt-out"])
async def test_what_is_placed_without_the_lock_waits_for_the_contact_that_is_passing(
    bench: Bench, about: str | None
) -> None:
    case = await bench.case()
    key = LoanKey(case.lender_id, case.loan_id)
    borrower = await bench.pool.fetchval("select borrower_id from loans")
    place = (
        "insert into suppressions values ('default', 'sms', '+12015550101', now(), 'asked')"
        if about is None
        else "insert into holds (hold_id, lender_id, subject_kind, subject_id, reason, scopes, from_at, source) "
        f"values ('h', 'default', {about.format(loan=case.loan_id, borrower=borrower)}, 'dispute', array['contact'], now(), 'test')"
    )
    async with bench.pool.acquire() as gate:
        async with gate.transaction():
            await lock_loan(gate, key)
            placing = asyncio.create_task(bench.pool.execute(place))
            await poll(lambda: somebody_waits(bench), "the other transaction to wait")
            passed = await gate.fetchval("select nextval('commit_order')")
        await placing
    table = "holds" if about else "suppressions"
    assert passed < await bench.pool.fetchval(f"select commit_order from {table}")


async def somebody_waits(bench: Bench) -> bool:
    waiting = "select count(*) from pg_locks where not granted and pid <> pg_backend_pid()"
    return bool(await bench.pool.fetchval(waiting))


async def test_a_call_told_of_in_the_evening_keeps_the_hours_of_its_permit(bench: Bench) -> None:
    case = await bench.case((10, "100"))
    await bench.carry_out(await bench.due(case))
    task = await bench.pool.fetchval("select task_id from tasks")
    bench.clock.at = bench.clock.at.replace(hour=22, minute=30)
    await bench.tell(case, "record_outcome", task_id=task, code="NO_ANSWER", by="c1")
    assert [c["sending_at"].hour for c in await bench.contacts(case) if c["channel"] == "call"] == [22]
    assert await bench.violations() == []
