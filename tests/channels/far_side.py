"""What stands on the other side of the carrier in these tests, and a way to wait for it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aiohttp import web

from channels.carrier import SmsRequest
from channels.simulator import Behaviour, Fault, Script, Simulator
from channels.twilio_sms import TwilioSms

SENDER = "+12025550199"
ANNA = "+12025550101"
BRUNO = "+12025550102"


class Callback(NamedTuple):
    url: str
    form: Mapping[str, str]
    signature: str


class Receiver:
    """Where callbacks go: answers with the statuses set here, then with 204, and keeps all it got."""

    def __init__(self) -> None:
        self.base_url = ""
        self.answers: list[int] = []
        self.got: list[Callback] = []

    async def take(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        signature = request.headers.get("X-Twilio-Signature", "")
        self.got.append(Callback(self.base_url + request.raw_path, form, signature))
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    async def wait_for(self, **fields: str) -> Callback:
        def fitting() -> list[Callback]:
            return [each for each in self.got if fields.items() <= each.form.items()]

        await until(fitting)
        return fitting()[0]


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for a condition; TimeoutError when it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def carrier_for(simulator: Simulator, base_url: str, public_url: str, seconds: float = 30.0) -> TwilioSms:
    return TwilioSms(simulator.account_sid, simulator.auth_token, public_url, base_url, timeout_seconds=seconds)


def sms(to: str = ANNA, body: str = "Please call us. Ref AR7Q2", attempt: str = "attempt-1") -> SmsRequest:
    return SmsRequest(to=to, sender=SENDER, body=body, attempt_id=attempt, reference="AR7Q2", validity_seconds=600)


def with_fault(fault: Fault, number: str = ANNA) -> Script:
    return Script(borrowers={number: Behaviour(fault=fault)})
