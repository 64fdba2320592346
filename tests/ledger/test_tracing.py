"""What a span of ours says of a step that failed: the kind of the error, and nothing of its words."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ledger.tracing import span

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Every span that ended, as it was made."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


def test_a_step_that_failed_says_of_what_kind_and_not_in_whose_words(finished: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Ann Smith"), span("absorb note", PARENT, workflow_id="case/default/L1"):
        raise ValueError("Ann Smith wrote from +12015550142")
    [step] = finished.get_finished_spans()
    assert step.attributes == {"workflow_id": "case/default/L1", "error.type": "ValueError"}
    assert (step.status.status_code, step.status.description) == (trace.StatusCode.ERROR, None)
    assert list(step.events) == []
    assert "Ann" not in step.to_json()
    assert "5550142" not in step.to_json()


def test_a_step_that_went_well_says_nothing_of_errors(finished: InMemorySpanExporter) -> None:
    with span("absorb note", PARENT):
        pass
    [step] = finished.get_finished_spans()
    assert "error.type" not in (step.attributes or {})
    assert step.status.is_unset
