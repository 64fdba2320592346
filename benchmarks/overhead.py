"""Full journeys through our case beside a bare workflow that gives the server the same: `python -m benchmarks.overhead --journeys 400`.

The journey: two stages are due at once, so a text is sent and a call asked for; the borrower promises; the money comes; the case thanks and
closes. Ours runs on a real ledger with the simulator as carrier. The bare workflow has the same local activities, activities, timers, update and
signal with empty bodies, and its history the same number of events of each kind: that is checked. One server, one run, each worker in a
process of its own whose processor time is read.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as daytime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import psutil
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from activities.contracts import CASES, CaseRef
from activities.contracts.attributes import types
from activities.contracts.state import CaseState
from benchmarks.bare import QUEUE, BareCase, counted
from benchmarks.made_up import NOON, Pool, ledger
from channels.simulator import Simulator
from domain.loan import EntryKind
from domain.strategy import SendWindow, Stage, Step
from ledger.clock import LedgerClock, run_clock
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.strategies import publish, shipped
from workers.codec import data_converter
from workers.embedded import EmbeddedTemporal

AT_ONCE = 50
ALL_DAY = SendWindow(start=daytime(8), end=daytime(20))
STEPS = (
    Stage(name="sms", from_dpd=1, steps=(Step(id="sms-1", do="sms", template="gentle"),)),
    Stage(name="call", from_dpd=3, requires=("sms",), steps=(Step(id="call-1", do="task.call", deadline="10 days"),)),
)


def early_ids(count: int) -> list[str]:
    """Loan ids whose texts go out early in the borrower's day, so that at noon they are due."""
    found: list[str] = []
    n = 0
    while len(found) < count:
        n += 1
        if crc32(f"default/L{n}".encode()) % 1024 < 300:
            found.append(f"L{n}")
    return found


async def portfolio(pool: Pool, loans: list[str], window: SendWindow = ALL_DAY, opened: datetime = NOON) -> None:
    """Loans of people of their own, five days past due at noon, each with a case that was opened then or before."""
    standard = next(s for s in shipped() if s.name == "standard")
    short = standard.model_copy(
        update={
            "name": "short",
            "stages": STEPS,
            "send_window": window,
            "probation": standard.probation.model_copy(update={"days": 0}),
        }
    )
    async with pool.acquire() as conn, conn.transaction():
        await publish(conn, short)
        await conn.execute(
            """
            with n as (select n, id from unnest($1::text[]) with ordinality as given (id, n)),
            people as (insert into parties (lender_id, party_id, name, language) select 'default', 'P' || id, 'Made Up', 'it' from n),
            points as (
                insert into contact_points (lender_id, party_id, kind, value, timezone)
                select 'default', 'P' || id, 'mobile', '+1' || (201 + n / 100) || '55501' || lpad((n % 100)::text, 2, '0'), 'Europe/Rome'
                from n),
            loans as (
                insert into loans (lender_id, loan_id, borrower_id, country, currency, opened_on, product)
                select 'default', id, 'P' || id, 'IT', 'EUR', date '2025-01-01', 'loan' from n),
            due as (
                insert into instalments (lender_id, loan_id, number, due_on, principal, interest, fee)
                select 'default', id, 1, $2::date - 5, 100, 0, 0 from n)
            insert into cases (lender_id, loan_id, workflow_id, strategy, strategy_version, opened_at, episode_at)
            select 'default', id, 'loan-default-' || id, 'short', 1, $3::timestamptz, $3 from n
            """,
            loans,
            NOON.date(),
            opened,
        )
    # Not the tables that are still empty: PostgreSQL would take them for empty until it looks again, and read them whole.
    await pool.execute("analyze parties, contact_points, loans, instalments, cases")


async def each(loans: list[str], act: Callable[[str], Awaitable[Any]]) -> None:
    """Do something with every loan, fifty at once."""
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def one(loan: str) -> None:
        async with turnstile:
            await act(loan)

    await asyncio.gather(*map(one, loans))


async def ours(pool: Pool, client: Client, loans: list[str]) -> None:
    """Each loan from its start to its end."""
    clock = LedgerClock(pool)
    await clock.mapping()  # before anybody waits for it inside a transaction

    async def start(loan: str) -> None:
        state = CaseState(case=CaseRef(lender_id="default", loan_id=loan))
        await client.start_workflow("CollectionCase", state, id=f"loan-default-{loan}", task_queue=CASES)

    async def promise(loan: str) -> None:
        body = {"amount": "100", "due_on": str(NOON.date() + timedelta(days=3)), "by": "c1"}
        await client.get_workflow_handle(f"loan-default-{loan}").execute_update("promise_to_pay", body)

    async def pay(loan: str) -> None:
        entry = NewEntry.read(
            {
                "entry_id": f"E-{loan}",
                "loan_id": loan,
                "kind": str(EntryKind.PAYMENT),
                "amount": "100",
                "currency": "EUR",
                "value_date": str(NOON.date()),
            }
        )
        await post_entry(pool, entry, clock)
        handle = client.get_workflow_handle(f"loan-default-{loan}")
        await handle.signal("payment_received", {"message_id": f"paid-{loan}", "entry_id": f"E-{loan}"})
        await handle.result()

    await each(loans, start)
    while await pool.fetchval("select count(*) from tasks where status = 'open'") < len(loans):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.05)
    await each(loans, promise)
    await each(loans, pay)


async def bare(client: Client, loans: list[str], at_rest: Callable[[], Awaitable[int]]) -> None:
    """The same, with nothing in it."""

    async def start(loan: str) -> None:
        await client.start_workflow(BareCase.run, id=f"bare-{loan}", task_queue=QUEUE)

    async def promise(loan: str) -> None:
        await client.get_workflow_handle(f"bare-{loan}").execute_update("promise_to_pay", {})

    async def pay(loan: str) -> None:
        handle = client.get_workflow_handle(f"bare-{loan}")
        await handle.signal("payment_received", {})
        await handle.result()

    await each(loans, start)
    while await at_rest() < len(loans):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.05)
    await each(loans, promise)
    await each(loans, pay)


@asynccontextmanager
async def worker(*command: str, environment: dict[str, str] | None = None) -> AsyncIterator[psutil.Process]:
    """A worker in a process of its own."""
    process = await asyncio.create_subprocess_exec(sys.executable, *command, env=environment)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


def spent(process: psutil.Process) -> float:
    """Seconds of processor time."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def measure(journeys: int) -> dict[str, Any]:
    """Journeys a second and processor time a journey, of both."""
    loans = early_ids(journeys + 20)
    warm, counting = loans[:20], loans[20:]
    with TemporaryDirectory() as folder:
        server = EmbeddedTemporal(Path(folder), ui=False, search_attributes=types(), in_memory=True, prompt_timers=True)
        address = (await server.start()).host_port
        client = await Client.connect(address, data_converter=data_converter())
        simulator = Simulator()
        carrier = await simulator.start()
        found: dict[str, Any] = {"journeys": journeys}
        try:
            async with ledger() as (pool, dsn):
                async with pool.acquire() as conn:
                    await run_clock(conn, datetime.now(UTC), speed=None, start=NOON)
                await portfolio(pool, loans)
                environment = {
                    **os.environ,
                    "ARREARS_DATABASE_URL": dsn,
                    "TEMPORAL_ADDRESS": address,
                    "ARREARS_TWILIO_BASE_URL": carrier,
                    "TWILIO_ACCOUNT_SID": simulator.account_sid,
                    "TWILIO_AUTH_TOKEN": simulator.auth_token,
                    "TWILIO_FROM": "+12015550199",
                }
                async with worker("-m", "arrears", "worker", environment=environment) as process:
                    await ours(pool, client, warm)
                    await pool.execute("update tasks set status = 'withdrawn' where status = 'open'")
                    found["ours"] = await _timed(process, journeys, ours(pool, client, counting))
                    found["ours"]["events"] = await _events(client, f"loan-default-{counting[0]}")
            count = Path(folder) / "at-rest"
            async with worker("-m", "benchmarks.bare", address, str(count)) as process:
                await bare(client, warm, counted(count))
                found["bare"] = await _timed(process, journeys, bare(client, counting, counted(count, less=len(warm))))
                found["bare"]["events"] = await _events(client, f"bare-{counting[0]}")
        finally:
            await simulator.stop()
            await server.stop()
    of_ours, of_bare = found["ours"].pop("events"), found["bare"].pop("events")
    if of_ours != of_bare:
        raise SystemExit(f"The histories differ: ours has {of_ours - of_bare} more, bare {of_bare - of_ours}.")
    found["rate ratio"] = found["ours"]["journeys/s"] / found["bare"]["journeys/s"]
    found["cpu ratio"] = found["ours"]["cpu ms"] / found["bare"]["cpu ms"]
    return found


async def _timed(process: psutil.Process, journeys: int, work: Awaitable[None]) -> dict[str, Any]:
    cpu, began = spent(process), time.perf_counter()
    await work
    took = time.perf_counter() - began
    return {"journeys/s": journeys / took, "cpu ms": 1000 * (spent(process) - cpu) / journeys}


async def _events(client: Client, workflow_id: str) -> Counter[str]:
    """Events by kind, without those of workflow tasks, which depend on what came together by chance."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    kinds = Counter(EventType.Name(e.event_type).removeprefix("EVENT_TYPE_") for e in history.events)
    return Counter({k: n for k, n in kinds.items() if not k.startswith("WORKFLOW_TASK")})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journeys", type=int, default=400)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.journeys))
    for name in ("ours", "bare"):
        print(
            f"{name}: {found[name]['journeys/s']:.1f} journeys/s, {found[name]['cpu ms']:.0f} ms of the worker's processor each"
        )
    print(
        f"journeys a second {found['rate ratio']:.2f} of bare (aim 0.8); processor {found['cpu ratio']:.2f} of bare (aim 1.5)"
    )
    if asked.json:
        asked.json.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
