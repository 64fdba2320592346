"""Follows one request through every part: HTTP, outbox, relay, case. Where nobody switched tracing on, nothing is done (docs/telemetry.md)."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import propagate, trace

KEY = "traceparent"
ERROR_TYPE = "error.type"  # as OpenTelemetry's conventions name it


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
    with trace.get_tracer("arrears").start_as_current_span(
        name, context=context, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as step:
        try:
            yield
        except Exception as error:
            # Of what kind alone: an error's own words and its stack may quote what a borrower wrote.
            step.set_attribute(ERROR_TYPE, type(error).__name__)
            step.set_status(trace.StatusCode.ERROR)
            raise
