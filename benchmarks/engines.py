"""The bare journey on Temporal and on DBOS, which a Python team may pick instead: `python -m benchmarks.engines --journeys 200`.

On both: a decision, a text, a call asked for; a promise that is answered; a payment; thanks, the end; each step durable, with empty bodies
(benchmarks/bare.py). Driver and worker are one process; Temporal's server keeps its data in SQLite, as on one machine, DBOS in PostgreSQL.
Processor time is that of the process, and beside it that of the server behind it.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from temporalio.client import Client
from temporalio.worker import Worker

from activities.contracts.attributes import types
from benchmarks.bare import QUEUE, BareCase, Resting, act, counted, think
from benchmarks.overhead import bare, each
from workers.embedded import EmbeddedPostgres, EmbeddedTemporal

FOREVER = 864_000.0  # seconds


async def on_temporal(address: str, journeys: list[str]) -> None:
    """Run the journeys; the first twenty are not counted."""
    client = await Client.connect(address)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "at-rest"
        async with Worker(client, task_queue=QUEUE, workflows=[BareCase], activities=[think, act, Resting(file).rest]):
            await bare(client, journeys[:20], counted(file))
            _report(await _clocked(bare(client, journeys[20:], counted(file, less=20))), len(journeys) - 20)


async def on_dbos(url: str, journeys: list[str]) -> None:
    """The same on DBOS."""
    from dbos import DBOS, SetWorkflowID

    DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR", "console_log_level": "ERROR"})
    resting = 0

    @DBOS.step()
    async def decide() -> None: ...

    @DBOS.step()
    async def do() -> None: ...

    @DBOS.step()
    async def rest() -> None:
        nonlocal resting
        resting += 1

    @DBOS.workflow()
    async def journey() -> None:
        await decide()
        await do()
        await DBOS.set_event_async("stage", "call")
        await rest()
        await DBOS.recv_async("promise", timeout_seconds=FOREVER)
        await decide()
        await DBOS.set_event_async("absorbed", "yes")
        await do()
        await DBOS.recv_async("paid", timeout_seconds=FOREVER)
        await decide()
        await DBOS.set_event_async("stage", "probation")
        await do()
        await decide()
        await DBOS.set_event_async("stage", "closed")

    DBOS.launch()

    async def start(name: str) -> None:
        with SetWorkflowID(name):
            await DBOS.start_workflow_async(journey)

    async def promise(name: str) -> None:
        await DBOS.send_async(name, {}, "promise")
        await DBOS.get_event_async(name, "absorbed", timeout_seconds=60)

    async def pay(name: str) -> None:
        await DBOS.send_async(name, {}, "paid")
        await (await DBOS.retrieve_workflow_async(name)).get_result()

    async def run(names: list[str]) -> None:
        nonlocal resting
        resting = 0
        await each(names, start)
        while resting < len(names):  # noqa: ASYNC110 - a count
            await asyncio.sleep(0.05)
        await each(names, promise)
        await each(names, pay)

    await run(journeys[:20])
    _report(await _clocked(run(journeys[20:])), len(journeys) - 20)
    DBOS.destroy()


async def _clocked(work: Any) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    await work
    return time.perf_counter() - began, time.process_time() - cpu


def _report(took: tuple[float, float], journeys: int) -> None:
    print(json.dumps({"journeys/s": journeys / took[0], "cpu ms": 1000 * took[1] / journeys}), flush=True)


async def measure(journeys: int) -> dict[str, dict[str, float]]:
    """Both engines, one after the other."""
    found = {}
    with TemporaryDirectory(prefix="arrears-engines-") as folder:
        temporal = EmbeddedTemporal(Path(folder) / "temporal", ui=False, search_attributes=types(), prompt_timers=True)
        address = (await temporal.start()).host_port
        found["temporal"] = await _one("temporal", address, journeys, temporal.pid)
        await temporal.stop()
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        url = await postgres.start()
        found["dbos"] = await _one("dbos", url, journeys, postgres.pid)
        await postgres.stop()
    return found


async def _one(engine: str, address: str, journeys: int, server: int | None) -> dict[str, float]:
    before = _of_all(server)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.engines", "--journeys", str(journeys), "--engine", engine, address),
        stdout=asyncio.subprocess.PIPE,
    )
    after = dict(before)
    watching = asyncio.create_task(_watch(server, after))
    printed, _ = await process.communicate()
    watching.cancel()
    if process.returncode:
        raise SystemExit(f"{engine} ended with {process.returncode}: {printed.decode()[-400:]}")
    found: dict[str, float] = json.loads(printed.decode().splitlines()[-1])
    used = sum(after.values()) - sum(before.values())
    return {**found, "server cpu ms": 1000 * used / (journeys + 20)}


async def _watch(server: int | None, spent: dict[int, float]) -> None:
    """Keep the processor time of a server and its children, those that end among them."""
    while True:
        spent |= _of_all(server)
        await asyncio.sleep(0.2)


def _of_all(server: int | None) -> dict[int, float]:
    assert server is not None
    found = {}
    for process in [psutil.Process(server), *psutil.Process(server).children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        found[process.pid] = float(times.user + times.system)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journeys", type=int, default=200)
    parser.add_argument("--engine", choices=("temporal", "dbos"))
    parser.add_argument("address", nargs="?")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.engine:
        names = [f"{asked.engine}-{n}" for n in range(asked.journeys + 20)]
        asyncio.run((on_temporal if asked.engine == "temporal" else on_dbos)(asked.address, names))
        return
    found = asyncio.run(measure(asked.journeys))
    for name, of in found.items():
        print(
            f"{name}: {of['journeys/s']:.1f} journeys/s, {of['cpu ms']:.0f} ms of the process's processor each, "
            f"{of['server cpu ms']:.0f} ms of the server's"
        )
    print(
        f"DBOS beside Temporal: {found['dbos']['journeys/s'] / found['temporal']['journeys/s']:.2f} of the journeys a second"
    )
    if asked.json:
        asked.json.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
