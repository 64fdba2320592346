"""The sandbox still guards workflows; only what our payloads never need is left out."""

from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from domain.messages import LedgerNews
from tests.workers.impure import Impure
from tests.workers.listener import Listener
from workers.codec import data_converter
from workers.runner import sandbox

QUEUE = "guarded"


async def test_a_workflow_cannot_read_the_wall_clock(dev_server: Client) -> None:
    async with Worker(
        dev_server,
        task_queue=QUEUE,
        workflows=[Impure],
        workflow_runner=sandbox(),
        workflow_failure_exception_types=[Exception],
    ):
        with pytest.raises(WorkflowFailureError) as failed:
            await dev_server.execute_workflow(Impure.run, id=f"impure-{uuid4()}", task_queue=QUEUE)
    assert "datetime.now" in str(failed.value.cause)


async def test_the_sandbox_is_not_entered_for_each_payload(dev_server: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    runner = sandbox()
    create = SandboxedWorkflowRunner.create_instance

    def watched(self: SandboxedWorkflowRunner, det: object) -> object:
        inner = create(self, det)  # type: ignore[arg-type]
        monkeypatch.setattr(inner, "get_serialization_context", asked.append)
        monkeypatch.setattr(inner, "get_external_store_context", asked.append)
        return inner

    monkeypatch.setattr(SandboxedWorkflowRunner, "create_instance", watched)
    async with Worker(dev_server, task_queue=QUEUE, workflows=[Listener], workflow_runner=runner):
        handle = await dev_server.start_workflow(Listener.run, id=f"heard-{uuid4()}", task_queue=QUEUE)
        await handle.signal(Listener.payment_received, LedgerNews(message_id="m-1"))
        assert len(await handle.query(Listener.all_heard)) == 1
        await handle.terminate()
    assert asked == []


def test_all_cases_share_one_converter() -> None:
    one, other = (data_converter().payload_converter_class() for _ in range(2))
    assert [id(c) for c in one.converters.values()] == [id(c) for c in other.converters.values()]  # type: ignore[attr-defined]
