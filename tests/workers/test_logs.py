"""Lines of the log: what they say, of which case and which trace; and of an error only its kind and where it was."""

import asyncio
import gc
import json
import logging
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pydantic import TypeAdapter
from temporalio import workflow
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from domain.errors import BadInput
from workers.logs import LOOPS, JsonLines, TextLines, first_line_alone, log_to_stderr
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
BOTH = [JsonLines(), TextLines()]
NAME, PHONE = "Annunziata Esposito", "+12015550142"


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


def is_known_already() -> None:
    detail = f"Key (name, value)=({NAME}, {PHONE}) already exists."
    told = {"S": "ERROR", "C": "23505", "M": f"{NAME} is there twice", "D": detail}
    raise asyncpg.PostgresError.new(told)


def is_no_number() -> None:
    TypeAdapter(dict[str, int]).validate_python({NAME: PHONE + "x"})


def formatted(form: logging.Formatter, record: logging.LogRecord) -> str:
    """The line, after a formatter of somebody else's has put its own text of the error into the record."""
    logging.Formatter().format(record)
    return form.format(record)


@pytest.mark.parametrize("form", BOTH)
@pytest.mark.parametrize(
    ("fail", "kind"), [(is_known_already, "UniqueViolationError"), (is_no_number, "ValidationError")]
)
def test_no_line_quotes_an_error(
    form: logging.Formatter, fail: Callable[[], None], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Exception, match=PHONE[-7:]) as caught:
        fail()
    log.error("it failed", exc_info=caught.value)
    line = formatted(form, caplog.records[0])
    assert kind in line
    assert re.search(rf"tests\.workers\.test_logs:\d+ in {fail.__name__}\b", line)
    assert NAME not in line
    assert "5550142" not in line


@pytest.mark.parametrize("form", BOTH)
async def test_a_task_that_nobody_asked_after_is_told_without_its_words(
    form: logging.Formatter, caplog: pytest.LogCaptureFixture
) -> None:
    async def absorb() -> None:
        raise ValueError(f"{NAME} wrote from {PHONE}")

    def heard(of: object) -> None:
        raise ValueError(f"{of} was heard")

    loop, asyncios = asyncio.get_running_loop(), logging.getLogger("asyncio")
    asyncios.addFilter(first_line_alone)
    try:
        tasks = [asyncio.create_task(absorb())]
        await asyncio.wait(tasks)
        tasks.clear()
        gc.collect()
        loop.call_soon(heard, f"{NAME} {PHONE}")
        await asyncio.sleep(0)
    finally:
        asyncios.removeFilter(first_line_alone)
    task, callback = [formatted(form, record) for record in caplog.records]
    assert "Task exception was never retrieved" in task
    assert "future" not in task
    assert "Exception in callback" in callback
    for line in (task, callback):
        assert "ValueError" in line
        assert NAME not in line
        assert "5550142" not in line


@pytest.mark.parametrize(("asked", "form"), [("", TextLines), ("text", TextLines), ("json", JsonLines)])
def test_the_log_is_set_up_to_quote_nobody(
    asked: str, form: type[logging.Formatter], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, loops = logging.getLogger(), [logging.getLogger(name) for name in LOOPS]
    monkeypatch.setenv("ARREARS_LOG_FORMAT", asked)
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    for loop in loops:
        monkeypatch.setattr(loop, "filters", [])
    log_to_stderr()
    assert [type(handler.formatter) for handler in root.handlers] == [form]
    assert [loop.filters for loop in loops] == [[first_line_alone]] * 2


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


@pytest.mark.parametrize("form", BOTH)
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
