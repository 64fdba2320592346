import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from channels.carrier import Accepted, Refused
from channels.simulator import Behaviour, Fault, Reply, Script, Simulator
from channels.simulator.__main__ import main
from channels.twilio_sms import TwilioSms, valid_signature
from domain.errors import BadInput
from tests.channels.far_side import ANNA, BRUNO, SENDER, Receiver, carrier_for, sms, until


async def test_status_callbacks_are_signed_and_name_the_attempt(
    carrier: TwilioSms, simulator: Simulator, receiver: Receiver
) -> None:
    answer = await carrier.send_sms(sms(attempt="a/1"))
    assert isinstance(answer, Accepted)
    url, form, signature = await receiver.wait_for(MessageStatus="delivered")

    assert url.endswith("/twilio/status?attempt=a%2F1")
    assert form["MessageSid"] == answer.carrier_id
    assert [each.form["MessageStatus"] for each in receiver.got] == ["sent", "delivered"]
    assert RequestValidator(simulator.auth_token).validate(url, form, signature)
    assert valid_signature(simulator.auth_token, url, form, signature)
    assert not valid_signature("another token", url, form, signature)
    assert not valid_signature(simulator.auth_token, url.replace("a%2F1", "a%2F2"), form, signature)
    assert not valid_signature(simulator.auth_token, url, {**form, "MessageStatus": "sent"}, signature)
    assert not valid_signature(simulator.auth_token, url, form, "")


async def test_a_delivery_that_fails_is_reported_with_its_code(
    carrier: TwilioSms, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.play(Script(borrowers={ANNA: Behaviour(delivery="undelivered", error_code=30005)}))
    await carrier.send_sms(sms())

    assert (await receiver.wait_for(MessageStatus="undelivered")).form["ErrorCode"] == "30005"


async def test_a_callback_is_tried_again_when_the_other_side_fails(carrier: TwilioSms, receiver: Receiver) -> None:
    receiver.answers = [503, 204]
    await carrier.send_sms(sms())
    await receiver.wait_for(MessageStatus="delivered")

    assert [each.form["MessageStatus"] for each in receiver.got] == ["sent", "sent", "delivered"]


async def test_a_scripted_borrower_answers_after_the_second_message(
    carrier: TwilioSms, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.play(Script(borrowers={"*": Behaviour(replies=(Reply(text="I paid yesterday", after=2),))}))
    await carrier.send_sms(sms(to=BRUNO))
    await carrier.send_sms(sms(attempt="first"))
    second = await carrier.send_sms(sms(attempt="second"))
    url, form, signature = await receiver.wait_for(Body="I paid yesterday")

    assert isinstance(second, Accepted)
    assert (form["From"], form["To"], form["AccountSid"]) == (ANNA, SENDER, simulator.account_sid)
    assert form["MessageSid"].startswith("SM")
    assert url.endswith("/twilio/sms")
    assert valid_signature(simulator.auth_token, url, form, signature)
    await until(lambda: all(each.settled for each in simulator.messages))
    assert sum(each.direction == "inbound" for each in simulator.messages) == 1


async def test_who_wrote_stop_is_not_written_to_until_start(carrier: TwilioSms, simulator: Simulator) -> None:
    simulator.receive(ANNA, SENDER, " stop ")
    refused = await carrier.send_sms(sms())
    simulator.receive(ANNA, SENDER, "START")

    assert isinstance(refused, Refused)
    assert refused.kind == "opted_out"
    assert isinstance(await carrier.send_sms(sms()), Accepted)


async def test_control_by_http(carrier: TwilioSms, base_url: str, receiver: Receiver) -> None:
    script = Script(borrowers={BRUNO: Behaviour(fault=Fault(kind="refuse", code=21614))})
    control = f"{base_url}/_simulator"
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{control}/script", data=script.model_dump_json()) as answer:
            assert answer.status == 200
        async with http.get(f"{control}/script") as answer:
            assert Script.model_validate(await answer.json()) == script
        assert isinstance(await carrier.send_sms(sms(to=BRUNO)), Refused)
        accepted = await carrier.send_sms(sms())
        await receiver.wait_for(MessageStatus="delivered")

        async with http.get(f"{control}/messages") as answer:
            [shown] = (await answer.json())["messages"]
        assert isinstance(accepted, Accepted)
        assert (shown["sid"], shown["to"], shown["from"]) == (accepted.carrier_id, ANNA, SENDER)
        assert (shown["body"], shown["status"]) == (sms().body, "delivered")

        async with http.post(f"{control}/reply", json={"from": ANNA, "text": "hello"}) as answer:
            assert answer.status == 202
        assert (await receiver.wait_for(Body="hello")).form["To"] == SENDER

        async with http.post(f"{control}/reply", json={"from": BRUNO, "text": "hello"}) as answer:
            assert answer.status == 400
        async with http.post(f"{control}/script", json={"borrowers": {ANNA: {"fault": {"kind": "fire"}}}}) as answer:
            assert answer.status == 400
            assert "fault.kind" in (await answer.json())["error"]

        async with http.post(f"{control}/reset") as answer:
            assert answer.status == 200
        async with http.get(f"{control}/messages") as answer:
            assert (await answer.json())["messages"] == []
    assert isinstance(await carrier.send_sms(sms(to=BRUNO)), Accepted)


async def test_a_restart_remembers_and_ends_what_was_under_way(tmp_path: Path, receiver: Receiver) -> None:
    state = tmp_path / "state" / "messages.jsonl"
    first = Simulator(state_file=state, latency=3600)
    carrier = carrier_for(first, await first.start(), receiver.base_url)
    answer = await carrier.send_sms(sms())
    await carrier.close()
    await first.stop()
    with state.open("a", encoding="utf-8") as torn:
        torn.write('{"sid": "SM12')

    second = Simulator(state_file=state, latency=0.0)
    carrier = carrier_for(second, await second.start(), receiver.base_url)
    await receiver.wait_for(MessageStatus="delivered")
    assert isinstance(answer, Accepted)
    assert (await carrier.fetch(answer.carrier_id)).body == sms().body
    await carrier.close()
    await second.stop()

    third = Simulator(state_file=state)
    await third.start()
    assert [(each.sid, each.status) for each in third.messages] == [(answer.carrier_id, "delivered")]
    await third.stop()


async def test_it_stops_though_a_request_hangs_and_nobody_takes_its_callbacks(simulator: Simulator) -> None:
    simulator.play(Script(borrowers={ANNA: Behaviour(fault=Fault(kind="hang"))}))
    base_url = await simulator.start()
    simulator.inbound_url = "http://127.0.0.1:9/nobody"
    carrier = carrier_for(simulator, base_url, "http://127.0.0.1:9", seconds=0.2)
    await carrier.send_sms(sms())
    assert isinstance(await carrier.send_sms(sms(to=BRUNO)), Accepted)
    simulator.receive(BRUNO, SENDER, "hello")
    await carrier.close()

    await simulator.stop()
    await simulator.stop()


def test_as_a_process_it_says_where_it_is_and_stops_when_told(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text('[borrowers."*"]\nreplies = [{ text = "ok" }]\n', encoding="utf-8")
    command = [sys.executable, "-m", "channels.simulator", "--script", str(script)]
    folder = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = json.loads(process.stdout.readline())
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""
    assert ready["ready"] is True
    assert ready["simulator"].startswith("http://127.0.0.1:")


async def test_a_port_that_is_taken_is_one_sentence(base_url: str) -> None:
    port = base_url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "channels.simulator", "--port", port]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])  # noqa: ASYNC221

    assert ended.returncode == 2
    assert port in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.toml", "borrowers = [", "is not TOML"),
        ("a.toml", '[borrowers."+1"]\nfault = { kind = "fire" }', "borrowers.+1.fault.kind"),
        ("a.json", "{", "Invalid JSON"),
        ("missing.json", None, "cannot be read"),
    ],
)
def test_a_bad_script_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, complaint: str
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text, encoding="utf-8")

    with pytest.raises(BadInput, match=name) as refused:
        Script.load(path)

    assert complaint in str(refused.value)
    assert main(["--script", str(path)]) == 2
    assert capsys.readouterr().err.strip() == str(refused.value)
