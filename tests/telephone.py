"""A telephone for tests: the SDK that asks for calls, and the API that says what is said in them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import uvicorn
from fastapi import FastAPI

from channels.simulator import Simulator
from channels.twilio_voice import TwilioVoice
from channels.voice_words import read_call_back
from domain.clock import Clock
from starters.problems import add_problems
from starters.voice import voice_routes

CALL_BACK = read_call_back("Zed and Sons", "Kim Hill", "+12015550100")


@asynccontextmanager
async def telephone(
    pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, simulator: Simulator, base_url: str
) -> AsyncIterator[TwilioVoice]:
    """What places calls with the simulator at `base_url`, while its questions are answered from the ledger."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = FastAPI()
    add_problems(app)
    app.include_router(voice_routes(pool, clock, simulator.auth_token, url, CALL_BACK))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    carrier = TwilioVoice(simulator.account_sid, simulator.auth_token, url, base_url, 5)
    try:
        yield carrier
    finally:
        server.should_exit = True
        await carrier.close()
        await serving
