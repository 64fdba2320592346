"""What `arrears recover` finds again, piece by piece; tests/restore has the whole, with real dumps."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from activities.case_in_hand import Desk
from activities.contact import Contact
from activities.gate import Gatekeeper
from activities.reminding import Reminding
from channels.carrier import Accepted, LookUpFailed
from channels.simulator import Behaviour, Fault, Script
from channels.twilio_sms import TwilioSms
from channels.twilio_voice import TwilioVoice
from channels.voice_carrier import VoiceRequest
from domain.strategy import Stage, Step
from ledger.recovery import RECOVERING, begin_recovery, end_recovery
from ledger.stops import press_stop
from ledger.strategies import shipped
from starters.recovery import Recovering, Report
from starters.recovery.carrier import Unclaimed
from tests.case import Case, poll
from tests.environment import SEARCH_ATTRIBUTES
from tests.ledger.samples import Pool
from tests.scenario import SENDER, Scene, scene_on
from workers.embedded import add_search_attributes

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday: texts go out at once
PHONES = (f"+120155501{n:02}" for n in range(10, 99))


@pytest.fixture
async def alone(dev_server: Client) -> Client:
    """A namespace of this test's own: a recovery reads every history that there is."""
    name = f"recovery-{uuid4().hex[:8]}"
    request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86400))
    await dev_server.workflow_service.register_namespace(request)
    client = Client(dev_server.service_client, namespace=name, data_converter=dev_server.data_converter)

    async def known() -> bool:
        try:
            await add_search_attributes(client, SEARCH_ATTRIBUTES)
            return not [each async for each in client.list_workflows("Lender = 'nobody'")]
        except RPCError:
            return False

    await poll(known, "the namespace to be known")
    return client


@pytest.fixture
async def scene(pool: Pool, alone: Client) -> AsyncIterator[Scene]:
    async with scene_on(pool, alone, start=MORNING) as scene:
        yield scene


async def recover(scene: Scene, since: datetime | None = None) -> Report:
    simulator = scene.simulator
    calls = TwilioVoice(simulator.account_sid, simulator.auth_token, "http://127.0.0.1:9", simulator_url(scene))
    carrier = scene.carrier
    assert isinstance(carrier, TwilioSms)
    try:
        work = Recovering(scene.pool, scene.clock, scene.client, carrier, calls, SENDER)
        return await work.run(since or datetime.now(UTC) - timedelta(minutes=30))
    finally:
        await calls.close()


def simulator_url(scene: Scene) -> str:
    runner = scene.simulator._runner
    assert runner is not None
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


async def texted(scene: Scene) -> Case:
    """A case that has sent its first text."""
    case = await scene.case(phone=next(PHONES))
    await case.settle()
    assert [c["state"] for c in await case.contacts()] == ["sent"]
    return case


async def forget_contacts(scene: Scene, case: Case, state: str = "reserved") -> None:
    """As a ledger that was backed up when the text was only meant."""
    await scene.pool.execute(
        """
        update contacts set state = $2, permit = null, ledger_version = null, commit_order = null, business_date = null, sending_at = null,
            sending_real = null, settled_at = null, carrier_id = null, body = null where loan_id = $1
        """,
        case.key.loan_id,
        state,
    )
    await scene.pool.execute("delete from steps where loan_id = $1", case.key.loan_id)


async def stops(pool: Pool) -> list[Any]:
    return [r["reason"] for r in await pool.fetch("select reason from stops where released_order is null")]


async def test_a_text_that_its_history_calls_sent_is_found_at_the_carrier(scene: Scene) -> None:
    case = await texted(scene)
    [before] = await case.contacts()
    await forget_contacts(scene, case)
    report = await recover(scene)
    [after] = await case.contacts()
    same = ("contact_id", "state", "carrier_id", "body", "contact_value", "business_date")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert (report.contacts, report.uncertain, report.unexplained) == (1, 0, 0)
    assert (after["recovered"]["from"], after["permit"], after["commit_order"]) == ("carrier", None, None)
    assert await case.steps() == ["sms-1 1.1 done"]
    assert await stops(scene.pool) == [RECOVERING]
    assert (await recover(scene)).contacts == 0


async def test_a_text_that_the_carrier_has_forgotten_counts_as_unknown(scene: Scene) -> None:
    case = await texted(scene)
    await forget_contacts(scene, case)
    scene.simulator.reset()
    report = await recover(scene)
    assert (report.contacts, report.uncertain) == (1, 1)
    assert [(c["state"], c["recovered"]["from"]) for c in await case.contacts()] == [("unknown", "history")]


async def test_a_text_whose_answer_was_lost_is_known_by_its_reference(scene: Scene) -> None:
    case = await texted(scene)
    [before] = await case.contacts()
    await scene.pool.execute(
        "update contacts set state = 'unknown', carrier_id = null where loan_id = $1", case.key.loan_id
    )
    report = await recover(scene)
    [after] = await case.contacts()
    assert (report.settled, report.contacts) == (1, 0)
    assert (after["state"], after["carrier_id"]) == ("sent", before["carrier_id"])
    assert after["permit"] == before["permit"]


async def test_a_message_that_no_history_explains_counts_for_whoever_has_the_number(scene: Scene) -> None:
    case = await texted(scene)
    number = (await case.contacts())[0]["contact_value"]
    await scene.world.carrier.send_sms(_by_hand(number))
    report = await recover(scene)
    assert (report.contacts, report.unexplained, report.strangers) == (1, 1, 0)
    extra = next(c for c in await case.contacts() if c["step_id"].startswith("recovered-"))
    assert (extra["state"], extra["purpose"], extra["contact_value"]) == ("sent", "collect", number)
    scene.broken_on_purpose = True  # two texts a day: the proof must say so
    assert [v["kind"] for c in (await scene.proof())["checks"] for v in c["violations"]] == ["limit_exceeded"]
    await scene.world.carrier.send_sms(_by_hand("+12015550199"))
    assert (await recover(scene)).strangers == 1


def _by_hand(number: str) -> Any:
    from channels.carrier import SmsRequest

    return SmsRequest(number, SENDER, "Words of nobody's. ABCDEFGH", "nobody", "ABCDEFGH", 600)


async def test_what_a_case_had_heard_of_and_nobody_has_is_listed_and_nothing_is_released(scene: Scene) -> None:
    case = await texted(scene)
    await case.pay("10", entry_id="lost")
    await scene.pool.execute("delete from entries where entry_id = 'lost'")
    await scene.pool.execute("update loans set ledger_version = 0 where loan_id = $1", case.key.loan_id)
    report = await recover(scene)
    assert report.entries == [f"{case.key}: lost"]
    assert (report.whole, report.started, report.woken) == (False, 0, 0)
    await case.pay("10", entry_id="lost", silently=True)
    assert (await recover(scene)).whole


async def test_what_people_told_is_absorbed_again(scene: Scene) -> None:
    case = await texted(scene)
    await case.taken("place_hold", id="m-1", reason="dispute", by="c1")
    await scene.pool.execute("update case_events set message_id = 'gone' where message_id = 'm-1'")
    await scene.pool.execute("delete from holds")
    report = await recover(scene)
    assert (report.messages, report.refused) == (1, 0)
    assert await scene.pool.fetchval("select reason from holds where subject_id = $1", case.key.loan_id) == "dispute"
    scene.broken_on_purpose = True  # the journal was changed by hand


async def test_a_stop_by_text_is_heard_again(scene: Scene) -> None:
    case = await texted(scene)
    number = (await case.contacts())[0]["contact_value"]
    scene.simulator.receive(number, SENDER, "Stop")
    assert (await recover(scene)).replies == 1
    assert await scene.pool.fetchval("select value from suppressions") == number
    assert (await recover(scene)).replies == 0


async def test_a_case_without_its_workflow_is_started_and_one_behind_is_woken(scene: Scene) -> None:
    gone, behind = await texted(scene), await texted(scene)
    await gone.handle.terminate()
    await scene.pool.execute(
        "update case_events set recorded_at = now() + interval '1 minute' where loan_id = $1", behind.key.loan_id
    )
    scene.broken_on_purpose = True  # the journal was changed by hand
    report = await recover(scene, datetime.now(UTC) + timedelta(minutes=5))
    assert (report.started, report.woken) == (1, 1)
    assert (await gone.handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await gone.settle()
    assert "poke" in await behind.told() or await _hears(behind)


async def _hears(case: Case) -> bool:
    async def heard() -> bool:
        return "poke" in await case.told()

    await poll(heard, "the case to hear the poke")
    return True


async def test_messages_that_were_delivered_and_never_absorbed_are_told_again(scene: Scene) -> None:
    case = await texted(scene)
    await scene.pool.execute(
        """
        insert into outbox (lender_id, loan_id, message, payload, delivered_at, result)
        values ($1, $2, 'ledger_changed', '{"about": "test"}', now(), 'signalled')
        """,
        *case.key,
    )
    assert (await recover(scene)).told_again == 1
    await scene.settle()
    assert "ledger_changed" in await case.told()
    assert (await recover(scene)).told_again == 0


async def test_a_carrier_that_does_not_answer_leaves_the_stop_pressed(scene: Scene) -> None:
    await texted(scene)
    fault = Fault(kind="error500", at="look_up")
    scene.simulator.play(Script(borrowers={"*": Behaviour(fault=fault), SENDER: Behaviour(fault=fault)}))
    with pytest.raises(LookUpFailed):
        await recover(scene)
    assert await stops(scene.pool) == [RECOVERING]


async def test_a_stop_that_somebody_pressed_outlives_the_recovery(pool: Pool) -> None:
    every = {"lender_id": "*", "channel": "*", "strategy": "*"}
    async with pool.acquire() as conn:
        await press_stop(conn, **every, reason="an audit")
        first = await begin_recovery(conn)
        assert await begin_recovery(conn) == first
        await end_recovery(conn)
        assert await stops(pool) == ["an audit"]
        await conn.execute("delete from stops")
        await begin_recovery(conn)
        assert await stops(pool) == [RECOVERING]
        await end_recovery(conn)
        assert await stops(pool) == []


async def test_a_story_over_several_runs_is_read_whole(scene: Scene) -> None:
    case = await scene.loan(phone=next(PHONES))
    await case.open(roll_over_after=6)
    await case.settle()
    for n in range(4):
        await case.taken("reassign", id=f"r-{n}", to=f"c{n}", by="c0")
    assert len(await case.histories()) > 1
    await forget_contacts(scene, case)
    await scene.pool.execute("update case_events set message_id = null where message_id in ('r-0', 'r-3')")
    scene.broken_on_purpose = True  # the journal was changed by hand
    report = await recover(scene)
    assert (report.cases_read, report.contacts, report.messages) == (1, 1, 2)
    assert (await case.row())["collector"] == "c3"


async def test_a_reminder_before_a_case_is_not_sent_again(scene: Scene) -> None:
    stage = Stage(name="reminder", from_dpd=-3, steps=(Step(id="remind-1", do="sms", template="upcoming"),))
    standard = next(s for s in shipped() if s.name == "standard")
    strategy = await scene.strategy(standard, stages=(stage, *standard.stages))
    number = next(PHONES)
    loan = await scene.loan((-2, "100"), phone=number, strategy=strategy)
    await scene.world.carrier.send_sms(_by_hand(number))
    report = await recover(scene)
    assert (report.contacts, report.unexplained) == (1, 1)
    [contact] = await loan.contacts()
    assert (contact["episode"], contact["step_id"], contact["purpose"]) == (0, "remind-1/1", "reminder")
    reminding = Reminding(Contact(Desk(scene.pool, scene.clock), Gatekeeper(), scene.carrier, SENDER, timedelta(0)))
    await end(scene)
    assert await reminding.remind_of(loan.key) is None
    assert len(scene.texts()) == 1


async def end(scene: Scene) -> None:
    async with scene.pool.acquire() as conn:
        await end_recovery(conn)


async def test_a_call_is_known_where_it_alone_fits(scene: Scene) -> None:
    simulator, number, now = scene.simulator, next(PHONES), datetime.now(UTC)
    calls = TwilioVoice(simulator.account_sid, simulator.auth_token, "http://127.0.0.1:9", simulator_url(scene))
    carrier = scene.carrier
    assert isinstance(carrier, TwilioSms)
    async with scene.pool.acquire() as conn:
        unclaimed = await Unclaimed.read(conn, carrier, calls, SENDER, now)
        placed = await calls.place_call(VoiceRequest(to=number, sender=SENDER, attempt_id="a"))
        assert isinstance(placed, Accepted)
        found = await unclaimed.call(conn, number, now, now)
        assert found is not None
        assert found.carrier_id == placed.carrier_id
        assert await unclaimed.call(conn, number, now - timedelta(hours=3), now - timedelta(hours=2)) is None
        await calls.place_call(VoiceRequest(to=number, sender=SENDER, attempt_id="b"))
        assert await unclaimed.call(conn, number, now, now) is None
    await calls.close()
