"""What the simulated carrier can do wrong, as the SDK meets it."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.carrier import Accepted, AnswerLost, LookUpFailed, Refused
from channels.simulator import Behaviour, Fault, Receipts, Script, Simulator
from channels.twilio_sms import TwilioSms
from tests.channels.far_side import ANNA, SENDER, Receiver, carrier_for, sms, until, with_fault


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("fault", "reason", "taken"),
    [
        (Fault(kind="drop"), "broke before it answered", 0),
        (Fault(kind="drop", taken=True), "broke before it answered", 1),
        (Fault(kind="lost"), "broke before it answered", 1),
        (Fault(kind="error500"), "HTTP 500", 0),
        (Fault(kind="error500", status=503), "HTTP 503", 0),
        (Fault(kind="error500", status=502, taken=True), "HTTP 502", 1),
        (Fault(kind="hang"), "in time", 0),
        (Fault(kind="hang", taken=True), "in time", 1),
        (Fault(kind="slow", seconds=3600), "in time", 1),
    ],
)
async def test_an_answer_that_does_not_come_proves_nothing_whether_the_message_was_taken_or_not(
    simulator: Simulator, base_url: str, fault: Fault, reason: str, taken: int
) -> None:
    simulator.play(with_fault(fault))
    carrier = carrier_for(simulator, base_url, "https://arrears.example", seconds=0.3)
    answer = await carrier.send_sms(sms())
    found = await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")
    await carrier.close()

    assert isinstance(answer, AnswerLost)
    assert reason in answer.reason
    assert (len(found), len(list(simulator.messages))) == (taken, taken)


@pytest.mark.parametrize(("as_date", "least"), [(False, 90), (True, 88)])  # a date has whole seconds
async def test_a_429_names_seconds_or_a_date(
    carrier: TwilioSms, simulator: Simulator, as_date: bool, least: float
) -> None:
    fault = Fault(kind="refuse", code=20429, status=429, retry_after=90, retry_after_date=as_date, times=1)
    simulator.play(with_fault(fault))

    refused = await carrier.send_sms(sms())

    assert isinstance(refused, Refused)
    assert refused.kind == "retry_later"
    assert refused.retry_after is not None
    assert least <= refused.retry_after <= 90
    assert isinstance(await carrier.send_sms(sms()), Accepted)


@pytest.mark.parametrize("kind", ["hang", "drop", "error500", "refuse"])
async def test_a_look_up_goes_wrong_by_itself(simulator: Simulator, base_url: str, kind: Any) -> None:
    simulator.play(with_fault(Fault(kind=kind, at="look_up")))
    carrier = carrier_for(simulator, base_url, "https://arrears.example", seconds=0.3)
    answer = await carrier.send_sms(sms())
    assert isinstance(answer, Accepted)
    with pytest.raises(LookUpFailed):
        await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")
    with pytest.raises(LookUpFailed):
        await carrier.fetch(answer.carrier_id)
    simulator.play(Script())
    assert len(await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")) == 1
    await carrier.close()


async def answers(carrier: TwilioSms, number: str, requests: int) -> list[str]:
    return [type(await carrier.send_sms(sms(to=number))).__name__ for _ in range(requests)]


async def test_chance_comes_out_the_same_for_the_same_seed(carrier: TwilioSms, simulator: Simulator) -> None:
    faults = (Fault(kind="refuse", status=429, code=20429, share=0.3), Fault(kind="lost", share=0.3))
    script = Script(borrowers={"*": Behaviour(faults=faults)}, seed=7)
    numbers = [f"+1201555010{n}" for n in range(4)]
    simulator.play(script)
    one_by_one = [await answers(carrier, number, 10) for number in numbers]
    simulator.play(script)
    at_once = await asyncio.gather(*(answers(carrier, number, 10) for number in numbers))
    simulator.play(script.model_copy(update={"seed": 8}))
    otherwise = [await answers(carrier, number, 10) for number in numbers]

    assert one_by_one == at_once  # whatever the order in which the requests come
    assert one_by_one != otherwise
    assert len(set(map(tuple, one_by_one))) > 1  # numbers differ
    assert {each for row in one_by_one for each in row} == {"Accepted", "Refused", "AnswerLost"}


async def test_reports_come_twice(carrier: TwilioSms, simulator: Simulator, receiver: Receiver) -> None:
    simulator.play(Script(borrowers={ANNA: Behaviour(receipts=Receipts(repeat=2))}))
    await carrier.send_sms(sms())
    await until(lambda: len(receiver.got) == 4)

    assert [each.form["MessageStatus"] for each in receiver.got] == ["sent", "sent", "delivered", "delivered"]


async def test_reports_come_in_the_wrong_order(carrier: TwilioSms, simulator: Simulator, receiver: Receiver) -> None:
    simulator.play(Script(borrowers={ANNA: Behaviour(receipts=Receipts(order="reversed"))}))
    await carrier.send_sms(sms())
    await until(lambda: len(receiver.got) == 2)

    assert [each.form["MessageStatus"] for each in receiver.got] == ["delivered", "sent"]


async def test_reports_come_in_any_order(carrier: TwilioSms, simulator: Simulator, receiver: Receiver) -> None:
    simulator.play(Script(borrowers={"*": Behaviour(receipts=Receipts(order="shuffled"))}, seed=1))
    numbers = [f"+1201555{n:04}" for n in range(100, 120)]
    await asyncio.gather(*(carrier.send_sms(sms(to=number)) for number in numbers))
    await until(lambda: len(receiver.got) == 2 * len(numbers))

    first = {
        number: next(e.form["MessageStatus"] for e in receiver.got if e.form["To"] == number) for number in numbers
    }
    assert set(first.values()) == {"sent", "delivered"}


async def test_a_report_overtakes_the_answer(simulator: Simulator, base_url: str, receiver: Receiver) -> None:
    early = Behaviour(receipts=Receipts(early=True), fault=Fault(kind="hang", taken=True))
    simulator.play(Script(borrowers={ANNA: early}))
    carrier = carrier_for(simulator, base_url, receiver.base_url, seconds=0.3)
    sending = asyncio.create_task(carrier.send_sms(sms()))
    await receiver.wait_for(MessageStatus="sent")
    assert not sending.done()
    assert isinstance(await sending, AnswerLost)
    await receiver.wait_for(MessageStatus="delivered")
    await carrier.close()

    assert [each.form["MessageStatus"] for each in receiver.got] == ["sent", "delivered"]


async def test_reports_are_lost(carrier: TwilioSms, simulator: Simulator, receiver: Receiver) -> None:
    simulator.play(Script(borrowers={"*": Behaviour(receipts=Receipts(lost=0.5))}, seed=3))
    numbers = [f"+1201555{n:04}" for n in range(100, 130)]
    await asyncio.gather(*(carrier.send_sms(sms(to=number)) for number in numbers))
    await until(lambda: all(each.settled for each in simulator.messages))
    # Whatever was to be posted is on its way now; one more, which is never lost, comes after it.
    simulator.play(Script())
    await carrier.send_sms(sms(attempt="last"))
    await until(
        lambda: any(e.url.endswith("attempt=last") and e.form["MessageStatus"] == "delivered" for e in receiver.got)
    )

    came = Counter(each.form["MessageStatus"] for each in receiver.got if not each.url.endswith("attempt=last"))
    assert 0 < came["sent"] < len(numbers)
    assert 0 < came["delivered"] < len(numbers)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"kind": "refuse", "status": 500}, "refuse takes 4xx"),
        ({"kind": "error500", "status": 404}, "error500 takes 5xx"),
        ({"kind": "hang", "status": 404}, "does not fit hang"),
        ({"kind": "refuse", "taken": True}, "taken does not fit refuse"),
        ({"kind": "drop", "share": 0}, "greater than 0"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(fault: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Fault.model_validate(fault)
