"""The sweep over many loans: `python -m benchmarks.sweep --loans 10000 --loans 1000000 --due 10000`.

Every loan has instalments that fell due and were paid; `--due` of them miss the last one. Three figures for each size: the walk when nothing is due,
the walk that opens and starts the cases that are, and beside it the bare reference: a row in `cases` and a workflow started, for as many
loans, one after the other as the sweep does it. No worker runs: what is measured is the sweep's own work.
"""

import argparse
import asyncio
import json
import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from temporalio.client import Client

from activities.case_in_hand import Desk
from activities.contracts import CASES, SweepRequest
from activities.contracts.attributes import types
from activities.opening import Opening
from benchmarks.made_up import ledger
from ledger.clock import LedgerClock
from ledger.strategies import publish_shipped
from workers.codec import data_converter
from workers.embedded import EmbeddedTemporal

FILL = (
    "insert into parties (lender_id, party_id, name) select 'default', 'P' || n, 'Made Up' from generate_series($1::int, $2::int) n",
    """insert into loans (lender_id, loan_id, borrower_id, country, currency, opened_on, product)
       select 'default', 'L' || n, 'P' || n, 'IT', 'EUR', current_date - 100, 'loan' from generate_series($1::int, $2::int) n""",
    """insert into instalments select 'default', 'L' || n, i, current_date - 100 + 30 * i, 90, 10, 0
       from generate_series($1::int, $2::int) n, generate_series(1, 6) i""",
    """insert into entries (lender_id, entry_id, loan_id, kind, amount, currency, value_date, status, ledger_version)
       select 'default', 'E' || n || '-' || i, 'L' || n, 'payment', 100, 'EUR', current_date - 100 + 30 * i, 'settled', i
       from generate_series($1::int, $2::int) n, generate_series(1, 3) i""",
)
MISS = """
with gone as (delete from entries where entry_id in (select 'E' || n || '-3' from generate_series(1, $1::int) n) returning 1) select count(*) from gone
"""


async def measure(sizes: list[int], due: int) -> list[dict[str, Any]]:
    """One row of figures for each size; the ledger grows from one to the next."""
    found: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder:
        server = EmbeddedTemporal(Path(folder), ui=False, search_attributes=types(), in_memory=True)
        address = await server.start()
        client = await Client.connect(address.host_port, data_converter=data_converter())
        try:
            async with ledger() as (pool, _):
                async with pool.acquire() as conn:
                    await publish_shipped(conn)
                filled = 0
                for size in sorted(sizes):
                    async with pool.acquire() as conn:
                        for statement in FILL:
                            await conn.execute(statement, filled + 1, size, timeout=1200)
                        await conn.execute("analyze", timeout=600)
                    filled = size
                    found.append(await _one(pool, client, size, min(due, size)))
                    print(_line(found[-1]), flush=True)
        finally:
            await server.stop()
    return found


async def _one(pool: Any, client: Client, size: int, due: int) -> dict[str, Any]:
    opening = Opening(Desk(pool, LedgerClock(pool)), client)
    quiet, none = await _walk(opening)
    paid = await pool.fetch(
        "select * from entries where entry_id in (select 'E' || n || '-3' from generate_series(1, $1::int) n)", due
    )
    await pool.fetchval(MISS, due)
    busy, started = await _walk(opening)
    if (none, started) != (0, due):
        raise SystemExit(f"{none} and {started} cases were started, not 0 and {due}.")
    bare = await _bare(pool, client, due)
    async with pool.acquire() as conn:  # as before, for the next size
        for row in await conn.fetch("select workflow_id from cases"):
            await client.get_workflow_handle(row["workflow_id"]).terminate()
        await conn.execute("truncate cases cascade")
        await conn.copy_records_to_table("entries", records=[tuple(r) for r in paid], columns=list(paid[0].keys()))
    return {"loans": size, "due": due, "quiet_s": quiet, "busy_s": busy, "bare_s": bare, "ratio": bare / (busy - quiet)}


async def _walk(opening: Opening) -> tuple[float, int]:
    request, started, began = SweepRequest(), 0, time.perf_counter()
    while True:
        page = await opening.start_due_cases(request)
        started += page.started
        if page.after is None:
            return time.perf_counter() - began, started
        request = request.counting(page)


async def _bare(pool: Any, client: Client, due: int) -> float:
    await pool.execute("create table if not exists bare (loan_id text primary key)")
    await pool.execute("truncate bare")
    began = time.perf_counter()
    for n in range(due):
        await pool.execute("insert into bare values ($1)", f"L{n}")
        await client.start_workflow("Bare", id=f"bare-{uuid4()}", task_queue=f"nobody-{CASES}")
    return time.perf_counter() - began


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['loans']:>9,} loans: nothing due {row['quiet_s']:7.2f} s; {row['due']:,} due {row['busy_s']:7.1f} s, "
        f"bare {row['bare_s']:6.1f} s, ratio {row['ratio']:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loans", type=int, action="append")
    parser.add_argument("--due", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = asyncio.run(measure(asked.loans or [10_000, 100_000, 1_000_000], asked.due))
    if len(rows) > 1:
        first, last = rows[0], rows[-1]
        power = math.log(last["quiet_s"] / first["quiet_s"]) / math.log(last["loans"] / first["loans"])
        print(f"From {first['loans']:,} to {last['loans']:,} loans the walk grows as loans to the power {power:.2f}.")
    if asked.json:
        asked.json.write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
