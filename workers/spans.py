"""Spans as they leave the process. FastAPI's instrumentation adds an exception's words and stack, with no option against it: they stay here."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from ledger.tracing import ERROR_TYPE


class WithoutWords(SpanExporter):
    """Sends spans on, and of an exception its kind alone: its words may quote what a borrower wrote."""

    def __init__(self, to: SpanExporter) -> None:
        self._to = to

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them."""
        return self._to.export([_without_words(span) for span in spans])

    def shutdown(self) -> None:
        """Close what they are sent by."""
        self._to.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what waits."""
        return self._to.force_flush(timeout_millis)


def _without_words(span: ReadableSpan) -> ReadableSpan:
    """The same span, without events and without what its status says beyond its code."""
    kinds = [kind for event in span.events if (kind := (event.attributes or {}).get("exception.type"))]
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={**(span.attributes or {}), **({ERROR_TYPE: kinds[-1]} if kinds else {})},
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
