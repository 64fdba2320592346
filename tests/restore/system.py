"""The parts of a drill: servers that can be backed up, restored and lost, and a crew that can be killed."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
from temporalio.client import Client

from activities.contracts.attributes import types
from channels.simulator import Simulator
from domain.clock import start_of
from ledger import clock as clocks
from ledger.clock import LedgerClock
from ledger.migrate import migrate
from ledger.pool import open_pool
from tests.environment import on_database
from tests.stack.machine import clean_environment
from workers.codec import data_converter
from workers.embedded import EmbeddedPostgres, EmbeddedTemporal
from workers.embedded.child import Child
from workers.embedded.postgres import find_programs

ROOT = Path(__file__).parents[2]
SENDER = "+12015550199"
PATIENCE = 180.0
Json = dict[str, Any]


async def until(look: Callable[[], Awaitable[object]], what: str) -> None:
    """Look until it is so.

    Raises:
        AssertionError: it is not for minutes.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not await look():
        assert loop.time() < end, f"gave up waiting: {what}"
        await asyncio.sleep(0.05)


@dataclass
class System:
    """What runs. `pool` and `client` are new after each restore."""

    folder: Path
    database: EmbeddedPostgres
    temporal: EmbeddedTemporal
    carrier: Simulator
    environment: dict[str, str]
    pool: "asyncpg.Pool[asyncpg.Record]"
    client: Client
    crew: list[Child] = field(default_factory=list)

    @property
    def clock(self) -> LedgerClock:
        return LedgerClock(self.pool)

    # --- the crew ---

    def start_crew(self) -> None:
        """A worker and a relay."""
        for name in ("worker", "relay"):
            self.crew.append(
                Child(
                    f"the {name}",
                    [sys.executable, "-m", "arrears", name],
                    directory=self.folder,
                    log=self.folder / f"{name}.log",
                    stop_signals=[signal.SIGINT, signal.SIGTERM],
                    environment=self.environment,
                )
            )

    def kill_crew(self) -> None:
        """End it at once, whatever it is doing."""
        for child in self.crew:
            os.kill(child.pid, signal.SIGKILL)
        self.crew.clear()

    async def command(self, *arguments: str, exits: int = 0) -> Any:
        """Run a command of ours to its end; what it prints as JSON."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "arrears",
            *arguments,
            "--json",
            env=self.environment,
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == exits, (arguments, out.decode(), err.decode())
        return json.loads(out)

    # --- backups ---

    async def dump_ledger(self) -> Path:
        """Back the ledger up while it works."""
        file = self.folder / "ledger.dump"
        await _run(find_programs() / "pg_dump", "--format=custom", f"--file={file}", self.database.dsn)
        return file

    async def restore_ledger(self, file: Path) -> None:
        """Put the ledger back as it was, in place of what there is."""
        await self.pool.close()
        admin = await asyncpg.connect(on_database(self.database.dsn, "postgres"))
        await admin.execute("drop database arrears with (force)")
        await admin.execute("create database arrears")
        await admin.close()
        restore = find_programs() / "pg_restore"
        await _run(restore, "--exit-on-error", f"--dbname={self.database.dsn}", file)
        self.pool = await open_pool(self.database.dsn)

    def copy_temporal(self) -> Path:
        """Back Temporal's store up while it works."""
        file = self.folder / "temporal.backup"
        with closing(sqlite3.connect(self._store)) as store, closing(sqlite3.connect(file)) as copy:
            store.backup(copy)
        return file

    async def restore_temporal(self, file: Path | None) -> None:
        """Put Temporal's store back as it was, or begin an empty one."""
        await self.temporal.stop()
        for part in self._store.parent.glob("temporal.db*"):
            part.unlink()
        if file is not None:
            shutil.copy(file, self._store)
        address = await self.temporal.start()
        self.client = await Client.connect(address.host_port, data_converter=data_converter())

    @property
    def _store(self) -> Path:
        return self.folder / "temporal" / "temporal.db"


@asynccontextmanager
async def running_system(folder: Path, start: datetime, day: float) -> AsyncIterator[System]:
    """Servers and simulator; the business clock stands still at `start` until it is set going. A business day lasts `day` seconds."""
    async with AsyncExitStack() as stack:
        database = EmbeddedPostgres(folder / "postgres", durable=False)
        url = await database.start()
        stack.push_async_callback(database.stop)
        await asyncio.to_thread(migrate, url)
        temporal = EmbeddedTemporal(folder / "temporal", ui=False, search_attributes=types(), prompt_timers=True)
        address = (await temporal.start()).host_port
        stack.push_async_callback(temporal.stop)
        carrier = Simulator(latency=0)
        carrier_url = await carrier.start()
        stack.push_async_callback(carrier.stop)
        environment = clean_environment() | {
            "ARREARS_DATABASE_URL": url,
            "ARREARS_PUBLIC_URL": "http://127.0.0.1:9",
            "ARREARS_TWILIO_BASE_URL": carrier_url,
            "TEMPORAL_ADDRESS": address,
            "TWILIO_ACCOUNT_SID": carrier.account_sid,
            "TWILIO_AUTH_TOKEN": carrier.auth_token,
            "TWILIO_FROM": SENDER,
            "PYTHONPATH": str(ROOT),
        }
        client = await Client.connect(address, data_converter=data_converter())
        system = System(folder, database, temporal, carrier, environment, await open_pool(url), client)
        now, speed = datetime.now(UTC), Decimal(86400) / Decimal(str(day))
        async with system.pool.acquire() as conn:
            await clocks.run_clock(conn, now, speed=speed, start=start)
            await clocks.pause_clock(conn, now)
        try:
            yield system
        finally:
            system.kill_crew()
            await system.pool.close()


async def _run(program: Path, *arguments: object) -> None:
    process = await asyncio.create_subprocess_exec(
        program, *map(str, arguments), stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()


def morning(year: int, month: int, day: int) -> datetime:
    """Half past eight in Rome."""
    return start_of(datetime(year, month, day, tzinfo=UTC).date(), "Europe/Rome").replace(hour=7, minute=30)
