"""The sandbox still guards workflows; only what our payloads never need is left out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
)
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.registry import World
from domain.errors import BadInput
from domain.messages import LedgerNews
from tests.histories.fingerprints import FOLDER, history
from tests.workers.impure import Impure
from tests.workers.listener import Listener
from workers import fleet, replaying
from workers.codec import OneConverter, data_converter, make_key
from workers.runner import PASSED_THROUGH, needing_no_context, sandbox

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


@pytest.mark.parametrize("workflow", fleet.WORKFLOWS)
def test_what_is_told_to_a_workflow_is_loaded_once_for_all(workflow: type) -> None:
    """The shared converter keeps a reader for each type: one that every case loads anew would keep the case with it."""
    defined: Any = getattr(workflow, "__temporal_workflow_definition")
    heard = [*defined.signals.values(), *defined.updates.values()]
    told = [*defined.arg_types, *(each for one in heard for each in one.arg_types or ())]
    assert len(told) > len(heard) // 2
    assert all(each.__module__.startswith(PASSED_THROUGH) for each in told), told


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


class Asking(WithSerializationContext):
    """A part of a converter that wants to know which command a payload belongs to."""

    def with_context(self, context: SerializationContext) -> Self:
        return self


class AskingCodec(Asking, PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


class AskingJson(Asking, JSONPlainPayloadConverter): ...


class HoldsAsking(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(AskingJson())


class AskingAsAWhole(Asking, OneConverter): ...


class AskingFailures(Asking, DefaultFailureConverter): ...


ELSEWHERE: Any = object()  # a store, which is never asked anything


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"payload_codec": AskingCodec()}, "AskingCodec asks"),
        ({"payload_converter_class": HoldsAsking}, "HoldsAsking asks"),
        ({"payload_converter_class": AskingAsAWhole}, "AskingAsAWhole asks"),
        ({"failure_converter_class": AskingFailures}, "AskingFailures asks"),
        ({"external_storage": ELSEWHERE}, "has an external storage"),
    ],
)
async def test_a_converter_that_needs_a_context_is_refused(
    dev_server: Client, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], says: str
) -> None:
    asking = replace(data_converter(), **changes)
    config = dev_server.config()
    config["data_converter"] = asking
    nobody: Any = None
    with pytest.raises(BadInput, match=says):
        fleet.build(Client(**config), World(nobody, nobody, nobody, nobody, ""))
    monkeypatch.setattr(replaying, "data_converter", lambda: asking)
    with pytest.raises(BadInput, match=says):
        await replaying.replay(history(FOLDER / "sms_cure.json"))


def test_ours_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert needing_no_context(data_converter()) is data_converter()
    monkeypatch.setenv("ARREARS_CODEC_KEYS", make_key("2026-11"))
    assert needing_no_context(data_converter()).payload_codec is not None
    assert needing_no_context(DataConverter.default) is DataConverter.default
