"""`arrears up` makes traces as the services by themselves do: its API and relay in one process, its worker in another."""

import asyncio

import pytest

from tests.deploy.collector import Receiver, collector
from tests.stack.machine import DAY, machine, until


async def test_one_request_is_one_trace_through_the_whole_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    async with collector() as (receiver, address):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        await asyncio.to_thread(pay, receiver)  # the collector answers meanwhile
    [request] = receiver.named("POST /v1/entries")
    [absorbed] = receiver.named("absorb payment_received")
    assert absorbed.trace_id == request.trace_id


def pay(receiver: Receiver) -> None:
    with machine("--day", str(DAY), "--start", "2007-04-01") as stack:
        loan = stack.loan("+12015550138", past=1, strategy="standard")
        until(lambda: stack.case(loan)["next_step"], "a case")
        assert stack.pay(loan, "10.00", "E-1", stack.today()) == 201
        until(lambda: receiver.named("absorb payment_received"), "the end of the trace")
