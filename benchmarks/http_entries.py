"""Entries a second through HTTP beside the same inserts through asyncpg alone: `python -m benchmarks.http_entries --entries 5000`.

Every loan has an open case, so each entry writes its row and one to the outbox, and each is a commit of its own, which reaches the disk. The
bare side is those two inserts and no more, through a pool as asyncpg's documentation makes one: no lock, no look for the same entry, no
position, no version of the ledger. Both sides work with 50 at a time over as many connections to one server, each in a process of its
own; ours adds uvicorn, one process, and a client that signs every request over 50 connections. The sides take turns, and the ratio is
that of the medians.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import socket
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import aiohttp
import asyncpg
import uvicorn
import uvloop

from benchmarks.made_up import add_cases, ledger
from ledger.clock import LedgerClock
from ledger.pool import open_pool
from starters.api import create_app

AT_ONCE = 50
POOL = 20  # as the stack has it
SECRET = "whsec_benchmark"
ENTRY = """
insert into entries (lender_id, entry_id, loan_id, kind, amount, currency, value_date, reverses, status, component, instalment, direction,
                     reason, source, payer, ledger_version)
values ($1, $2, $3, 'payment', $4, 'EUR', $5, null, 'settled', null, null, null, null, null, null, $6)
"""
OUTBOX = "insert into outbox (lender_id, loan_id, message, payload) values ($1, $2, $3, $4)"


async def spread(entries: int, work: Callable[[int], Awaitable[None]]) -> float:
    """Seconds for all entries, AT_ONCE at a time."""
    numbers = iter(range(entries))

    async def sender() -> None:
        for n in numbers:
            await work(n)

    began = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
    return time.perf_counter() - began


async def bare(dsn: str, run: str, entries: int, loans: int) -> None:
    today, first = datetime.now(UTC).date(), time.time_ns()  # any version that no other has
    async with asyncpg.create_pool(dsn, max_size=POOL) as pool:

        async def post(n: int) -> None:
            loan = f"L{n % loans + 1}"
            told: dict[str, Any] = {"entry_id": f"{run}-{n}", "kind": "payment", "amount": "1.00", "currency": "EUR"}
            told |= {"value_date": today.isoformat(), "ledger_version": first + n}
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute(ENTRY, "default", f"{run}-{n}", loan, Decimal("1.00"), today, first + n)
                await conn.execute(OUTBOX, "default", loan, "payment_received", json.dumps(told))

        await spread(AT_ONCE, lambda n: post(entries + n))  # connections are made and statements prepared
        print(await spread(entries, post))


async def serve(dsn: str, port: int) -> None:
    async with await open_pool(dsn, size=POOL) as pool:
        clock = LedgerClock(pool)
        await clock.mapping()
        app = create_app(
            pool, clock, secrets=[SECRET], twilio_token=None, public_url="http://127.0.0.1", rate_limit="1000000/second"
        )
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
        await uvicorn.Server(config).serve()


async def through_http(url: str, run: str, entries: int, loans: int) -> float:
    today = datetime.now(UTC).date()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as http:

        async def post(n: int) -> None:
            body = json.dumps(_entry(f"{run}-{n}", f"L{n % loans + 1}", today)).encode()
            async with http.post(url, data=body, headers=_signed(body)) as answer:
                said = await answer.read()
                if answer.status != 201:
                    raise SystemExit(f"an entry was not taken: {answer.status} {said[:200]!r}")

        await spread(AT_ONCE, lambda n: post(entries + n))
        return await spread(entries, post)


def _entry(entry_id: str, loan_id: str, day: date) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        "loan_id": loan_id,
        "kind": "payment",
        "amount": "1.00",
        "currency": "EUR",
        "value_date": day.isoformat(),
    }


def _signed(body: bytes) -> dict[str, str]:
    at = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Arrears-Signature": f"t={at},v1={digest}", "Content-Type": "application/json"}


async def measure(entries: int, loans: int, rounds: int) -> dict[str, float]:
    """Entries a second on both sides, and their ratio."""
    async with ledger() as (pool, dsn):
        await add_cases(pool, 1, loans)
        port = _free_port()
        server = await asyncio.to_thread(_server, dsn, port)
        try:
            url = f"http://127.0.0.1:{port}/v1/entries"
            await _until_up(f"http://127.0.0.1:{port}/healthz")
            found: dict[str, list[float]] = {"bare": [], "http": []}
            for n in range(rounds):
                found["bare"].append(entries / await asyncio.to_thread(_bare_process, dsn, f"B{n}", entries, loans))
                found["http"].append(entries / await through_http(url, f"H{n}", entries, loans))
                print(f"  bare {found['bare'][-1]:.0f}/s, HTTP {found['http'][-1]:.0f}/s", flush=True)
            kept = await pool.fetchval("select count(*) from entries where entry_id like 'H%'")
            if kept != rounds * (entries + AT_ONCE):
                raise SystemExit(f"{kept} entries are in the ledger, not {rounds * (entries + AT_ONCE)}.")
        finally:
            server.terminate()
            server.wait()
    plain, ours = (statistics.median(found[side]) for side in ("bare", "http"))
    print(
        f"{entries} entries, {AT_ONCE} at once: asyncpg alone {plain:.0f}/s, through HTTP {ours:.0f}/s, ratio {ours / plain:.2f}"
    )
    return {"bare_s": plain, "http_s": ours, "ratio": ours / plain}


def _server(dsn: str, port: int) -> "Popen[bytes]":
    return Popen([sys.executable, "-m", "benchmarks.http_entries", "--serve", dsn, "--port", str(port)])


def _bare_process(dsn: str, run: str, entries: int, loans: int) -> float:
    command = [sys.executable, "-m", "benchmarks.http_entries", "--bare", dsn, "--run", run]
    command += ["--entries", str(entries), "--loans", str(loans)]
    with Popen(command, stdout=PIPE, text=True, env=os.environ) as process:
        said, _ = process.communicate()
    if process.returncode:
        raise SystemExit("the bare side failed.")
    return float(said)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


async def _until_up(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        for tried in count():
            try:
                async with http.get(url):
                    return
            except aiohttp.ClientError:
                if tried > 300:
                    raise SystemExit("the API did not start.") from None
                await asyncio.sleep(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=5000)
    parser.add_argument("--loans", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", metavar="DSN")
    parser.add_argument("--bare", metavar="DSN")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--run", default="B")
    given = parser.parse_args()
    if given.serve:
        uvloop.run(serve(given.serve, given.port))
    elif given.bare:
        asyncio.run(bare(given.bare, given.run, given.entries, given.loans))
    else:
        found = asyncio.run(measure(given.entries, given.loans, given.rounds))
        if given.json:
            given.json.write_text(json.dumps(found), encoding="utf-8")
