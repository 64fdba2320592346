"""A workflow that gives Temporal what a case gives it, and does nothing else: the reference of benchmarks/overhead.py."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.worker import Worker

QUEUE = "bare"
LOAN_STAGE = SearchAttributeKey.for_keyword("LoanStage")
SECONDS = timedelta(seconds=30)


class Resting:
    """The activity before the long wait; it writes down how many cases have come so far, for the benchmark to see."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rested = 0

    @activity.defn
    async def rest(self) -> None:
        """As `act`."""
        self._rested += 1
        self._file.write_text(str(self._rested))


@activity.defn
async def think() -> None:
    """What a decision costs without what is decided."""


@activity.defn
async def act() -> None:
    """What an act costs without what is done."""


@workflow.defn
class BareCase:
    """Decide, text, ask for a call, wait; a promise; a payment; thank, close."""

    def __init__(self) -> None:
        self.promised = self.paid = self.absorbed = False

    @workflow.run
    async def run(self) -> None:
        await self._locally()
        await self._remotely(act)
        self._show("call")
        await self._remotely(Resting.rest)
        timer = asyncio.create_task(workflow.sleep(timedelta(days=10)))
        await workflow.wait_condition(lambda: self.promised)
        await self._locally()
        self.absorbed = True
        timer.cancel()
        await self._remotely(act)
        timer = asyncio.create_task(workflow.sleep(timedelta(days=3)))
        await workflow.wait_condition(lambda: self.paid)
        await self._locally()
        self._show("probation")
        await self._remotely(act)
        await self._locally()
        self._show("closed")

    @workflow.update
    async def promise_to_pay(self, body: dict[str, str]) -> None:
        self.promised = True
        await workflow.wait_condition(lambda: self.absorbed)

    @workflow.signal
    def payment_received(self, body: dict[str, str]) -> None:
        self.paid = True

    def _show(self, stage: str) -> None:
        workflow.upsert_search_attributes([LOAN_STAGE.value_set(stage)])

    async def _locally(self) -> None:
        await workflow.execute_local_activity(think, start_to_close_timeout=SECONDS)

    async def _remotely(self, name: Callable[..., Awaitable[None]]) -> None:
        await workflow.execute_activity(name, start_to_close_timeout=SECONDS)


def counted(file: Path, less: int = 0) -> Callable[[], Awaitable[int]]:
    """How many cases rest, as their worker wrote it down."""

    async def read() -> int:
        return int(file.read_text() or 0) - less if file.exists() else 0  # noqa: ASYNC240

    return read


async def run_bare_worker(address: str, file: Path) -> None:
    """Work until told to end."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with Worker(
        await Client.connect(address),
        task_queue=QUEUE,
        workflows=[BareCase],
        activities=[think, act, Resting(file).rest],
    ):
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(run_bare_worker(sys.argv[1], Path(sys.argv[2])))
