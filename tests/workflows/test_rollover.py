"""A new run for every step: what comes in meanwhile is neither lost nor taken twice. On a real server, whose new runs are atomic."""

import asyncio
from collections import Counter
from datetime import timedelta
from functools import partial

import asyncpg
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus

from activities.contracts.attributes import COLLECTOR, DELINQUENT_SINCE, LOAN_STAGE
from domain.loan import EntryKind
from domain.messages import Answer
from ledger.locks import lock_loan
from starters.telling import tell
from tests.case import Case, poll
from tests.scenario import START, Scene, scene_on

pytestmark = pytest.mark.timeout(90)
AFTERNOON = START + timedelta(hours=7)  # every loan's hour for texts is over: they are due at once


async def sending(case: Case) -> None:
    """Wait until a text is on its way."""

    async def it_is() -> bool:
        return "sending" in [c["state"] for c in await case.contacts()]

    await poll(it_is, "a text on its way")


async def absorbed(case: Case, number: int) -> None:
    async def all_of_them() -> bool:
        return len([e for e in await case.journal() if e["message_id"]]) >= number

    await poll(all_of_them, f"{number} messages to be taken in")


async def told_five_times(scene: Scene, roll_over_after: int) -> Case:
    """Five messages of both kinds while a slow carrier takes a text, and a new run is due."""
    scene.carrier_does("slow", seconds=1)
    case = await scene.loan((1, "100"))
    opening = asyncio.create_task(case.open(roll_over_after))
    await sending(case)
    first_run = (await case.handle.describe()).run_id
    await case.post(EntryKind.PAYMENT, "10", silently=True)
    await case.post(EntryKind.LATE_FEE, "5", silently=True)

    async def told(message: str, **body: object) -> Answer:
        return await tell(case.handle, message, body)

    results = await asyncio.gather(
        scene.relay(),
        told("place_hold", reason="complaint", until=(await scene.day(5)).isoformat(), by="c1"),
        told("reassign", to="c7", by="s1"),
        told("promise_to_pay", amount="90", due_on=(await scene.day(3)).isoformat(), by="c1"),
    )
    await opening
    await absorbed(case, 5)
    assert [(a.accepted, a.reason) for a in results[1:]] == [(True, None)] * 3
    assert all(a.next_step for a in results[1:])
    if roll_over_after < 50:
        assert (await case.handle.describe()).run_id != first_run
    return case


async def check(scene: Scene, case: Case) -> None:
    """Each of the five was taken in, once, and had its effect."""
    journal = [e for e in await case.journal() if e["message_id"]]
    kinds = Counter(e["kind"] for e in journal)
    assert kinds == Counter(["payment_received", "ledger_changed", "place_hold", "reassign", "promise_to_pay"])
    assert len({e["message_id"] for e in journal}) == 5
    assert await scene.pool.fetchval("select count(*) from holds") == 1
    assert await scene.pool.fetchval("select count(*) from promises where status = 'active'") == 1
    assert (await case.row())["collector"] == "c7"
    assert len(scene.texts()) == 1
    assert await scene.pool.fetchval("select count(*) from outbox where delivered_at is null") == 0


@pytest.mark.parametrize("roll_over_after", [1, 8, 14, 20, 10_000])
async def test_five_messages_while_a_text_is_on_its_way_are_all_taken_in_once(
    pool: "asyncpg.Pool[asyncpg.Record]", dev_server: Client, roll_over_after: int
) -> None:
    async with scene_on(pool, dev_server, start=AFTERNOON) as scene:
        case = await told_five_times(scene, roll_over_after)
        await check(scene, case)
        runs = len(await case.histories())
        print(f"\nafter {roll_over_after} events: {runs} runs, {await case.events()} events")
        assert (runs > 1) == (roll_over_after < 50)


async def test_what_comes_while_other_messages_are_being_taken_in_waits_its_turn(
    pool: "asyncpg.Pool[asyncpg.Record]", dev_server: Client
) -> None:
    async with scene_on(pool, dev_server, start=AFTERNOON) as scene:
        case = await scene.loan((10, "100"))
        await case.open(roll_over_after=1)

        async def heard(number: int) -> bool:
            """So many signals are in the history, and the workflow has been given them."""
            types = [e.event_type for h in await case.histories() for e in h.events]
            last = max(
                (i for i, t in enumerate(types) if t == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), default=0
            )
            given = EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED in types[last:]
            return given and types.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) == number

        async with pool.acquire() as conn, conn.transaction():
            await lock_loan(conn, case.key)  # so that nothing can be taken in yet
            await case.handle.signal("ledger_changed", {"message_id": "first"})
            await poll(partial(heard, 1), "the first message to be heard")
            await case.handle.signal("ledger_changed", {"message_id": "second"})
            update = asyncio.create_task(tell(case.handle, "reassign", {"to": "c7"}))
            await poll(partial(heard, 2), "the second message to be heard")
            assert [e for e in await case.journal() if e["message_id"]] == []
        assert (await update).accepted
        await absorbed(case, 3)
        assert [e["message_id"] for e in await case.journal() if e["kind"] == "ledger_changed"] == ["first", "second"]


async def test_a_stream_of_messages_over_many_runs(pool: "asyncpg.Pool[asyncpg.Record]", dev_server: Client) -> None:
    async with scene_on(pool, dev_server, start=AFTERNOON) as scene:
        scene.carrier_does("slow", seconds=1)
        case = await scene.loan((1, "100"))
        opening = asyncio.create_task(case.open(roll_over_after=1))
        await sending(case)
        answers = await asyncio.gather(
            *(tell(case.handle, "reassign", {"to": f"c{n}"}, f"r-{n}") for n in range(8)),
            *(case.handle.signal("ledger_changed", {"message_id": f"n-{n}"}) for n in range(8)),
        )
        await opening
        await absorbed(case, 16)
        assert all(a is not None and a.accepted for a in answers[:8])
        assert len([e for e in await case.journal() if e["message_id"]]) == 16
        # Told again, in another run, they are known.
        again = await tell(case.handle, "reassign", {"to": "c0"}, "r-0")
        assert again.accepted
        assert (await case.told()).count("reassign") == 8


async def test_a_new_run_keeps_its_place_in_searches_and_its_story(
    pool: "asyncpg.Pool[asyncpg.Record]", dev_server: Client
) -> None:
    async with scene_on(pool, dev_server, start=AFTERNOON) as scene:
        case = await scene.loan((10, "100"))
        await case.open(roll_over_after=1)

        async def told() -> bool:
            lines = await case.handle.query("timeline")
            return [line["what"] for line in lines] == ["case opened", "call task handed out"]

        await poll(told, "the story of two runs")  # the ledger knows a little earlier than the run
        described = await case.handle.describe()
        assert described.status is WorkflowExecutionStatus.RUNNING
        assert len(await case.histories()) > 1
        found = described.typed_search_attributes
        assert (found[LOAN_STAGE], found[COLLECTOR]) == ("call", "none")
        assert found.get(DELINQUENT_SINCE)
        await case.tell("reassign", to="c7", by="s1")
        assert (await case.handle.describe()).typed_search_attributes[COLLECTOR] == "c7"
        assert (await case.acted()).count("decide") == 1  # a new run goes on with what was decided
        await case.pay("100")
        found = (await case.handle.describe()).typed_search_attributes
        assert found[LOAN_STAGE] == "probation"
        assert found.get(DELINQUENT_SINCE) is None  # nobody who looks for old debts finds it


async def test_what_a_new_run_shows_of_its_loan(pool: "asyncpg.Pool[asyncpg.Record]", dev_server: Client) -> None:
    """As docs/ui.md says it; should a server or an SDK hand the summary on, that page has good news to tell."""
    async with scene_on(pool, dev_server, start=AFTERNOON) as scene:
        case = await scene.loan((10, "100"))
        await case.open(roll_over_after=1)
        first, *_, last = [h.events[0] for h in await case.histories()]
        summary = dev_server.data_converter.payload_converter.from_payload(first.user_metadata.summary, str)
        assert summary == f"Loan {case.key}"
        assert not last.HasField("user_metadata")
        described = await case.handle.describe()
        assert await described.static_summary() is None
        assert described.id == f"loan-default-{case.key.loan_id}"
        shown = await case.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        assert shown.current_details.startswith(f"### Loan {case.key.loan_id} · call")


async def test_messages_in_the_very_moment_of_a_new_run(
    pool: "asyncpg.Pool[asyncpg.Record]", dev_server: Client
) -> None:
    """Every message makes a new run here, so the others arrive while one ends and the next begins."""
    async with scene_on(pool, dev_server, start=AFTERNOON) as scene:
        case = await scene.loan((10, "100"))
        await case.open(roll_over_after=1)

        async def talk(sender: int) -> None:
            for n in range(4):
                answer = await tell(case.handle, "reassign", {"to": f"c{sender}-{n}"})
                assert answer.accepted
                await case.handle.signal("ledger_changed", {"message_id": f"s{sender}-{n}"})

        await asyncio.gather(*(talk(sender) for sender in range(5)))
        await absorbed(case, 40)
        assert Counter(await case.told()) >= Counter({"reassign": 20, "ledger_changed": 20})
        runs = len(await case.histories())
        print(f"\n40 messages over {runs} runs")
        assert runs > 5
