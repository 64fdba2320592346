"""What runs in the upgrade drill, and the commands that an operator gives."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from temporalio.client import Client

from activities.contracts.attributes import types
from channels.simulator import Simulator
from domain.clock import start_of
from ledger import clock as clocks
from ledger.migrate import migrate
from ledger.pool import open_pool
from tests.stack.machine import clean_environment
from tests.upgrade.builds import ROOT, Build, two_builds
from workers.codec import data_converter
from workers.embedded import EmbeddedPostgres, EmbeddedTemporal
from workers.embedded.child import Child
from workers.embedded.temporal import find_program

DAY = 6.0  # real seconds that a business day lasts
FIRST = datetime(2026, 3, 2, tzinfo=UTC).date()  # a Monday
# Whether a build is drained Temporal looks only after three minutes, and then every three.
SAYS_SOON = {
    "matching.wv.VersionDrainageStatusVisibilityGracePeriod": "5s",
    "matching.wv.VersionDrainageStatusRefreshInterval": "3s",
}
Say = Callable[[str], None]


@dataclass
class Drill:
    """What runs, and what was seen."""

    folder: Path
    environment: dict[str, str]
    temporal: str
    client: Client
    pool: Any
    simulator: Simulator
    builds: tuple[Build, Build]
    say: Say
    loans: dict[str, list[str]] = field(default_factory=dict)

    async def command(self, build: Build, *words: str | Path, code: int | None = 0) -> str:
        """Run a command of a build to its end; what it prints. With `code` None it may end with any."""
        return await _run([sys.executable, "-m", "arrears", *map(str, words)], build.tree, build.environment, code)

    async def temporal_command(self, *words: str) -> str:
        """Run Temporal's own command line."""
        return await _run([str(find_program()), *words, "--address", self.temporal], self.folder, clean_environment())


async def _run(command: list[str], directory: Path, environment: dict[str, str], code: int | None = 0) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, complaints = await process.communicate()
    if code is not None and process.returncode != code:
        raise AssertionError(f"{' '.join(command[1:4])} exited {process.returncode}: {complaints.decode()[-600:]}")
    return printed.decode()


@asynccontextmanager
async def running(folder: Path, say: Say) -> AsyncIterator[Drill]:
    async with AsyncExitStack() as stack:
        database = EmbeddedPostgres(folder / "postgres", durable=False)
        url = await database.start()
        stack.push_async_callback(database.stop)
        await asyncio.to_thread(migrate, url)
        temporal = EmbeddedTemporal(
            folder / "temporal", ui=False, search_attributes=types(), prompt_timers=True, dynamic_config=SAYS_SOON
        )
        address = (await temporal.start()).host_port
        stack.push_async_callback(temporal.stop)
        simulator = Simulator()
        carrier = await simulator.start()
        stack.push_async_callback(simulator.stop)
        environment = clean_environment() | {
            "ARREARS_DATABASE_URL": url,
            "ARREARS_TWILIO_BASE_URL": carrier,
            "TEMPORAL_ADDRESS": address,
            "TWILIO_ACCOUNT_SID": simulator.account_sid,
            "TWILIO_AUTH_TOKEN": simulator.auth_token,
            "TWILIO_FROM": "+12015550199",
        }
        pool = await stack.enter_async_context(await open_pool(url))
        speed = Decimal(86400) / Decimal(str(DAY))
        async with pool.acquire() as conn:
            await clocks.run_clock(conn, datetime.now(UTC), speed=speed, start=start_of(FIRST, "UTC"))
            await conn.execute("update lenders set mode = 'live' where lender_id = 'default'")
        client = await Client.connect(address, data_converter=data_converter())
        builds = await asyncio.to_thread(two_builds, folder, environment)
        drill = Drill(folder, environment, address, client, pool, simulator, builds, say)
        for build in builds:
            stack.push_async_callback(build.stop)
        await drill.command(builds[0], "migrate")
        await drill.command(builds[0], "strategy", "publish", Path(__file__).with_name("short.toml"))
        relay = Child(
            "the relay",
            [sys.executable, "-m", "arrears", "relay"],
            directory=ROOT,
            log=folder / "relay.log",
            stop_signals=[signal.SIGTERM],
            environment=environment | {"PYTHONPATH": str(ROOT)},
        )
        stack.push_async_callback(relay.stop, 20.0)
        yield drill
