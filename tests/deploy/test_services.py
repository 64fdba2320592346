"""Every command that docker-compose.yml starts, started as it says, on one ledger and one Temporal: one payment goes through all of them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from starters.signature import sign
from tests.case import poll
from tests.deploy.collector import Receiver, collector
from tests.deploy.compose import OURS, environment
from tests.ledger.samples import Pool
from tests.stack.machine import clean_environment
from workers.embedded.ports import pick

NAME, PHONE, SECRET = "Annunziata Esposito", "+12015550137", "whsec_compose"
LONG_RUNNING = ("worker-cases", "worker-contact", "worker-office", "relay", "api")


@dataclass
class Services:
    """The services as processes of this machine."""

    folder: Path
    given: dict[str, str]
    ours: dict[str, str]
    metrics: dict[str, int] = field(default_factory=dict)
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str, *more: str) -> asyncio.subprocess.Process:
        """Start one as the file says, but for what only a network of containers has."""
        self.metrics[name] = pick()
        command = [sys.executable, "-m", "arrears", *OURS[name]["command"], *more]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = await asyncio.create_subprocess_exec(
                *command, env=self.environment(name), stdout=log, stderr=log, cwd=self.folder
            )
        return self.running[name]

    def environment(self, name: str) -> dict[str, str]:
        """The variables of its container, whoever runs in there."""
        address = {"ARREARS_METRICS_ADDRESS": f"127.0.0.1:{self.metrics[name]}"}
        return clean_environment() | environment(name, self.given) | self.ours | address

    async def to_the_end(self, name: str) -> None:
        assert await (await self.start(name)).wait() == 0, self.log(name)
        del self.running[name]

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8")

    async def healthy(self, name: str) -> bool:
        """Ask as the container's health check does, in there."""
        words = OURS[name]["healthcheck"]["test"][2:]
        asking = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "arrears", *words),
            env=self.environment(name),
            stdout=asyncio.subprocess.DEVNULL,
        )
        return await asking.wait() == 0

    async def stop(self, name: str) -> int:
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), 60)


@pytest.fixture
async def services(database_url: str, dev_server: Client, tmp_path: Path) -> AsyncIterator[tuple[Services, Receiver]]:
    async with collector() as (receiver, traces):
        given = {
            "ARREARS_DB_PASSWORD": "x",
            "ARREARS_WEBHOOK_SECRET": SECRET,
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces,
        }
        ours = {
            "ARREARS_DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": dev_server.service_client.config.target_host,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "PYTHONPATH": os.getcwd(),
        }
        started = Services(tmp_path, given, ours)
        yield started, receiver
        for process in started.running.values():
            process.kill()
            await process.wait()


def tape(folder: Path) -> list[str]:
    today = datetime.now(UTC).date()
    loans = (
        "loan_id,borrower_id,borrower_name,borrower_kind,phone,language,timezone,country,currency,opened_on,product\n"
        f"C1,P-C1,{NAME},person,{PHONE},it,Europe/Rome,IT,EUR,{today - timedelta(days=90)},loan\n"
    )
    due = today - timedelta(days=3)
    (folder / "loans.csv").write_text(loans)
    (folder / "instalments.csv").write_text(
        f"loan_id,number,due_on,principal,interest,fee\nC1,1,{due},100.00,0.00,0.00\n"
    )
    return ["--loans", str(folder / "loans.csv"), "--instalments", str(folder / "instalments.csv")]


async def test_a_payment_goes_through_every_service(
    services: tuple[Services, Receiver], pool: Pool, dev_server: Client
) -> None:
    running, receiver = services
    await running.to_the_end("migrate")
    await running.to_the_end("register")
    port = pick()
    for name in LONG_RUNNING:
        await running.start(name, *(["--port", str(port)] if name == "api" else []))
    asking = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}")

    async def answers() -> bool:
        try:
            return (await asking.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    await poll(answers, "the API to be ready")
    for name in ("worker-cases", "worker-contact", "worker-office"):
        await poll(lambda name=name: running.healthy(name), f"{name} to be healthy")  # type: ignore[misc]

    intake = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "arrears", "intake", *tape(running.folder)),
        env=clean_environment() | running.ours,
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await intake.wait() == 0

    async def has_case() -> bool:
        return bool(await pool.fetchval("select exists (select from cases where next_step is not null)"))

    await poll(has_case, "the relay to have a case opened after the tape")
    body = json.dumps(
        {
            "entry_id": "E-1",
            "loan_id": "C1",
            "kind": "payment",
            "amount": "100.00",
            "currency": "EUR",
            "value_date": str(datetime.now(UTC).date()),
        }
    ).encode()
    paid = await asking.post("/v1/entries", content=body, headers={"Arrears-Signature": sign(SECRET, body)})
    assert paid.status_code == 201, paid.text

    async def heard() -> bool:
        return bool(await pool.fetchval("select exists (select from cases where stage in ('probation', 'closed'))"))

    await poll(heard, "the case to hear of the payment")

    async def traced() -> bool:
        ends = ("POST /v1/entries", "signal payment_received", "absorb payment_received")
        return all(receiver.named(name) for name in ends)

    await poll(traced, "the trace to reach its end")
    [request] = receiver.named("POST /v1/entries")
    [signalled] = receiver.named("signal payment_received")
    [absorbed] = receiver.named("absorb payment_received")
    assert request.trace_id == signalled.trace_id == absorbed.trace_id
    assert (signalled.parent_span_id, absorbed.parent_span_id) == (request.span_id, signalled.span_id)

    figures = (await asking.get("/metrics")).text
    assert 'arrears_open_cases{lender="default",stage="probation"} 1.0' in figures
    assert "arrears_payments_heard_last_hour 1.0" in figures
    own = (await asking.get(f"http://127.0.0.1:{running.metrics['worker-cases']}/metrics")).text
    assert "temporal_workflow_task_execution_latency_seconds_count" in own
    await asking.aclose()

    assert {name: await running.stop(name) for name in LONG_RUNNING} == dict.fromkeys(LONG_RUNNING, 0)
    lines = [line for name in LONG_RUNNING for line in running.log(name).splitlines()]
    assert all(isinstance(json.loads(line), dict) for line in lines), lines
    told = "\n".join([*lines, *map(str, receiver.spans), figures, own])
    for secret in (*NAME.split(), PHONE, PHONE[-7:], SECRET):
        assert secret not in told
    await dev_server.get_workflow_handle("loan-default-C1").terminate()
