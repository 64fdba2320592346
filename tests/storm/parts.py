"""The five parts of a running system, each a process that can be killed at any moment and comes back."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from activities.contracts.attributes import types
from channels.simulator import Simulator
from ledger.migrate import migrate
from tests.stack.machine import SECRET, clean_environment
from workers.embedded import EmbeddedPostgres, EmbeddedTemporal
from workers.embedded.child import Child
from workers.embedded.ports import is_free

ROOT = Path(__file__).parents[2]
COMES_BACK_AFTER = 0.3  # seconds in which nobody is there, as with any supervisor
READY_WITHIN = 20.0  # seconds; a part that is not is killed all the same
PROGRAMS = ("api", "relay", "worker")
PARTS = (*PROGRAMS, "temporal", "postgres")
# What a program says that was started while a part is away; any other end of its own is a failure.
PART_AWAY = ("start it, or correct ARREARS_DATABASE_URL.", "start it, or check TEMPORAL_ADDRESS.")


class Program:
    """A program of ours under a supervisor, which starts it again whenever it ends.

    `last_words` are those of each time that it ended by itself.
    """

    def __init__(self, start: Callable[[], Child], needs: frozenset[int]) -> None:
        self._start = start
        self._needs = needs
        self._child = start()
        self._watching = asyncio.create_task(self._watch())
        self.kills = 0
        self.last_words: list[str] = []

    async def kill(self) -> None:
        """End it at once, when it is at work."""
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_WITHIN):
                while not self._at_work():  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
        self.kills += 1
        os.kill(self._child.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End it for good."""
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        await self._child.stop(20.0)

    def _at_work(self) -> bool:
        """Whether it has a connection to each server that it needs."""
        try:
            links = psutil.Process(self._child.pid).net_connections("tcp")
        except psutil.Error:
            return False
        return self._needs <= {link.raddr.port for link in links if link.status == psutil.CONN_ESTABLISHED}

    async def _watch(self) -> None:
        while True:
            killed = self.kills
            while self._child.running:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
            if self.kills == killed:
                self.last_words.append(last_line(self._child.log))
            await asyncio.sleep(COMES_BACK_AFTER)
            self._child = self._start()


class Server:
    """PostgreSQL or Temporal: killed, and started again on the same data and the same port."""

    def __init__(
        self, pid: Callable[[], int | None], start: Callable[[], Awaitable[object]], chance: random.Random
    ) -> None:
        self._pid = pid
        self._start = start
        self._chance = chance
        self.kills = 0

    @property
    def last_words(self) -> list[str]:
        """A server that is not there ended by itself, for after each kill it was started again."""
        return [] if self._pid() is not None else ["it is not there"]

    async def kill(self) -> None:
        """End it at once, now and then with every process that it began, and bring it back."""
        pid = self._pid()
        assert pid is not None, "a server ended by itself"
        server = psutil.Process(pid)
        doomed = [server, *(server.children(recursive=True) if self._chance.random() < 0.5 else [])]
        self.kills += 1
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        while self._pid() is not None:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
        await asyncio.sleep(COMES_BACK_AFTER)
        await self._start()


@dataclass
class System:
    """All that runs; `parts` by name."""

    database_url: str
    temporal: str
    api: str
    parts: dict[str, Program | Server] = field(default_factory=dict)


@asynccontextmanager
async def running_system(folder: Path, seed: int, without: str | None) -> AsyncIterator[System]:
    """PostgreSQL, Temporal, and the three programs, as a lender runs them; the carrier's simulator stays in this process."""
    chance = random.Random(f"{seed}/parts")
    async with AsyncExitStack() as stack:
        ports = free_ports(3)
        database = EmbeddedPostgres(folder / "postgres", port=ports[0])
        url = await database.start()
        stack.push_async_callback(database.stop)
        await asyncio.to_thread(migrate, url)
        temporal = EmbeddedTemporal(folder / "temporal", ui=False, search_attributes=types(), port=ports[1])
        address = (await temporal.start()).host_port
        stack.push_async_callback(temporal.stop)
        simulator = Simulator()
        carrier = await simulator.start()
        stack.push_async_callback(simulator.stop)
        environment = clean_environment() | {
            "ARREARS_DATABASE_URL": url,
            "ARREARS_WEBHOOK_SECRET": SECRET,
            "ARREARS_PUBLIC_URL": f"http://127.0.0.1:{ports[2]}",
            "ARREARS_TWILIO_BASE_URL": carrier,
            "TEMPORAL_ADDRESS": address,
            "TWILIO_ACCOUNT_SID": simulator.account_sid,
            "TWILIO_AUTH_TOKEN": simulator.auth_token,
            "TWILIO_FROM": "+12015550199",
            "PYTHONPATH": str(ROOT),
        }
        system = System(url, address, environment["ARREARS_PUBLIC_URL"])
        for name in PROGRAMS:
            start = starter(name, folder, environment, ports[2], without)
            # The API asks Temporal for its health alone.
            needs = frozenset(ports[:1] if name == "api" else ports[:2])
            system.parts[name] = program = Program(start, needs)
            stack.push_async_callback(program.stop)
        system.parts["temporal"] = Server(lambda: temporal.pid, temporal.start, chance)
        system.parts["postgres"] = Server(lambda: database.pid, database.start, chance)
        yield system


def unasked(name: str, last_words: list[str]) -> list[str]:
    """A sentence for each end of a part that had no part being away as its reason."""
    return [f"the {name} ended by itself: {words}" for words in last_words if not words.endswith(PART_AWAY)]


def last_line(log: Path) -> str:
    """The last words of a program."""
    lines = log.read_text("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def starter(
    name: str, folder: Path, environment: dict[str, str], port: int, without: str | None
) -> Callable[[], Child]:
    """What starts a program of ours, whole or `without` a mechanism; `port` is where the API listens."""
    module = ["tests.storm.crippled", without] if without else ["arrears"]
    command = [sys.executable, "-m", *module, name, *(["--port", str(port)] if name == "api" else [])]

    def start() -> Child:
        return Child(
            f"the {name}",
            command,
            directory=folder,
            log=folder / f"{name}.log",
            stop_signals=[signal.SIGINT, signal.SIGTERM],
            environment=environment,
        )

    return start


def free_ports(how_many: int) -> list[int]:
    """Free ports that the system gives to nobody as the near end of a connection, for they must still be free after a kill."""
    found: list[int] = []
    while len(found) < how_many:
        port = random.SystemRandom().randrange(20000, 32000)
        if port not in found and is_free(port):
            found.append(port)
    return found
