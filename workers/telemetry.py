"""What a process tells of itself: the SDK's figures for Prometheus, and traces by OpenTelemetry."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from domain.errors import BadInput
from workers.logs import ids_alone
from workers.settings import settings

if TYPE_CHECKING:
    from fastapi import FastAPI

CORE = logging.getLogger("temporalio.core")
CORE.addFilter(ids_alone)


@lru_cache
def runtime(serves_figures: bool) -> Runtime:
    """Temporal's own part of this process: its log joins ours; its figures are served, if asked for, where ARREARS_METRICS_ADDRESS says.

    Raises:
        BadInput: nothing can be served at that address.
    """
    address = settings().metrics_address if serves_figures else None
    level = logging.getLevelName(logging.getLogger().getEffectiveLevel())
    core = "ERROR" if level in {"ERROR", "CRITICAL"} else "WARN"
    forwarding = LogForwardingConfig(CORE, append_log_fields_to_message=False)
    try:
        return Runtime(
            telemetry=TelemetryConfig(
                logging=LoggingConfig(TelemetryFilter(core, "ERROR"), forwarding=forwarding),
                metrics=PrometheusConfig(
                    bind_address=address, durations_as_seconds=True, unit_suffix=True, counters_total_suffix=True
                )
                if address
                else None,
            )
        )
    except (ValueError, RuntimeError) as error:
        raise BadInput(
            f"ARREARS_METRICS_ADDRESS {address!r} cannot be used ({error}): give one such as 127.0.0.1:9464."
        ) from None


def _wanted() -> bool:
    return any(os.environ.get(f"OTEL_EXPORTER_OTLP_{name}") for name in ("ENDPOINT", "TRACES_ENDPOINT"))


def trace_requests(app: "FastAPI") -> None:
    """Have requests begin a trace where traces are made: it costs each request something."""
    if not _wanted():
        return
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(app, excluded_urls="healthz,readyz,metrics", exclude_spans=["receive", "send"])


@contextmanager
def traced(service: str) -> Iterator[None]:
    """Send traces where OTEL_EXPORTER_OTLP_ENDPOINT says, under the service's name, until the block ends."""
    if not _wanted():
        yield
        return
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from workers.spans import WithoutWords

    provider = TracerProvider(resource=Resource.create({"service.name": f"arrears-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(WithoutWords(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()  # what is not sent yet is sent now
