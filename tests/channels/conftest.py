from collections.abc import AsyncIterator, Callable, Mapping

import pytest
from aiohttp import web
from channels.carrier import SmsRequest
from channels.simulator import Simulator
from channels.twilio_sms import TwilioSms
from tests.channels.waiting import until

PUBLIC_URL = "https://arrears.example"
SENDER = "+15005550006"


class Receiver:
    """The side that callbacks go to: it answers with the statuses set here, then 204, and keeps all it got."""

    def __init__(self) -> None:
        self.base_url = ""
        self.answers: list[int] = []
        self.got: list[tuple[str, Mapping[str, str], str]] = []

    async def handle(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        url = self.base_url + request.raw_path
        self.got.append((url, form, request.headers.get("X-Twilio-Signature", "")))
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    async def has(self, fits: Callable[[Mapping[str, str]], bool]) -> tuple[str, Mapping[str, str], str]:
        await until(lambda: any(fits(form) for _, form, _ in self.got))
        return next(each for each in self.got if fits(each[1]))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{anything:.*}", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    receiver.base_url = f"http://{host}:{port}"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def simulator(receiver: Receiver) -> AsyncIterator[Simulator]:
    simulator = Simulator(inbound_url=f"{receiver.base_url}/twilio/sms", latency=0.0)
    yield simulator
    await simulator.stop()


@pytest.fixture
async def carrier(simulator: Simulator, receiver: Receiver) -> AsyncIterator[TwilioSms]:
    carrier = carrier_for(simulator, receiver.base_url, await simulator.start())
    yield carrier
    await carrier.close()


def carrier_for(simulator: Simulator, public_url: str, base_url: str, seconds: float = 10.0) -> TwilioSms:
    return TwilioSms(simulator.account_sid, simulator.auth_token, public_url, base_url, timeout_seconds=seconds)


def sms(to: str, body: str = "Please call us. Ref AR7Q2", attempt: str = "attempt-1") -> SmsRequest:
    return SmsRequest(
        to=to, sender=SENDER, body=body, attempt_id=attempt, reference="AR7Q2", validity_seconds=600
    )
