"""Lines of JSON: what they say, of which case and which trace; and of an error only its kind and where it was."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from temporalio.testing import ActivityEnvironment

from domain.errors import BadInput
from workers.logs import JsonLines, log_to_stderr


class Lines(logging.Handler):
    """Keeps each line as a program would read it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.told: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        assert "\n" not in line
        self.told.append(json.loads(line))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    log = logging.getLogger("tests.lines")
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)


log = logging.getLogger("tests.lines")


def test_a_line_says_when_how_bad_who_and_what(lines: Lines) -> None:
    log.warning("two %s\nof text", "lines")
    [line] = lines.told
    assert line.pop("at").endswith("+00:00")
    assert line == {"level": "warning", "logger": "tests.lines", "message": "two lines\nof text"}


def test_an_error_s_own_words_stay_out(lines: Lines) -> None:
    try:
        raise ValueError("Ann Smith wrote from +12015550101")
    except ValueError:
        log.exception("it failed")
    [line] = lines.told
    assert line["error"] == "ValueError"
    assert line["where"][0].startswith("tests.workers.test_logs:")
    assert "Ann" not in json.dumps(line)
    assert "+1201" not in json.dumps(line)


async def test_whatever_logs_inside_an_activity_says_of_which_case(lines: Lines) -> None:
    async def speak() -> None:
        log.error("from deep inside")

    await ActivityEnvironment().run(speak)
    log.error("from outside")
    inside, outside = lines.told
    info = ActivityEnvironment().info
    assert (inside["workflow_id"], inside["run_id"]) == (info.workflow_id, info.workflow_run_id)
    assert (inside["activity_type"], inside["attempt"]) == (info.activity_type, info.attempt)
    assert "workflow_id" not in outside


def test_a_line_names_the_trace_that_it_is_part_of(lines: Lines) -> None:
    with TracerProvider().get_tracer("tests").start_as_current_span("request") as span:
        log.error("inside")
    log.error("outside")
    inside, outside = lines.told
    assert inside["trace_id"] == trace.format_trace_id(span.get_span_context().trace_id)
    assert "trace_id" not in outside


def test_a_level_that_is_none_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARREARS_LOG", "json")
    with pytest.raises(BadInput, match=r"^ARREARS_LOG 'JSON' is no level: use DEBUG, INFO, WARNING or ERROR\.$"):
        log_to_stderr()
