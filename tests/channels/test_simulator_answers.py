from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from twilio.twiml.messaging_response import MessagingResponse

from channels.simulator import Simulator
from channels.simulator.answers import said_back
from tests.channels.far_side import ANNA, SENDER, until


@pytest.fixture
async def answered() -> AsyncIterator[Simulator]:
    """A simulator whose other side says back what it heard, but to silence nothing."""

    async def take(request: web.Request) -> web.Response:
        heard = str((await request.post())["Body"])
        answer = MessagingResponse()
        if heard != "silence":
            answer.message(f"you said <{heard}>")
        return web.Response(text=str(answer), content_type="application/xml")

    app = web.Application()
    app.router.add_post("/twilio/sms", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    simulator = Simulator(inbound_url=f"http://{host}:{port}/twilio/sms", latency=0.0)
    yield simulator
    await simulator.stop()
    await runner.cleanup()


async def test_what_is_said_back_reaches_the_borrower_and_is_no_message_of_ours(answered: Simulator) -> None:
    base = await answered.start()
    answered.receive(ANNA, SENDER, "silence")
    answered.receive(ANNA, SENDER, "STOP")
    async with aiohttp.ClientSession() as http:

        async def shown(direction: str) -> list[tuple[str, str, str]]:
            url = f"{base}/_simulator/messages?direction={direction}"
            async with http.get(url) as answer:
                return [(m["from"], m["to"], m["body"]) for m in (await answer.json())["messages"]]

        await until(lambda: any(m.direction == "outbound-reply" for m in answered.messages))
        assert await shown("outbound-reply") == [(SENDER, ANNA, "you said <STOP>")]
        assert await shown("outbound-api") == []


@pytest.mark.parametrize("answer", [None, "", "<Response/>", "not < xml"])
def test_an_answer_without_words(answer: str | None) -> None:
    assert said_back(answer) == []
