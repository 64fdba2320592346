"""Lines of JSON: what they say, of which case and which trace; and of an error only its kind and where it was."""

import asyncio
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from temporalio import workflow
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from domain.errors import BadInput
from workers.logs import JsonLines, log_to_stderr
from workers.telemetry import CORE, runtime


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


@workflow.defn(sandboxed=False)
class Fails:
    """Its task fails, again and again, with what it was told in the failure's words."""

    @workflow.run
    async def run(self, told: str) -> None:
        raise RuntimeError(f"cannot read {told}")


@pytest.mark.parametrize("form", [JsonLines(), logging.Formatter("%(levelname)s %(name)s: %(message)s")])
async def test_a_task_that_fails_is_told_by_its_run_alone(form: logging.Formatter, dev_server: Client) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    class Hearing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            loop.call_soon_threadsafe(heard.put_nowait, form.format(record))

    CORE.addHandler(handler := Hearing())
    at = dev_server.service_client.config.target_host
    client = await Client.connect(at, runtime=runtime(serves_figures=False))
    queue = str(uuid4())
    handle = await client.start_workflow("Fails", "+12015550101", id=queue, task_queue=queue)
    try:
        async with Worker(client, task_queue=queue, workflows=[Fails]):
            line = await heard.get()
    finally:
        CORE.removeHandler(handler)
        await handle.terminate()
    assert "Failing workflow task" in line
    assert str(handle.result_run_id) in line
    assert "5550101" not in line
    assert "RuntimeError" not in line


def test_of_an_answer_that_was_none_the_code_is_told(lines: Lines) -> None:
    error = 'Status { code: Unavailable, message: "Ann", metadata: {} }'
    said = SimpleNamespace(fields={"error": error, "task_queue": "cases"})
    log.warning("retried", extra={"temporal_log": said})
    [line] = lines.told
    assert (line["answer"], line["task_queue"]) == ("Unavailable", "cases")
    assert "Ann" not in json.dumps(line)


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
