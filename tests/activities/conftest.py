from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from channels.simulator import Simulator
from channels.twilio_sms import TwilioSms
from ledger.strategies import publish_shipped
from tests.activities.bench import Bench, Clock


@pytest_asyncio.fixture
async def bench(pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[Bench]:
    async with pool.acquire() as conn:
        await publish_shipped(conn)
        await conn.execute("update lenders set mode = 'live'")
    simulator = Simulator(latency=0)
    base_url = await simulator.start()
    carrier = TwilioSms(simulator.account_sid, simulator.auth_token, "http://127.0.0.1:9", base_url, 5)
    yield Bench(pool, Clock(), simulator, carrier)
    await carrier.close()
    await simulator.stop()
