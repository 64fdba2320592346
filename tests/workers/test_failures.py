"""What Temporal keeps of an error: a failed attempt stays in the history even where the next one succeeds."""

from uuid import uuid4

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from domain.errors import BadInput
from tests.workers.failing import WORDS, Stumbles, stumble
from workers.codec import data_converter
from workers.runner import sandbox

QUEUE = "stumbling"


def kept(error: BaseException) -> Failure:
    found, converter = Failure(), data_converter()
    converter.failure_converter.to_failure(error, converter.payload_converter, found)
    return found


async def test_a_failed_attempt_is_kept_without_its_words(dev_server: Client) -> None:
    worker = Worker(dev_server, task_queue=QUEUE, workflows=[Stumbles], activities=[stumble], workflow_runner=sandbox())
    async with worker:
        handle = await dev_server.start_workflow(Stumbles.run, id=f"stumbles-{uuid4()}", task_queue=QUEUE)
        assert await handle.result() == "done"
    history = await handle.fetch_history()
    [started] = [e.activity_task_started_event_attributes for e in history.events if e.event_type == 11]
    assert started.attempt == 2
    assert (started.last_failure.message, started.last_failure.cause.message) == ("ValueError", "KeyError")
    assert "stumble" in started.last_failure.stack_trace
    assert all(WORDS.encode() not in event.SerializeToString() for event in history.events)


@pytest.mark.parametrize("error", [BadInput(WORDS), OSError(WORDS), TypeError(WORDS)])
def test_whatever_was_not_raised_to_be_read_loses_its_words(error: Exception) -> None:
    assert kept(error).message == type(error).__name__
    assert kept(error).application_failure_info.type == type(error).__name__


def test_what_was_raised_to_be_read_keeps_them() -> None:
    assert kept(ApplicationError("loan X1 has no case.")).message == "loan X1 has no case."
