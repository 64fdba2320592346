"""What a sleeping case costs, and how fast it wakes: `python -m benchmarks.sleepers --cases 2000`.

Cases on a real ledger come to rest before an open call. Then: memory of the worker for each case in its cache; bytes on Temporal's disk for each;
the time from a `poke` to the case's having taken it in, with the case in the cache, and without, when its history is replayed first, each
by the length of the history (cases are poked before until they have one). Beside them: replays of the committed histories a second, in the sandbox and without it.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner

from activities.contracts import CASES, CaseRef
from activities.contracts.attributes import types
from activities.contracts.state import CaseState
from benchmarks.made_up import NOON, Pool, ledger
from benchmarks.overhead import each, early_ids, portfolio, worker
from channels.simulator import Simulator
from ledger.clock import run_clock
from workers import fleet
from workers.codec import data_converter
from workers.embedded import EmbeddedTemporal
from workers.runner import sandbox

HISTORIES = Path(__file__).parents[1] / "tests" / "histories"
MEASURED = 60  # cases of each length of history
POKED_BEFORE = (0, 20, 40)  # times; each makes its history five events longer, and it rolls over at 250


async def measure(cases: int) -> dict[str, Any]:
    """The figures, by name."""
    loans = early_ids(cases)
    with TemporaryDirectory() as folder:
        server = EmbeddedTemporal(Path(folder), ui=False, search_attributes=types(), prompt_timers=True)
        address = (await server.start()).host_port
        client = await Client.connect(address, data_converter=data_converter())
        simulator = Simulator()
        carrier = await simulator.start()
        try:
            async with ledger() as (pool, dsn):
                async with pool.acquire() as conn:
                    await run_clock(conn, datetime.now(UTC), speed=None, start=NOON)
                await portfolio(pool, loans)
                environment = {
                    **os.environ,
                    "ARREARS_DATABASE_URL": dsn,
                    "ARREARS_CACHE_CASES": str(cases),
                    "TEMPORAL_ADDRESS": address,
                    "ARREARS_TWILIO_BASE_URL": carrier,
                    "TWILIO_ACCOUNT_SID": simulator.account_sid,
                    "TWILIO_AUTH_TOKEN": simulator.auth_token,
                    "TWILIO_FROM": "+12015550199",
                }
                async with worker("-m", "arrears", "worker", environment=environment) as process:
                    await rest(pool, client, loans[:50])
                    memory, disk = process.memory_info().rss, _size(Path(folder))
                    await rest(pool, client, loans[50:])
                    memory, disk = process.memory_info().rss - memory, _size(Path(folder)) - disk
                    groups = await by_length(pool, client, loans[50:])
                    warm = {events: await wake(pool, client, group) for events, group in groups.items()}
                async with worker("-m", "arrears", "worker", environment=environment):
                    await wake(pool, client, loans[:20])  # the worker itself is warm, the cases are not
                    cold = {events: await wake(pool, client, group) for events, group in groups.items()}
        finally:
            await simulator.stop()
            await server.stop()
    return {
        "cases": cases,
        "memory KiB a cached case": memory / 1024 / (cases - 50),
        "disk KiB a sleeping case": disk / 1024 / (cases - 50),
        "wake, cached, ms": {events: _quantiles(took) for events, took in warm.items()},
        "wake, replayed, ms": {events: _quantiles(took) for events, took in cold.items()},
        "replays a second": {name: await replays(name) for name in ("sms_cure", "legal_cure", "suit")},
    }


async def rest(pool: Pool, client: Client, loans: Sequence[str]) -> None:
    """Start cases, and wait until each has a call open."""

    async def start(loan: str) -> None:
        state = CaseState(case=CaseRef(lender_id="default", loan_id=loan))
        await client.start_workflow("CollectionCase", state, id=f"loan-default-{loan}", task_queue=CASES)

    await each(list(loans), start)
    waits = "select count(*) from cases where loan_id = any($1) and next_step ->> 'what' = 'miss_deadline'"
    while await pool.fetchval(waits, loans) < len(loans):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.1)


async def by_length(pool: Pool, client: Client, loans: Sequence[str]) -> dict[int, list[str]]:
    """Groups of cases by how many events their histories have."""
    groups = {}
    for n, times in enumerate(POKED_BEFORE):
        group = list(loans[n * MEASURED : (n + 1) * MEASURED])

        async def poke(loan: str, times: int = times) -> None:
            for _ in range(times):
                await wake(pool, client, [loan])

        await each(group, poke)
        history = await client.get_workflow_handle(f"loan-default-{group[0]}").fetch_history()
        groups[len(history.events)] = group
    return groups


async def wake(pool: Pool, client: Client, loans: Sequence[str]) -> list[float]:
    """Milliseconds from a poke to the case's journal, one case after the other."""
    took = []
    heard = "select count(*) from case_events where loan_id = $1 and kind = 'poke'"
    for loan in loans:
        before = await pool.fetchval(heard, loan)
        began = time.perf_counter()
        await client.get_workflow_handle(f"loan-default-{loan}").signal("poke")
        while await pool.fetchval(heard, loan) == before:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.001)
        took.append(1000 * (time.perf_counter() - began))
    return took


async def replays(name: str) -> dict[str, float]:
    """How often a second a committed history replays from nothing: in the sandbox as workers do, and without it."""
    history = WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text("utf-8"))

    async def rate(runner: WorkflowRunner) -> float:
        replayer = Replayer(workflows=fleet.WORKFLOWS, data_converter=data_converter(), workflow_runner=runner)
        await replayer.replay_workflow(history)
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < 3:
            await replayer.replay_workflow(history)
            done += 1
        return done / (time.perf_counter() - began)

    sandboxed, bare = await rate(sandbox()), await rate(UnsandboxedWorkflowRunner())
    return {"events": len(history.events), "sandboxed": sandboxed, "ratio": sandboxed / bare}


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("temporal.db*"))


def _quantiles(took: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(took, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.cases))
    for name in ("memory KiB a cached case", "disk KiB a sleeping case"):
        print(f"{name}: {found[name]:.0f}")
    for name in ("wake, cached, ms", "wake, replayed, ms"):
        for events, took in found[name].items():
            print(f"{name}, {events} events: p50 {took['p50']:.0f}, p99 {took['p99']:.0f}")
    for name, rate in found["replays a second"].items():
        print(
            f"replays a second, {name} ({rate['events']} events): {rate['sandboxed']:.0f}, {rate['ratio']:.2f} of unsandboxed"
        )
    if asked.json:
        asked.json.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
