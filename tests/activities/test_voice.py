"""An automated call from the decision to its outcome: the activity, the SDK, the simulator that calls back, the API that answers it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from activities.contracts import CaseRef, Order, Result
from activities.gate import Gatekeeper
from activities.voice import VoiceContact
from channels.simulator import Behaviour, Callee, Fault, Script
from channels.voice_carrier import CallAnswer, VoiceCarrier, VoiceRequest
from domain.decision import Action
from domain.strategy import Stage, Step
from ledger.strategies import publish, shipped
from tests.activities.bench import Bench
from tests.case import poll
from tests.scenario import NAME, SENDER
from tests.telephone import CALL_BACK, telephone

CALLED = "+12015550101"
FACT = "42"


@dataclass
class VoiceBench:
    """The bench, with a telephone."""

    bench: Bench
    carrier: VoiceCarrier

    @property
    def contact(self) -> VoiceContact:
        return VoiceContact(self.bench.desk, Gatekeeper(), self.carrier, SENDER, timedelta(milliseconds=10), CALL_BACK)

    async def case(self, *, consent: bool = True) -> CaseRef:
        case = await self.bench.case((1, "100"), strategy="voice", language="en")
        pool = self.bench.pool
        await pool.execute("update contact_points set postcode = '80142' where kind = 'address'")
        if consent:
            await pool.execute(
                """
                insert into consents (lender_id, party_id, contact_value, scope, given_on)
                select lender_id, party_id, value, 'voice_auto', '2026-01-01' from contact_points where kind = 'mobile'
                on conflict do nothing
                """
            )
        return case

    async def due(self, case: CaseRef) -> Order:
        order = await self.bench.due(case)
        assert order.decision.action is Action.PLACE_VOICE_CALL
        return order

    async def call(self, case: CaseRef) -> Result:
        return await self.contact.place_voice_call(await self.due(case))

    def answers(self, *keys: str, **does: Any) -> None:
        """The one who is called picks up and presses these."""
        callee = Callee.model_validate({"answers": "human", "keys": keys, "seconds": 30, **does})
        self.bench.simulator.play(Script(borrowers={"*": Behaviour(call=callee)}))

    async def over(self, case: CaseRef) -> dict[str, Any]:
        """The contact, once the carrier has said its last word."""

        async def said() -> bool:
            [row] = await self.bench.contacts(case)
            return row["carrier_status"] in {"completed", "no-answer", "busy", "failed"}

        await poll(said, "the call to end")
        [row] = await self.bench.contacts(case)
        return dict(row)

    async def step(self) -> str:
        return str(await self.bench.pool.fetchval("select state from steps order by ordinal desc limit 1"))

    async def news(self, case: CaseRef) -> list[dict[str, Any]]:
        """What the calls told the case."""
        rows = await self.bench.pool.fetch(
            "select payload from outbox where loan_id = $1 and message in ('reply_received', 'contact_failed') order by id",
            case.loan_id,
        )
        return [dict(r["payload"]) for r in rows]


@pytest_asyncio.fixture
async def line(bench: Bench) -> AsyncIterator[VoiceBench]:
    """A strategy that calls, and the API where the carrier asks what to say."""
    steps = (Step(id="voice-1", do="voice", attempts=2),)
    base = next(s for s in shipped() if s.name == "standard")
    stages = (Stage(name="call", from_dpd=1, steps=steps),)
    async with bench.pool.acquire() as conn:
        await publish(conn, base.model_copy(update={"name": "voice", "stages": stages}))
    async with telephone(bench.pool, bench.clock, bench.simulator, _base_url(bench)) as carrier:
        yield VoiceBench(bench, carrier)


def _base_url(bench: Bench) -> str:
    """Where the bench's simulator listens; its carrier knows."""
    assert bench.simulator._runner is not None
    host, port = bench.simulator._runner.addresses[0][:2]
    return f"http://{host}:{port}"


async def test_a_call_that_ends_in_a_promise(line: VoiceBench) -> None:
    case = await line.case()
    line.answers("1", FACT, "2", "5#")
    result = await line.call(case)
    assert result.done == "voice-1: the call is placed"
    row = await line.over(case)
    assert (row["channel"], row["state"], row["outcome"]) == ("voice", "sent", "RPC_PTP")
    assert (row["connected"], row["effective"], row["conversation"]) == (True, True, True)
    assert row["minutes"] == Decimal("0.50")
    assert row["permit"]["request"]["artificial_voice"] is True
    [call] = line.bench.simulator.calls
    assert (call.sid, call.to) == (row["carrier_id"], CALLED)
    assert call.heard[0].startswith(f"Hello. This is an automated call for {NAME}.")
    assert "100" in call.heard[3]
    [told] = await line.news(case)
    due = (line.bench.clock.at + timedelta(days=5)).date().isoformat()
    assert (told["about"], told["amount"], told["due_on"]) == ("promise", "100.00", due)
    assert await line.step() == "done"


async def test_the_promise_is_the_case_s_once_it_is_told(line: VoiceBench) -> None:
    case = await line.case()
    line.answers("1", FACT, "2", "5")
    await line.call(case)
    await line.over(case)
    [told] = await line.news(case)
    result = await line.bench.tell(case, "reply_received", told.pop("message_id"), **told)
    assert result.decision.action is Action.REMIND_OF_PROMISE
    [promise] = await line.bench.pool.fetch("select amount, status from promises")
    assert tuple(promise) == (Decimal(100), "active")
    assert await line.bench.violations() == []


async def test_nobody_answers_and_the_call_is_tried_once_more(line: VoiceBench) -> None:
    case = await line.case()
    line.answers(answers="no_answer")
    await line.call(case)
    row = await line.over(case)
    assert (row["outcome"], row["connected"], row["body"]) == ("NO_ANSWER", False, None)
    assert await line.step() == "attempted"
    again = await line.due(case)
    assert again.decision.ordinal == 2
    assert again.decision.at is not None
    assert again.decision.at >= row["sending_at"] + timedelta(days=1)


async def test_without_consent_no_machine_calls(line: VoiceBench) -> None:
    case = await line.case(consent=False)
    result = await line.call(case)
    assert result.done.startswith("forbidden: house.")
    [row] = await line.bench.contacts(case)
    assert row["state"] == "forbidden"
    assert list(line.bench.simulator.calls) == []


async def test_an_opt_out_by_a_key_stops_the_next_call(line: VoiceBench) -> None:
    case = await line.case()
    line.answers("9")
    await line.call(case)
    await line.over(case)
    line.bench.clock.at += timedelta(days=3)
    result = await line.call(case)
    assert "OPTED_OUT" in result.done
    assert len(list(line.bench.simulator.calls)) == 1


async def test_in_shadow_mode_the_opening_is_written_down_and_nobody_called(line: VoiceBench) -> None:
    case = await line.case()
    await line.bench.pool.execute("update lenders set mode = 'shadow'")
    await line.call(case)
    [row] = await line.bench.contacts(case)
    assert row["state"] == "shadow"
    assert row["body"].startswith("Hello. This is an automated call for")
    assert list(line.bench.simulator.calls) == []


async def test_a_machine_hears_whom_to_call_back(line: VoiceBench) -> None:
    case = await line.case()
    line.answers(answers="machine")
    await line.call(case)
    assert (await line.over(case))["outcome"] == "VOICEMAIL_LEFT"
    [call] = line.bench.simulator.calls
    [heard] = call.heard
    assert "Kim Hill" in heard
    assert "lender" not in heard


async def test_a_carrier_that_stutters_changes_nothing(line: VoiceBench) -> None:
    case = await line.case()
    line.answers("1", FACT, "5", stutters=True)
    await line.call(case)
    assert (await line.over(case))["outcome"] == "RPC_DISPUTE"
    assert await line.bench.pool.fetchval("select count(*) from holds") == 1
    assert [n["about"] for n in await line.news(case)] == ["dispute"]
    [call] = line.bench.simulator.calls
    assert len(call.heard) == 6


# --- once ---


@pytest.mark.parametrize("taken", [True, False])
async def test_a_lost_answer_is_looked_up_and_nobody_called_again(line: VoiceBench, taken: bool) -> None:
    case = await line.case()
    fault = Fault(kind="lost" if taken else "drop")
    line.bench.simulator.play(Script(borrowers={"*": Behaviour(fault=fault, call=Callee(answers="busy"))}))
    order = await line.due(case)
    await line.contact.place_voice_call(order)
    [row] = await line.bench.contacts(case)
    assert row["state"] == ("sent" if taken else "unknown")
    again = await line.contact.place_voice_call(order)
    assert again.done == "overtaken by events"
    assert len(list(line.bench.simulator.calls)) == taken


class Dies(Exception):
    """The worker is killed."""


@dataclass
class Killed:
    """A worker that dies once the carrier has the call."""

    carrier: VoiceCarrier

    async def place_call(self, request: VoiceRequest) -> CallAnswer:
        await self.carrier.place_call(request)
        raise Dies

    def __getattr__(self, name: str) -> Any:
        return getattr(self.carrier, name)


async def test_a_worker_that_dies_after_the_call_does_not_call_again(line: VoiceBench) -> None:
    case = await line.case()
    line.answers("1", FACT, "5")
    order = await line.due(case)
    with pytest.raises(Dies):
        await VoiceBench(line.bench, Killed(line.carrier)).contact.place_voice_call(order)
    await line.over(case)
    result = await line.contact.place_voice_call(order)
    assert result.done == "voice-1: the call is placed"
    [row] = await line.bench.contacts(case)
    assert (row["state"], row["outcome"]) == ("sent", "RPC_DISPUTE")
    assert len(list(line.bench.simulator.calls)) == 1
    assert await line.bench.pool.fetchval("select state from steps") == "done"


async def test_what_a_call_brought_is_not_overwritten_by_the_late_word_that_it_was_placed(line: VoiceBench) -> None:
    case = await line.case()
    line.answers(answers="no_answer")

    @dataclass
    class Slow:
        """The answer to the request comes when the call is over already."""

        carrier: VoiceCarrier

        async def place_call(self, request: VoiceRequest) -> CallAnswer:
            answer = await self.carrier.place_call(request)
            await line.over(case)
            return answer

        def __getattr__(self, name: str) -> Any:
            return getattr(self.carrier, name)

    await VoiceBench(line.bench, Slow(line.carrier)).call(case)
    [row] = await line.bench.contacts(case)
    assert (row["state"], row["outcome"]) == ("sent", "NO_ANSWER")
    assert await line.step() == "attempted"


async def test_two_calls_that_fit_are_no_proof_of_either(line: VoiceBench) -> None:
    case = await line.case()
    order = await line.due(case)
    line.bench.simulator.play(
        Script(borrowers={"*": Behaviour(fault=Fault(kind="drop", times=1), call=Callee(answers="busy"))})
    )
    with pytest.raises(Dies):
        await VoiceBench(line.bench, Killed(line.carrier)).contact.place_voice_call(order)
    for attempt in ("other-1", "other-2"):
        await line.carrier.place_call(VoiceRequest(to=CALLED, sender=SENDER, attempt_id=attempt))
    await line.contact.place_voice_call(order)
    [row] = await line.bench.contacts(case)
    assert (row["state"], row["carrier_id"]) == ("unknown", None)


async def test_another_contact_s_call_to_the_same_number_is_no_proof(line: VoiceBench) -> None:
    first, second = await line.case(), await line.case()
    line.answers(answers="busy")
    await line.call(first)
    line.bench.simulator.play(Script(borrowers={"*": Behaviour(fault=Fault(kind="drop"))}))
    line.bench.clock.at += timedelta(days=8)  # the number has its own limits; the carrier's clock is the real one
    await line.call(second)
    assert [c["state"] for c in await line.bench.contacts(first)] == ["sent"]
    assert [c["state"] for c in await line.bench.contacts(second)] == ["unknown"]


@pytest.mark.parametrize(
    ("code", "state"), [(21211, "impossible"), (21205, "postponed"), (20429, "postponed"), (99999, "failed")]
)
async def test_a_refusal_means_what_it_means_for_a_text(line: VoiceBench, code: int, state: str) -> None:
    case = await line.case()
    fault = Fault(kind="refuse", code=code, status=429 if code == 20429 else 400)
    line.bench.simulator.play(Script(borrowers={"*": Behaviour(fault=fault)}))
    await line.call(case)
    [row] = await line.bench.contacts(case)
    assert row["state"] == "failed"
    assert await line.step() == state
    dead = await line.bench.pool.fetchval("select status = 'dead' from contact_points where kind = 'mobile'")
    assert dead == (code == 21211)
    assert await line.bench.pool.fetchval("select count(*) from stops where channel = 'voice'") == (code == 21205)


async def test_a_payment_during_the_call_ends_the_asking_and_breaks_no_promise(line: VoiceBench) -> None:
    case = await line.case()
    order = await line.due(case)

    @dataclass
    class Paid:
        """The money comes between the carrier's yes and the first ring."""

        carrier: VoiceCarrier

        async def place_call(self, request: VoiceRequest) -> CallAnswer:
            await line.bench.pay(case)
            return await self.carrier.place_call(request)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.carrier, name)

    line.answers("1", FACT, "1")
    await VoiceBench(line.bench, Paid(line.carrier)).contact.place_voice_call(order)
    await line.over(case)
    [call] = line.bench.simulator.calls
    assert [h for h in call.heard if "100" in h] == []
    assert await line.bench.violations() == []


async def test_where_calls_are_not_set_up_the_step_is_impossible(line: VoiceBench) -> None:
    case = await line.case()
    contact = line.contact
    contact.call_back = None
    result = await contact.place_voice_call(await line.due(case))
    assert "ARREARS_VOICE_NUMBER" in result.done
    assert await line.step() == "impossible"
    assert await line.bench.contacts(case) == []
