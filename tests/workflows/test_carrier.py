"""What the carrier may answer, or not, and what the case makes of it. Nobody is ever written to twice for one intended text."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.scenario import Scene, scene_on


@pytest_asyncio.fixture
async def hasty(pool: "asyncpg.Pool[asyncpg.Record]", time_skipping: WorkflowEnvironment) -> AsyncIterator[Scene]:
    """A scene that waits for the carrier for a moment only."""
    async with scene_on(pool, time_skipping.client, time_skipping, carrier_seconds=0.5) as it:
        yield it


async def test_a_dead_number_ends_texts_and_the_case_goes_on(scene: Scene) -> None:
    scene.carrier_does("refuse", code=21211)
    case = await scene.case()
    await case.until_task("call")
    assert scene.texts() == []
    assert await case.sent() == ["sms sms-1 failed"]
    assert await case.steps() == ["sms-1 1.1 impossible", "sms-2 1.1 forbidden", "call-1 1.1 open"]
    assert await scene.pool.fetchval("select status from contact_points where kind = 'mobile'") == "dead"


async def test_a_person_who_told_the_carrier_to_stop_is_not_written_to_again(scene: Scene) -> None:
    scene.carrier_does("refuse", code=21610)
    case = await scene.case()
    await case.until_task("call")
    assert await case.steps() == ["sms-1 1.1 forbidden", "sms-2 1.1 forbidden", "call-1 1.1 open"]
    assert await scene.pool.fetchval("select count(*) from suppressions") == 1


async def test_a_carrier_that_is_busy_is_asked_again_later(scene: Scene) -> None:
    scene.carrier_does("refuse", code=20429, status=429, times=2)
    case = await scene.case()
    before = await scene.now()
    await case.until(lambda n: "sms-2" in n.why)
    assert await case.sent() == ["sms sms-1 failed", "sms sms-1 failed", "sms sms-1 sent"]
    assert len(scene.texts()) == 1
    assert await scene.now() - before >= timedelta(minutes=45)  # a quarter of an hour, then half an hour


async def test_a_carrier_that_hangs_is_not_asked_twice_and_the_text_counts(hasty: Scene) -> None:
    hasty.carrier_does("hang")
    case = await hasty.case((2, "100"), borrower="P-with-two")
    await case.wake()
    (contact,) = await case.contacts_by("sms")
    assert (contact["state"], contact["carrier_id"]) == ("unknown", None)
    assert "sms-1 1.1 done" in await case.steps()
    # It may have arrived, so the person has had the day's text.
    other = await hasty.case((1, "100"), borrower="P-with-two")
    if (await other.next()).why.count("house.") == 0:
        await other.wake()
    assert "house.SMS_DAY" in (await other.next()).why
    assert await other.sent() == []
    hasty.carrier_is_well()
    await case.until(lambda n: n.what == "open_call_task")
    assert [s for s in await case.sent() if "sms-1" in s] == ["sms sms-1 unknown"]


async def test_a_text_that_was_taken_while_the_answer_was_lost_is_found_again(scene: Scene) -> None:
    scene.carrier_does("lost")
    case = await scene.case()
    await case.until(lambda n: "sms-2" in n.why)
    (contact,) = await case.contacts_by("sms")
    (message,) = list(scene.simulator.messages)
    assert (contact["state"], contact["carrier_id"]) == ("sent", message.sid)
    assert contact["reference"] in message.body


async def test_a_carrier_that_fails_inside_is_not_asked_twice(scene: Scene) -> None:
    scene.carrier_does("error500")
    case = await scene.case()
    await case.until(lambda n: "sms-2" in n.why)
    assert await case.sent() == ["sms sms-1 unknown"]
    assert scene.texts() == []


async def test_of_a_persons_loans_the_severest_alone_writes(scene: Scene) -> None:
    cases = [await scene.case((days, "100"), borrower="P-with-many") for days in (2, 1, 1)]
    for _ in range(16):
        soonest = min([c for c in cases if (await c.next()).at], key=lambda c: c.key)
        await soonest.scene.sleep(timedelta(hours=12))
    written = [[c["sending_at"].date() for c in await case.contacts_by("sms")] for case in cases]
    assert (len(written[0]), written[1], written[2]) == (2, [], [])
    await cases[0].pay("100")  # the next one speaks, once a text is due again
    await scene.days(8)
    assert sorted([(await c.next()).what for c in cases[1:]]) == [
        "miss_deadline",
        "open_call_task",
    ]  # one of the two is called
