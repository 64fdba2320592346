"""Calls through the SDK against the simulator, which really asks what to say, and plays the one who is called."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from channels.carrier import Accepted, AnswerLost, LookUpFailed, Refused
from channels.simulator import Behaviour, Callee, Fault, Script, Simulator
from channels.twilio_voice import TwilioVoice, dead_number
from channels.voice_carrier import VoiceRequest
from channels.voice_words import read_call_back, silence, twiml, voice_language, words_for
from domain.errors import BadInput
from domain.voice import Asks
from tests.channels.far_side import ANNA, BRUNO, SENDER, until


class Asked(NamedTuple):
    path: str
    query: dict[str, list[str]]
    form: dict[str, str]


class Speaker:
    """Arrears's side of a call: says what is prepared, and keeps what it was asked."""

    def __init__(self) -> None:
        self.base_url = ""
        self.says: list[str] = []
        self.asked: list[Asked] = []
        self.forged = 0

    async def take(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        url = self.base_url + request.raw_path
        signature = request.headers.get("X-Twilio-Signature", "")
        self.forged += not RequestValidator("simulator").validate(url, form, signature)
        self.asked.append(Asked(request.path, parse_qs(urlsplit(url).query), form))
        if request.path.endswith("/status"):
            return web.Response(status=204)
        if not self.says:
            return web.Response(status=500)
        return web.Response(text=self.says.pop(0), content_type="application/xml")

    def ask(self, text: str, asks: Asks | None = Asks.WHO) -> None:
        self.says.append(twiml(words_for("en"), (text,), asks, f"{self.base_url}/next?a=1&b=2"))

    @property
    def ended(self) -> list[dict[str, str]]:
        return [each.form for each in self.asked if each.path.endswith("/status")]

    @property
    def keys(self) -> list[str | None]:
        return [each.form.get("Digits") for each in self.asked if not each.path.endswith("/status")]


@pytest.fixture
async def speaker() -> AsyncIterator[Speaker]:
    speaker = Speaker()
    app = web.Application()
    app.router.add_post("/{anything:.*}", speaker.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    speaker.base_url = f"http://{host}:{port}"
    yield speaker
    await runner.cleanup()


@pytest.fixture
async def voice(simulator: Simulator, base_url: str, speaker: Speaker) -> AsyncIterator[TwilioVoice]:
    voice = TwilioVoice(simulator.account_sid, simulator.auth_token, speaker.base_url + "/", base_url, 5)
    yield voice
    await voice.close()


def call(to: str = ANNA, attempt: str = "a/1 &x") -> VoiceRequest:
    return VoiceRequest(to=to, sender=SENDER, attempt_id=attempt)


def callee(**does: object) -> Script:
    return Script(borrowers={ANNA: Behaviour(call=Callee.model_validate(does))})


async def test_a_call_is_talked_through_to_its_end(voice: TwilioVoice, simulator: Simulator, speaker: Speaker) -> None:
    simulator.play(callee(answers="human", keys=("12#3", "", "5"), seconds=42))
    speaker.ask("Who?")
    speaker.ask("A number?", Asks.DAY)
    speaker.ask("Again?")
    speaker.ask("Bye.", None)
    answer = await voice.place_call(call())
    assert isinstance(answer, Accepted)
    await until(lambda: speaker.ended)
    [taken] = simulator.calls
    assert taken.sid == answer.carrier_id
    assert taken.heard == ["Who?", "A number?", "Again?", "Bye."]
    assert speaker.keys == [None, "1", "", "5"]
    first, second = speaker.asked[0], speaker.asked[1]
    assert (first.path, first.query) == ("/twilio/voice", {"attempt": ["a/1 &x"]})
    assert (second.path, second.query) == ("/next", {"a": ["1"], "b": ["2"]})
    assert {each.form["AnsweredBy"] for each in speaker.asked if "AnsweredBy" in each.form} == {"human"}
    [ended] = speaker.asked[-1:]
    assert (ended.path, ended.query) == ("/twilio/voice/status", {"attempt": ["a/1 &x"]})
    assert (ended.form["CallStatus"], ended.form["CallDuration"]) == ("completed", "42")
    assert speaker.forged == 0


@pytest.mark.parametrize(
    ("does", "status", "more"),
    [
        ({"answers": "no_answer"}, "no-answer", {}),
        ({"answers": "busy"}, "busy", {}),
        ({"answers": "failed", "sip_code": 404}, "failed", {"SipResponseCode": "404"}),
    ],
)
async def test_nobody_answers(
    voice: TwilioVoice,
    simulator: Simulator,
    speaker: Speaker,
    does: dict[str, object],
    status: str,
    more: dict[str, str],
) -> None:
    simulator.play(callee(**does))
    await voice.place_call(call())
    await until(lambda: speaker.ended)
    [ended] = speaker.ended
    assert {"CallStatus": status, "CallDuration": "0", **more}.items() <= ended.items()
    assert [each.heard for each in simulator.calls] == [[]]
    assert speaker.keys == []


async def test_a_machine_is_told_apart(voice: TwilioVoice, simulator: Simulator, speaker: Speaker) -> None:
    simulator.play(callee(answers="machine"))
    speaker.says.append(silence())
    await voice.place_call(call())
    await until(lambda: speaker.ended)
    assert speaker.asked[0].form["AnsweredBy"] == "machine_end_beep"


async def test_who_hangs_up_midway_presses_nothing(voice: TwilioVoice, simulator: Simulator, speaker: Speaker) -> None:
    simulator.play(callee(answers="human", keys=("1", "2"), hangs_up_after=2))
    speaker.ask("Who?")
    speaker.ask("A number?")
    await voice.place_call(call())
    await until(lambda: speaker.ended)
    assert (speaker.keys, speaker.ended[0]["CallStatus"]) == ([None, "1"], "completed")


async def test_redirects_pauses_and_silence_are_played(
    voice: TwilioVoice, simulator: Simulator, speaker: Speaker
) -> None:
    simulator.play(callee(answers="human"))
    speaker.says.append("<Response><Pause/><Say>One</Say><Redirect>/two</Redirect></Response>")
    speaker.says.append(
        "<Response><Gather><Say>Two</Say></Gather><Say>Nobody</Say><Hangup/><Say>Never</Say></Response>"
    )
    await voice.place_call(call())
    await until(lambda: speaker.ended)
    assert next(iter(simulator.calls)).heard == ["One", "Two", "Nobody"]
    assert speaker.asked[1].path == "/two"


async def test_a_call_whose_words_cannot_be_had_ends(
    voice: TwilioVoice, simulator: Simulator, speaker: Speaker
) -> None:
    simulator.play(callee(answers="human"))
    await voice.place_call(call())
    await until(lambda: speaker.ended)
    assert speaker.ended[0]["CallStatus"] == "completed"


# --- what the carrier answers ---


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (21211, 400, "dead_number"),
        (13224, 400, "dead_number"),
        (21215, 400, "refused"),
        (21205, 400, "our_fault"),
        (20003, 401, "our_fault"),
        (10004, 400, "retry_later"),
        (20429, 429, "retry_later"),
        (99999, 400, "refused"),
    ],
)
async def test_a_refusal_proves_that_nobody_is_called(
    voice: TwilioVoice, simulator: Simulator, code: int, status: int, kind: str
) -> None:
    simulator.play(Script(borrowers={ANNA: Behaviour(fault=Fault(kind="refuse", code=code, status=status))}))
    answer = await voice.place_call(call())
    assert isinstance(answer, Refused)
    assert answer.kind == kind
    assert ANNA not in answer.reason
    assert not list(simulator.calls)


@pytest.mark.parametrize(("fault", "calls"), [("lost", 1), ("drop", 0), ("error500", 0)])
async def test_a_lost_answer_proves_nothing_and_the_call_is_looked_up(
    voice: TwilioVoice, simulator: Simulator, fault: str, calls: int
) -> None:
    simulator.play(Script(borrowers={ANNA: Behaviour(fault=Fault.model_validate({"kind": fault, "times": 1}))}))
    before = datetime.now(UTC)
    assert isinstance(await voice.place_call(call()), AnswerLost)
    found = await voice.find_calls(ANNA, SENDER, before)
    assert [each.carrier_id for each in found] == [each.sid for each in simulator.calls]
    assert len(found) == calls


async def test_the_look_up_is_by_recipient_sender_and_time(
    voice: TwilioVoice, simulator: Simulator, speaker: Speaker
) -> None:
    for number in (ANNA, ANNA, BRUNO):
        await voice.place_call(call(number))
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert [each.to for each in await voice.find_calls(ANNA, SENDER, since)] == [ANNA, ANNA]
    assert await voice.find_calls(ANNA, "+12025550111", since) == []
    assert await voice.find_calls(ANNA, SENDER, since + timedelta(hours=1)) == []


async def test_a_look_up_that_fails_says_so(voice: TwilioVoice, simulator: Simulator) -> None:
    simulator.play(Script(borrowers={ANNA: Behaviour(fault=Fault(kind="error500", at="look_up"))}))
    with pytest.raises(LookUpFailed) as failed:
        await voice.find_calls(ANNA, SENDER, datetime.now(UTC))
    assert failed.value.__cause__ is None
    assert ANNA not in str(failed.value)


async def test_a_carrier_that_is_not_there_has_taken_nothing(simulator: Simulator, speaker: Speaker) -> None:
    voice = TwilioVoice(simulator.account_sid, "t", speaker.base_url, "http://127.0.0.1:9", 5)
    answer = await voice.place_call(call())
    assert isinstance(answer, Refused)
    assert answer.kind == "retry_later"
    await voice.close()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="ARREARS_PUBLIC_URL"):
        TwilioVoice("AC1", "t", "example")


def test_the_network_says_which_numbers_do_not_exist() -> None:
    assert dead_number("", "404")
    assert dead_number("13224", "")
    assert not dead_number("", "486")
    assert not dead_number("", "")


# --- the words as the carrier gets them ---


def test_an_answer_is_awaited_and_silence_is_one() -> None:
    text = twiml(words_for("it-IT"), ("Uno & due",), Asks.DAY, "http://x/y?a=1&b=2")
    assert '<Gather action="http://x/y?a=1&amp;b=2" actionOnEmptyResult="true" finishOnKey="#"' in text
    assert 'numDigits="2"' in text
    assert '<Say language="it-IT" voice="Polly.Bianca">Uno &amp; due</Say></Gather></Response>' in text
    assert "<Hangup" not in text
    assert twiml(words_for("en"), (), None, "").endswith("<Response><Hangup /></Response>")


def test_the_language_of_a_call() -> None:
    assert [voice_language(x) for x in ("zh-CN", "HI", "pt_BR", "es")] == ["zh", "hi", "en", "es"]
    assert words_for("zh-CN").language == "cmn-CN"


def test_a_business_that_tells_of_a_debt_is_refused() -> None:
    assert read_call_back("Zed and Sons", "Kim Hill", "+12015550100").person == "Kim Hill"
    for business, number, complaint in (
        ("Debt Recovery Ltd", "+12015550100", "'debt'"),
        ("某某催收", "+12015550100", "催"),
        ("Zed", "555", "ARREARS_VOICE_NUMBER .*write it as"),
        ("", "+12015550100", "ARREARS_VOICE_BUSINESS .*name"),
    ):
        with pytest.raises(BadInput, match=complaint):
            read_call_back(business, "Kim Hill", number)
