"""From a payment's commit to the signal in its case's history: `python -m benchmarks.relay_lag --seconds 30`.

Payments are posted at a steady rate over many cases; the relay runs as a process of its own, woken by the ledger. The lag is the time of the
signal's event, by Temporal's clock, less the time at which the posting returned, on the same machine. Beside it, in the same run, the bare
reference: the round trip of one signal sent straight to Temporal.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.client import Client

from activities.contracts import CASES
from activities.contracts.attributes import types
from benchmarks.made_up import add_cases, ledger
from domain.loan import EntryKind, LoanKey
from ledger.clock import LedgerClock
from ledger.new_entry import NewEntry
from ledger.pool import open_pool
from ledger.posting import post_entry
from workers.codec import data_converter
from workers.embedded import EmbeddedTemporal
from workers.relay import Relay

LOANS = 500


async def relay(dsn: str, address: str) -> None:
    async with await open_pool(dsn, size=10) as pool:
        await Relay(pool, await Client.connect(address, data_converter=data_converter())).run()


async def measure(rate: int, seconds: int) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        server = EmbeddedTemporal(Path(folder), ui=False, search_attributes=types(), in_memory=True)
        address = await server.start()
        client = await Client.connect(address.host_port, data_converter=data_converter())
        try:
            async with ledger() as (pool, dsn):
                await add_cases(pool, 1, LOANS)
                keys = [LoanKey("default", f"L{n}") for n in range(1, LOANS + 1)]
                for key in keys:
                    await client.start_workflow("CollectionCase", {}, id=key.workflow_id, task_queue=f"nobody-{CASES}")
                command = [sys.executable, "-m", "benchmarks.relay_lag", "--relay", dsn, address.host_port]
                process = await asyncio.create_subprocess_exec(*command)
                try:
                    bare = await _bare(client, keys[0])
                    committed = await _post(pool, keys, rate, seconds)
                    await _drained(pool)
                finally:
                    process.terminate()
                    await process.wait()
                signalled = await _signalled(client, keys)
        finally:
            await server.stop()
    if missing := committed.keys() - signalled.keys():
        raise SystemExit(f"{len(missing)} payments are in no history.")
    lags = sorted(1000 * (signalled[entry] - at) for entry, at in committed.items())
    cuts = statistics.quantiles(lags, n=100)
    return {"rate": rate, "entries": len(lags), "p50_ms": cuts[49], "p99_ms": cuts[98], "bare_p50_ms": bare}


async def _bare(client: Client, key: LoanKey) -> float:
    times = []
    for _ in range(200):
        began = time.perf_counter()
        await client.get_workflow_handle(key.workflow_id).signal("poke", {})
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


async def _post(pool: Any, keys: list[LoanKey], rate: int, seconds: int) -> dict[str, float]:
    """When each payment's posting returned, by the clock that Temporal uses too."""
    clock, committed = LedgerClock(pool), dict[str, float]()

    async def one(n: int) -> None:
        entry = NewEntry(
            entry_id=f"R{n}",
            loan_id=keys[n % len(keys)].loan_id,
            kind=EntryKind.PAYMENT,
            amount=Decimal("1.00"),
            currency="EUR",
            value_date=datetime.now(UTC).date(),
        )
        await post_entry(pool, entry, clock)
        committed[entry.entry_id] = time.time()

    began, tasks = time.perf_counter(), []
    for n in range(rate * seconds):
        await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(n)))
    await asyncio.gather(*tasks)
    return committed


async def _drained(pool: Any) -> None:
    for _ in range(600):
        if not await pool.fetchval("select exists (select from outbox where delivered_at is null)"):
            return
        await asyncio.sleep(0.1)
    raise SystemExit("The outbox is not empty after a minute.")


async def _signalled(client: Client, keys: list[LoanKey]) -> dict[str, float]:
    found = {}
    for key in keys:
        async for event in client.get_workflow_handle(key.workflow_id).fetch_history_events():
            told = event.workflow_execution_signaled_event_attributes
            if told.signal_name != "payment_received":
                continue
            news = json.loads(told.input.payloads[0].data)
            at = event.event_time.seconds + event.event_time.nanos / 1e9
            for entry in news.get("entries") or [news]:
                found.setdefault(entry["entry_id"], at)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--relay", nargs=2, metavar=("DSN", "ADDRESS"))
    asked = parser.parse_args()
    if asked.relay:
        asyncio.run(relay(*asked.relay))
        return
    row = asyncio.run(measure(asked.rate, asked.seconds))
    print(
        f"{row['entries']} payments at {row['rate']}/s: commit to signal p50 {row['p50_ms']:.0f} ms, p99 {row['p99_ms']:.0f} ms; "
        f"a bare signal's round trip {row['bare_p50_ms']:.1f} ms"
    )
    if asked.json:
        asked.json.write_text(json.dumps(row), encoding="utf-8")


if __name__ == "__main__":
    main()
