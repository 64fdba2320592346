"""The embedded stack: everything that Arrears needs on one machine, started in order and stopped in reverse."""

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import uvicorn
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from activities.contracts import CASES
from activities.contracts.attributes import types
from channels.simulator import Script, Simulator
from domain.clock import start_of
from ledger import clock as clocks
from ledger.clock import LedgerClock
from ledger.migrate import migrate
from ledger.pool import open_pool
from ledger.strategies import publish_shipped
from starters.api import create_app
from starters.sweeps import sweep_daily
from workers.carrier import call_back
from workers.codec import data_converter
from workers.embedded import EmbeddedPostgres, EmbeddedTemporal, StateFolder
from workers.embedded.child import Child
from workers.relay import Relay
from workers.settings import TwilioSettings, settings
from workers.telemetry import trace_requests

LOOPBACK = "127.0.0.1"
log = logging.getLogger(__name__)


@dataclass
class Stack:
    """A running stack: its addresses, and what commands in the same process may use."""

    temporal: str
    ui: str
    database_url: str
    api: str
    simulator: str
    pool: asyncpg.Pool
    clock: LedgerClock
    client: Client
    carrier: Simulator
    worker: "SupervisedWorker"

    def addresses(self) -> dict[str, object]:
        """What `arrears up` prints when all is ready."""
        named = ("temporal", "ui", "database_url", "api", "simulator")
        return {"ready": True, **{name: getattr(self, name) for name in named}}

    def environment(self) -> dict[str, str]:
        """The environment in which another command finds this stack."""
        return {"ARREARS_DATABASE_URL": self.database_url, "TEMPORAL_ADDRESS": self.temporal}


@asynccontextmanager
async def running_stack(
    directory: Path, *, day_seconds: float | None = None, start: date | None = None, script: Script | None = None
) -> AsyncIterator[Stack]:
    """Start PostgreSQL, Temporal, the simulator, the API, the relay, the sweep and a worker; stop them when the block ends.

    State is kept in `directory` and picked up again. `day_seconds` is how long a business day lasts, `start` the first one.

    Raises:
        StartFailed: a part did not start; the message names it, why, and what to do.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(StateFolder(directory))
        database = EmbeddedPostgres(folder.postgres, log=folder.logs / "postgres.log")
        dsn = await database.start()
        stack.push_async_callback(database.stop)
        await asyncio.to_thread(migrate, dsn)
        pool = await stack.enter_async_context(await open_pool(dsn, size=20))
        callers = await stack.enter_async_context(await open_pool(dsn, size=20, for_callers=True))
        fast = await _set_clock(stack, pool, day_seconds, start)
        temporal = EmbeddedTemporal(
            folder.temporal,
            search_attributes=types(),
            prompt_timers=fast,
            log=folder.logs / "temporal.log",
        )
        address = await temporal.start()
        stack.push_async_callback(temporal.stop)
        client = await Client.connect(address.host_port, data_converter=data_converter())
        listening = stack.enter_context(folder.ports.listen("api", 8080))
        api_url = f"http://{LOOPBACK}:{listening.getsockname()[1]}"
        simulator = Simulator(
            port=folder.ports.listen("simulator", 8081),
            state_file=folder.directory / "simulator.jsonl",
            inbound_url=f"{api_url}/twilio/sms",
            script=script,
        )
        simulator_url = await simulator.start()
        stack.push_async_callback(simulator.stop)
        clock = LedgerClock(pool)
        await clock.mapping()  # read before anybody waits for it inside a transaction
        secret = settings().webhook_secret or _kept_secret(folder.directory / "webhook-secret")
        await _serve(stack, pool, callers, clock, client, listening, api_url, simulator, secret)
        worker = SupervisedWorker(
            folder, _worker_environment(dsn, address.host_port, api_url, simulator, simulator_url)
        )
        await stack.enter_async_context(worker)
        await worker.ready(client)
        ready = Stack(
            temporal=address.host_port,
            ui=address.ui_url or "",
            database_url=dsn,
            api=api_url,
            simulator=simulator_url,
            pool=pool,
            clock=clock,
            client=client,
            carrier=simulator,
            worker=worker,
        )
        async with pool.acquire() as conn:
            await clocks.run_clock(conn, datetime.now(UTC), speed=None, start=None)
        folder.publish({k: str(v) for k, v in ready.addresses().items() if k != "ready"})
        yield ready


async def _set_clock(stack: AsyncExitStack, pool: asyncpg.Pool, day_seconds: float | None, start: date | None) -> bool:
    """Set the business clock, paused until the stack is ready, and see that it stops with it; whether days are shorter than real ones."""
    speed = Decimal(86400) / Decimal(str(day_seconds)) if day_seconds else None
    async with pool.acquire() as conn:
        began = start_of(start, "UTC") if start else None
        real = datetime.now(UTC)
        clock = await clocks.run_clock(conn, real, speed=speed, start=began)
        await clocks.pause_clock(
            conn, real
        )  # until all is ready: on a slow machine days would pass with nobody at work
        await publish_shipped(conn)
        await _let_live(conn)

    async def beat() -> None:
        while True:
            await asyncio.sleep(1)
            await clocks.seen(pool, datetime.now(UTC))

    async def pause() -> None:
        async with pool.acquire() as conn:
            await clocks.pause_clock(conn, datetime.now(UTC))

    stack.push_async_callback(pause)
    _in_background(stack, beat())
    return clock.fast


async def _let_live(conn: Any) -> None:
    """The shipped lender is live where only the simulator is reached, in a new ledger; every other lender starts in shadow."""
    simulated = not TwilioSettings().account_sid or settings().twilio_base_url
    fresh = not await conn.fetchval("select exists (select from loans)")
    if simulated and fresh:
        await conn.execute("update lenders set mode = 'live' where lender_id = 'default'")


async def _serve(
    stack: AsyncExitStack,
    pool: asyncpg.Pool,
    callers: asyncpg.Pool,
    clock: LedgerClock,
    client: Client,
    listening: socket.socket,
    url: str,
    simulator: Simulator,
    secret: str,
) -> None:
    """The API, the relay and the daily sweep, in this process."""

    async def temporal_ready() -> bool:
        return await client.service_client.check_health()

    app = create_app(
        callers,
        clock,
        secrets=secret.split(","),
        twilio_token=_carrier_token(simulator),
        public_url=url,
        temporal=temporal_ready,
        call_back=call_back(settings()),
        rate_limit=settings().rate_limit,
        gocardless_url=settings().gocardless_base_url,
        patient=pool,
    )
    trace_requests(app)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined] # Ctrl-C is the stack's
    serving = asyncio.create_task(server.serve(sockets=[listening]))

    async def stop_serving() -> None:
        server.should_exit = True
        await serving

    stack.push_async_callback(stop_serving)
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.02)
    _in_background(stack, Relay(pool, client).run())
    _in_background(stack, sweep_daily(client, pool, clock))


def _carrier_token(simulator: Simulator) -> str | None:
    """What the carrier signs with: the simulator's own token wherever texts go to it, whatever else is set."""
    twilio = TwilioSettings()
    return twilio.auth_token if twilio.account_sid else simulator.auth_token


def _in_background(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run something until the stack stops."""
    task = asyncio.create_task(work)

    async def cancel() -> None:
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        except Exception:
            log.exception("A part of the stack had failed.")

    stack.push_async_callback(cancel)


def _kept_secret(file: Path) -> str:
    """A secret of this folder's own, where none is set."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(24), encoding="ascii")
    return file.read_text(encoding="ascii")


def _worker_environment(dsn: str, temporal: str, api: str, simulator: Simulator, simulator_url: str) -> dict[str, str]:
    found = {
        **os.environ,
        "ARREARS_DATABASE_URL": dsn,
        "TEMPORAL_ADDRESS": temporal,
        "ARREARS_PUBLIC_URL": api,
        "PYTHONUNBUFFERED": "1",
    }
    if not found.get("TWILIO_ACCOUNT_SID"):
        found |= {
            "TWILIO_ACCOUNT_SID": simulator.account_sid,
            "TWILIO_AUTH_TOKEN": simulator.auth_token,
            "ARREARS_TWILIO_BASE_URL": simulator_url,
        }
    found.setdefault("TWILIO_FROM", "+12015550199")
    return found


class SupervisedWorker:
    """A worker as a process of its own, started again when it dies."""

    def __init__(self, folder: StateFolder, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._watching: asyncio.Task[None] | None = None
        self.child = self._start()

    def _start(self) -> Child:
        return Child(
            "the worker",
            [sys.executable, "-m", "arrears", "worker"],
            directory=self._folder.directory,
            log=self._folder.logs / "worker.log",
            stop_signals=[signal.SIGINT, signal.SIGTERM],
            environment=self._environment,
        )

    async def __aenter__(self) -> "SupervisedWorker":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching:
            self._watching.cancel()
        await self.child.stop(20.0)

    async def ready(self, client: Client) -> None:
        """Wait until the worker asks for work.

        Raises:
            StartFailed: it ended before it did, or did not in time.
        """
        for _ in range(900):
            if not self.child.running:
                raise self.child.failure("it ended at once")
            request = DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=CASES),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
            if (await client.workflow_service.describe_task_queue(request)).pollers:
                self._watching = asyncio.create_task(self._watch())
                return
            await asyncio.sleep(0.1)
        raise self.child.failure("it did not ask for work within 90 seconds")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            if not self.child.running:
                log.warning("The worker stopped; it is started again. Its log is %s.", self.child.log)
                self.child = self._start()
                await asyncio.sleep(2)
