from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from channels.simulator import Simulator
from channels.twilio_sms import TwilioSms
from tests.channels.far_side import Receiver, carrier_for


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{anything:.*}", receiver.take)
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
async def base_url(simulator: Simulator) -> str:
    return await simulator.start()


@pytest.fixture
async def carrier(simulator: Simulator, base_url: str, receiver: Receiver) -> AsyncIterator[TwilioSms]:
    carrier = carrier_for(simulator, base_url, receiver.base_url)
    yield carrier
    await carrier.close()
