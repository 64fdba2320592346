"""A PostgreSQL that is there and answers nothing, as after SIGSTOP or on a disk that hangs."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import pytest

import ledger.pool
from ledger.migrate import migrate
from ledger.pool import open_pool
from starters import health
from starters.api import create_app
from tests.environment import in_memory
from tests.ledger.samples import Standing, add_loan
from tests.starters.far_side import PUBLIC, SECRET, Lender, payment, says_problem
from workers.embedded import EmbeddedPostgres


@contextmanager
def frozen(server: EmbeddedPostgres) -> Iterator[None]:
    assert server.pid is not None
    processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


async def test_a_frozen_database_holds_up_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger.pool, "ANSWER_WITHIN", 1.0)
    monkeypatch.setattr(ledger.pool, "FREE_WITHIN", 1.0)
    monkeypatch.setattr(health, "PATIENCE", 1.0)
    with TemporaryDirectory(prefix="arrears-tests-", dir=in_memory()) as folder:
        server = EmbeddedPostgres(Path(folder), durable=False)
        dsn = await server.start()
        try:
            await asyncio.to_thread(migrate, dsn)
            async with await open_pool(dsn, size=2, for_callers=True) as pool:
                await add_loan(pool)
                app = create_app(pool, Standing(), secrets=[SECRET], twilio_token=None, public_url=PUBLIC)
                async with httpx.AsyncClient(transport=httpx.ASGITransport(app, False), base_url="http://api") as http:
                    assert (await Lender(http).post(payment())).status_code == 201
                    with frozen(server):
                        for _ in range(3):  # more than there are connections
                            assert says_problem(await Lender(http).post(payment()), 503, "send it again")
                        ready = (await http.get("/readyz")).json()
                    assert (ready["status"], ready["reasons"]) == (503, ["the database does not answer"])
                    assert (await Lender(http).post(payment())).status_code == 200
                    assert (await http.get("/readyz")).status_code == 200
        finally:
            await server.stop()
