import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from aiohttp import web

from channels import twilio_codes
from channels.carrier import Accepted, AnswerLost, LookUpFailed, RefusalKind, Refused
from channels.simulator import Behaviour, Fault, Script, Simulator
from channels.twilio_sms import TwilioSms, refusal_kind
from domain.errors import BadInput
from tests.channels.far_side import ANNA, BRUNO, SENDER, Receiver, carrier_for, sms, until, with_fault


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


async def test_an_accepted_message_is_with_the_carrier_as_it_was_given(
    carrier: TwilioSms, simulator: Simulator
) -> None:
    answer = await carrier.send_sms(sms(attempt="a/1 &x"))

    assert isinstance(answer, Accepted)
    [taken] = simulator.messages
    assert taken.sid == answer.carrier_id
    assert (taken.to, taken.sender, taken.body, taken.validity_seconds) == (ANNA, SENDER, sms().body, 600)
    assert taken.callback is not None
    assert taken.callback.endswith("/twilio/status?attempt=a%2F1%20%26x")


async def test_fetch_tells_how_the_delivery_ended(carrier: TwilioSms, simulator: Simulator) -> None:
    simulator.play(Script(borrowers={ANNA: Behaviour(delivery="undelivered", error_code=30005)}))
    answer = await carrier.send_sms(sms())
    assert isinstance(answer, Accepted)
    await until(lambda: all(each.settled for each in simulator.messages))

    message = await carrier.fetch(answer.carrier_id)

    assert (message.status, message.error_code) == ("undelivered", 30005)
    assert message.created_at.tzinfo is not None


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (21211, 400, "dead_number"),
        (21614, 400, "dead_number"),
        (21635, 400, "dead_number"),
        (21610, 400, "opted_out"),
        (21606, 400, "our_fault"),
        (21408, 403, "refused"),
        (20003, 401, "our_fault"),
        (20429, 429, "retry_later"),
        (30034, 400, "our_fault"),
        (29999, 403, "our_fault"),
        (29999, 400, "refused"),
    ],
)
async def test_a_refusal_proves_that_nothing_was_sent(
    carrier: TwilioSms, simulator: Simulator, code: int, status: int, kind: str
) -> None:
    simulator.play(with_fault(Fault(kind="refuse", code=code, status=status)))

    answer = await carrier.send_sms(sms())

    assert isinstance(answer, Refused)
    assert answer.kind == kind
    assert answer.code == (code if status != 429 else None)
    assert not list(simulator.messages)


async def test_a_429_says_how_long_to_wait(carrier: TwilioSms, simulator: Simulator) -> None:
    simulator.play(with_fault(Fault(kind="refuse", code=20429, status=429, retry_after=7, times=1)))

    answer = await carrier.send_sms(sms())

    assert isinstance(answer, Refused)
    assert (answer.kind, answer.retry_after) == ("retry_later", 7.0)
    assert isinstance(await carrier.send_sms(sms()), Accepted)


async def test_wrong_credentials_are_our_fault(simulator: Simulator, base_url: str) -> None:
    carrier = TwilioSms(simulator.account_sid, "not the token", "https://arrears.example", base_url)
    answer = await carrier.send_sms(sms())
    await carrier.close()

    assert isinstance(answer, Refused)
    assert (answer.code, answer.kind) == (20003, "our_fault")


@pytest.mark.parametrize("kind", ["drop", "error500"])
async def test_no_answer_proves_nothing_though_nothing_was_sent(
    carrier: TwilioSms, simulator: Simulator, kind: str
) -> None:
    simulator.play(Script.model_validate({"borrowers": {ANNA: {"fault": {"kind": kind}}}}))

    assert isinstance(await carrier.send_sms(sms()), AnswerLost)
    assert await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2") == []


async def test_a_carrier_that_hangs_is_given_up_after_the_time_limit(simulator: Simulator, base_url: str) -> None:
    simulator.play(with_fault(Fault(kind="hang")))
    carrier = carrier_for(simulator, base_url, "https://arrears.example", seconds=0.2)
    answer = await carrier.send_sms(sms())
    await carrier.close()

    assert answer == AnswerLost("The carrier did not answer in time.")
    assert not list(simulator.messages)


async def test_a_slow_answer_counts_within_the_limit_and_is_looked_up_beyond_it(
    carrier: TwilioSms, simulator: Simulator, base_url: str
) -> None:
    simulator.play(with_fault(Fault(kind="slow", seconds=0.01)))
    assert isinstance(await carrier.send_sms(sms(body="Ref OTHER")), Accepted)

    simulator.play(with_fault(Fault(kind="slow", seconds=3600)))
    impatient = carrier_for(simulator, base_url, "https://arrears.example", seconds=0.2)
    assert isinstance(await impatient.send_sms(sms()), AnswerLost)
    assert len(await impatient.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")) == 1
    await impatient.close()


async def test_a_message_whose_answer_was_lost_is_found_by_its_reference(
    carrier: TwilioSms, simulator: Simulator
) -> None:
    simulator.play(with_fault(Fault(kind="lost", times=1)))

    assert isinstance(await carrier.send_sms(sms()), AnswerLost)

    [found] = await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")
    assert [found.carrier_id] == [each.sid for each in simulator.messages]
    assert found.body == sms().body


async def test_a_queued_message_is_found_too(simulator: Simulator, base_url: str) -> None:
    simulator.latency = 3600
    simulator.play(with_fault(Fault(kind="lost")))
    carrier = carrier_for(simulator, base_url, "https://arrears.example")
    await carrier.send_sms(sms())

    [found] = await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")
    await carrier.close()

    assert found.status == "queued"


async def test_find_sees_only_this_recipient_sender_time_and_reference(carrier: TwilioSms) -> None:
    await carrier.send_sms(sms(to=BRUNO))
    await carrier.send_sms(sms(body="Ref AR7Q21"))
    await carrier.send_sms(sms(body="请联系我们，编号AR7Q2。"))

    [found] = await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")

    assert found.body.startswith("请")
    assert await carrier.find_sms(ANNA, "+12025550198", an_hour_ago(), "AR7Q2") == []
    assert await carrier.find_sms(ANNA, SENDER, datetime.now(UTC) + timedelta(minutes=5), "AR7Q2") == []


async def test_find_reads_past_the_first_page(carrier: TwilioSms) -> None:
    await carrier.send_sms(sms())
    for number in range(60):
        await carrier.send_sms(sms(body=f"Ref X{number}"))

    assert len(await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")) == 1


async def test_a_look_up_that_fails_is_no_proof_of_absence(carrier: TwilioSms, simulator: Simulator) -> None:
    with pytest.raises(LookUpFailed, match="20404"):
        await carrier.fetch("SM" + "0" * 32)
    await simulator.stop()
    with pytest.raises(LookUpFailed):
        await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")


async def test_a_carrier_that_cannot_be_reached_has_nothing(simulator: Simulator, base_url: str) -> None:
    await simulator.stop()
    carrier = carrier_for(simulator, base_url, "https://arrears.example")
    answer = await carrier.send_sms(sms())
    await carrier.close()

    assert isinstance(answer, Refused)
    assert answer.kind == "retry_later"


@pytest.mark.parametrize(
    ("status", "body"),
    [(302, "{}"), (201, "<html>"), (201, "{}"), (201, "[]"), (201, '{"sid": null}'), (502, "<html>")],
)
async def test_an_answer_that_is_not_twilios_proves_nothing(status: int, body: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_post("/{anything:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    carrier = TwilioSms("AC" + "0" * 32, "token", "https://arrears.example", f"http://{host}:{port}")
    try:
        assert isinstance(await carrier.send_sms(sms()), AnswerLost)
    finally:
        await carrier.close()
        await runner.cleanup()


async def test_neither_number_nor_text_reaches_a_log_or_an_error(
    carrier: TwilioSms, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await carrier.send_sms(sms())
    refused = await carrier.send_sms(sms(to="+1555"))
    await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")
    await simulator.stop()
    with pytest.raises(LookUpFailed) as failed:
        await carrier.find_sms(ANNA, SENDER, an_hour_ago(), "AR7Q2")

    assert isinstance(refused, Refused)
    assert refused.code == 21211
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None
    for secret in (ANNA, ANNA[1:], "+1555", "Please call", simulator.auth_token):
        assert secret not in caplog.text + refused.reason + str(failed.value)


async def test_five_hundred_messages_at_once(carrier: TwilioSms, simulator: Simulator, receiver: Receiver) -> None:
    answers = await asyncio.gather(*(carrier.send_sms(sms(attempt=f"attempt-{n}")) for n in range(500)))

    assert len({each.carrier_id for each in answers if isinstance(each, Accepted)}) == 500
    await until(lambda: len([each for each in receiver.got if each.form["MessageStatus"] == "delivered"]) == 500, 60)
    assert all(each.settled for each in simulator.messages)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://carrier.example", ""])
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="ARREARS_TWILIO_BASE_URL"):
        TwilioSms("AC" + "0" * 32, "token", "https://arrears.example", url)


def test_a_handset_that_is_switched_off_is_no_dead_number() -> None:
    assert refusal_kind(30003) == "refused"
    assert refusal_kind(30006) == "dead_number"


def test_a_receipt_tells_later_from_our_fault_and_from_the_number() -> None:
    codes = {30001: "retry_later", 30002: "our_fault", 30005: "dead_number", 30008: "refused", 30034: "our_fault"}
    assert {code: refusal_kind(code) for code in codes} == codes
    assert refusal_kind(None) == "refused"


def test_every_code_is_told_once_and_in_one_sentence() -> None:
    rows = twilio_codes._ROWS
    assert len({row.number for row in rows}) == len(rows)
    assert [row.number for row in rows if not re.fullmatch(r"[A-Z][^.]*\.", row.says)] == []
    assert {row.kind for row in rows} == set(get_args(RefusalKind))


def test_a_doubtful_code_gives_up_no_number_and_stops_no_channel() -> None:
    assert {row.kind for row in twilio_codes.CODES.values() if row.doubtful} == {"refused"}


async def test_a_refusal_says_what_its_code_means(carrier: TwilioSms, simulator: Simulator) -> None:
    simulator.play(with_fault(Fault(kind="refuse", code=21614)))
    answer = await carrier.send_sms(sms())
    assert isinstance(answer, Refused)
    assert answer.reason == "Twilio refused with error 21614 (HTTP 400). The number is no mobile number."


async def test_the_carrier_tells_all_that_went_out_and_came_in_since_a_moment(
    carrier: TwilioSms, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.twilio_sms._PAGE", 2)
    sent = [await carrier.send_sms(sms(attempt=str(n))) for n in range(5)]
    old = next(iter(simulator.messages))
    simulator.messages.put(old.model_copy(update={"created": datetime.now(UTC) - timedelta(days=1)}))
    said = simulator.receive(ANNA, SENDER, "STOP")
    answered = said.model_copy(update={"sid": "SM-answer", "direction": "outbound-reply", "to": ANNA, "sender": SENDER})
    simulator.messages.put(answered)

    out = await carrier.sent_since(SENDER, an_hour_ago())
    came = await carrier.received_since(SENDER, an_hour_ago())

    assert [m.carrier_id for m in out] == [a.carrier_id for a in sent[1:] if isinstance(a, Accepted)]
    assert [(m.carrier_id, m.sender, m.body) for m in came] == [(said.sid, ANNA, "STOP")]


async def test_a_carrier_that_cannot_tell_says_so(carrier: TwilioSms, simulator: Simulator) -> None:
    fault = Fault(kind="error500", at="look_up")
    simulator.play(Script(borrowers={"*": Behaviour(fault=fault), SENDER: Behaviour(fault=fault)}))
    with pytest.raises(LookUpFailed):
        await carrier.sent_since(SENDER, an_hour_ago())
    with pytest.raises(LookUpFailed):
        await carrier.received_since(SENDER, an_hour_ago())
