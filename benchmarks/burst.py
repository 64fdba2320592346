"""A morning on which everybody is due: `python -m benchmarks.burst --cases 800`.

All cases' texts fall into the borrowers' send window. Without the strategy's spread that is one minute; with it, a longer window, over which
each case has a place by its own id. For both: how many cases slept when it opened, how late texts go out beside the time that was planned, and how
many miss the window's end.
"""

import argparse
import asyncio
import json
import os
import statistics
from datetime import UTC, datetime, timedelta
from datetime import time as daytime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

from temporalio.client import Client

from activities.contracts import CASES, CaseRef
from activities.contracts.attributes import types
from activities.contracts.state import CaseState
from benchmarks.made_up import NOON, ledger
from benchmarks.overhead import each, portfolio, worker
from channels.simulator import Simulator
from domain.strategy import SendWindow
from ledger.clock import run_clock
from workers.codec import data_converter
from workers.embedded import EmbeddedTemporal

OPENS = NOON.replace(hour=7)  # eight o'clock in Rome
STARTS_A_SECOND = 25  # before that, the cases are started: slowly enough for two cores


async def measure(cases: int, minutes: int) -> dict[str, Any]:
    """One morning whose send window is so many minutes long."""
    loans = [f"L{n}" for n in range(1, cases + 1)]
    before = timedelta(seconds=45 + cases / STARTS_A_SECOND)
    window = SendWindow(start=daytime(8), end=daytime(8, minutes))
    with TemporaryDirectory() as folder:
        server = EmbeddedTemporal(Path(folder), ui=False, search_attributes=types(), in_memory=True, prompt_timers=True)
        address = (await server.start()).host_port
        client = await Client.connect(address, data_converter=data_converter())
        simulator = Simulator()
        carrier = await simulator.start()
        try:
            async with ledger() as (pool, dsn):
                await portfolio(pool, loans, window, opened=OPENS - timedelta(hours=1))
                environment = {
                    **os.environ,
                    "ARREARS_DATABASE_URL": dsn,
                    "TEMPORAL_ADDRESS": address,
                    "ARREARS_TWILIO_BASE_URL": carrier,
                    "TWILIO_ACCOUNT_SID": simulator.account_sid,
                    "TWILIO_AUTH_TOKEN": simulator.auth_token,
                    "TWILIO_FROM": "+12015550199",
                }
                opens = datetime.now(UTC) + before
                async with pool.acquire() as conn:
                    await run_clock(conn, opens - before, speed=None, start=OPENS - before)

                async def start(loan: str) -> None:
                    state = CaseState(case=CaseRef(lender_id="default", loan_id=loan))
                    await client.start_workflow("CollectionCase", state, id=f"loan-default-{loan}", task_queue=CASES)

                async with worker("-m", "arrears", "worker", environment=environment):
                    await each(loans, start)
                    await asyncio.sleep(max(0.0, (opens - datetime.now(UTC)).total_seconds()))
                    asleep = await pool.fetchval("select count(*) from cases where next_step is not null")
                    done = "select count(*) from contacts where state in ('sent', 'unknown', 'forbidden', 'failed')"
                    while await pool.fetchval(done) < cases:  # noqa: ASYNC110 - another process
                        await asyncio.sleep(0.5)
                sent = await pool.fetch("select loan_id, sending_at from contacts where state = 'sent'")
        finally:
            await simulator.stop()
            await server.stop()
    late = [(r["sending_at"] - _planned(r["loan_id"], minutes)).total_seconds() for r in sent]
    cuts = statistics.quantiles(late, n=100)
    ends = OPENS + timedelta(minutes=minutes)
    missed = sum(r["sending_at"] > ends for r in sent)
    return {
        "cases": cases,
        "minutes": minutes,
        "asleep": asleep,
        "sent": len(sent),
        "p50_s": cuts[49],
        "p99_s": cuts[98],
        "missed": missed,
    }


def _planned(loan: str, minutes: int) -> datetime:
    return OPENS + timedelta(minutes=minutes) * (crc32(f"default/{loan}".encode()) % 1024) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=800)
    parser.add_argument("--spread", type=int, default=4, help="minutes of the window with the spread")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = []
    for minutes in (1, asked.spread):
        row = asyncio.run(measure(asked.cases, minutes))
        rows.append(row)
        print(
            f"{row['sent']} texts within {minutes} min: late by {row['p50_s']:.1f} s, {row['p99_s']:.1f} s at p99; "
            f"{row['missed']} after the window's end; {row['asleep']} cases slept when it opened",
            flush=True,
        )
    if asked.json:
        asked.json.write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
