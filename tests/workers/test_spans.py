"""What leaves the process of a request that failed: that it did, and of what kind the error was."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from workers.telemetry import trace_requests, traced

NAME, PHONE = "Annunziata Esposito", "+12015550142"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What would go to a collector. OpenTelemetry lets a process set its provider once; a test sets it for itself."""
    exporter = InMemorySpanExporter()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(trace_exporter, "OTLPSpanExporter", lambda: exporter)
    provide = "_TRACER_PROVIDER"
    monkeypatch.setattr(trace, "set_tracer_provider", lambda made: monkeypatch.setattr(trace, provide, made))
    return exporter


async def never_begins() -> None:
    raise ValueError(f"{NAME} wrote from {PHONE}")


async def breaks_off() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "L1\n"
        await never_begins()

    return StreamingResponse(lines())


@pytest.mark.parametrize(("answer", "status"), [(never_begins, 500), (breaks_off, 200)])
async def test_of_a_request_that_failed_the_words_of_the_error_stay_here(
    answer: Callable[[], Awaitable[Response | None]], status: int, sent: InMemorySpanExporter
) -> None:
    app = FastAPI()
    app.get("/loans/{loan_id}", response_model=None)(answer)
    with traced("tests"):
        trace_requests(app)
        far_side = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=far_side, base_url="http://api") as client:
            assert (await client.get("/loans/L1")).status_code == status
    [request] = sent.get_finished_spans()
    assert request.name == "GET /loans/{loan_id}"
    assert (request.status.status_code, request.status.description) == (trace.StatusCode.ERROR, None)
    attributes = request.attributes or {}
    assert (attributes["error.type"], attributes["http.status_code"]) == ("ValueError", status)
    assert NAME not in request.to_json()
    assert PHONE not in request.to_json()
