"""Follows one request through every part: HTTP, outbox, relay, case. Where nobody switched tracing on, nothing is done (docs/telemetry.md)."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import propagate, trace

KEY = "traceparent"


def traceparent() -> str | None:
    """The current span in the W3C form, to be handed on; None where nothing is traced."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get(KEY)


@contextmanager
def span(name: str, parent: str | None, **attributes: str) -> Iterator[None]:
    """One step of a request that came from `parent`; attributes are ids, never about a person. Nothing where nothing is traced."""
    if parent is None:
        yield
        return
    context = propagate.extract({KEY: parent})
    with trace.get_tracer("arrears").start_as_current_span(name, context=context, attributes=attributes):
        yield
