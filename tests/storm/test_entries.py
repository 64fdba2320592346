"""The count of entries finds what it is there to find: in a ledger that was tampered with, and under an API that lacks a mechanism."""

import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from temporalio.client import Client

from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.tape import TapeFiles, take_in
from tests.ledger.samples import Pool, Standing
from tests.stack.machine import SECRET, clean_environment
from tests.storm.crippled import Switch
from tests.storm.entries import kept, wrong
from tests.storm.parts import ROOT, free_ports, starter
from tests.storm.portfolio import Portfolio, make, read, shuffled
from tests.storm.sending import Sending

TODAY = date(2026, 3, 10)
NOTHING: dict[str, list[str]] = {"lost": [], "doubles": [], "strangers": []}


async def taken_in(pool: Pool, portfolio: Portfolio) -> None:
    await take_in(pool, TapeFiles(loans=portfolio.loans, instalments=portfolio.instalments), clock=Standing())


async def found(pool: Pool, portfolio: Portfolio, acknowledged: Iterable[str]) -> dict[str, list[str]]:
    async with pool.acquire() as conn:
        return wrong(await kept(conn), portfolio, acknowledged)


AS_KEPT = (
    "lender_id, entry_id, loan_id, jsonb_strip_nulls(to_jsonb(e) - 'ledger_version' - 'commit_order' - 'posted_at')"
)
AS_KEPT += " || jsonb_build_object('amount', amount::text)"
WAITING, POSTED = "suspense", "entries"
TAMPERING = [
    (WAITING, "lost", "delete from suspense where entry_id = $1"),
    (WAITING, "strangers", """update suspense set entry = entry || '{"amount": "0.01"}' where entry_id = $1"""),
    (WAITING, "strangers", """update suspense set entry = entry || '{"payer": "another"}' where entry_id = $1"""),
    (WAITING, "strangers", "update suspense set status = 'returned' where entry_id = $1"),
    (WAITING, "strangers", "update suspense set loan_id = 'NOBODY' where entry_id = $1"),
    (POSTED, "lost", "delete from entries where entry_id = $1"),
    (POSTED, "strangers", "update entries set amount = amount + 0.01 where entry_id = $1"),
    (POSTED, "strangers", "update entries set source = 'another' where entry_id = $1"),
    (
        POSTED,
        "doubles strangers",
        f"insert into suspense (lender_id, entry_id, loan_id, entry) select {AS_KEPT} from entries e where entry_id = $1",
    ),
    (
        POSTED,
        "strangers",
        f"with e as (delete from entries where entry_id = $1 returning *) insert into suspense (lender_id, entry_id, loan_id, entry) select {AS_KEPT} from e",
    ),
]


@pytest.mark.parametrize(("table", "kinds", "tampering"), TAMPERING)
async def test_tampering_is_found(pool: Pool, tmp_path: Path, table: str, kinds: str, tampering: str) -> None:
    portfolio = make(tmp_path, 100, 1, TODAY)
    await taken_in(pool, portfolio)
    rows = read(portfolio.entries)
    for row in sorted(rows, key=lambda r: r["kind"] == "reversal"):  # what they take back must be there
        await post_entry(pool, NewEntry.read(row), Standing())
    acknowledged = [row["entry_id"] for row in rows]
    assert await found(pool, portfolio, acknowledged) == NOTHING
    victim = await pool.fetchval(f"select entry_id from {table} order by entry_id limit 1")
    assert (await pool.execute(tampering, victim)).endswith(" 1")
    said = await found(pool, portfolio, acknowledged)
    assert [name for name, sentences in said.items() if sentences] == kinds.split()
    assert all(victim in sentence for sentences in said.values() for sentence in sentences)


@asynccontextmanager
async def api(folder: Path, database_url: str, temporal: Client, without: Switch | None) -> AsyncIterator[str]:
    """`arrears api` as a process of its own; killed at the end."""
    (port,) = free_ports(1)
    environment = clean_environment() | {
        "ARREARS_DATABASE_URL": database_url,
        "ARREARS_WEBHOOK_SECRET": SECRET,
        "TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
        "PYTHONPATH": str(ROOT),
    }
    child = starter("api", folder, environment, port, without)()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.kill(child.pid, signal.SIGKILL)
        await child.stop()


@pytest.mark.parametrize(
    ("without", "kinds"), [(None, set()), ("commit", {"lost"}), ("unique", {"doubles", "strangers"})]
)
async def test_an_api_is_killed_when_it_has_answered(
    pool: Pool, database_url: str, dev_server: Client, tmp_path: Path, without: Switch | None, kinds: set[str]
) -> None:
    portfolio = make(tmp_path, 60, 1, TODAY)
    await taken_in(pool, portfolio)
    async with api(tmp_path, database_url, dev_server, without) as url:
        sending = Sending(url, deque(shuffled(portfolio, 60, 1)), 1, allowed=60)
        await sending.run()
    assert (sending.done, sending.refused, sending.given_up) == (60, [], [])
    said = await found(pool, portfolio, sending.taken)
    assert {kind for kind, sentences in said.items() if sentences} == kinds
