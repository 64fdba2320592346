"""Replays histories against this code, and compares more than Temporal's own replayer does.

That one notices a command of another kind or with another id. It lets the length of a timer drift, and the input of an activity: a case
would sleep on to the old time, or act on the old order, and nobody would know. Here every command that the code gives is put beside the
event it once became.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

import temporalio.converter
import temporalio.workflow
from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.converter import PayloadCodec
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

from domain.errors import BadInput
from workers.codec import KeyRing, SealingCodec, codec, data_converter
from workers.fleet import WORKFLOWS
from workers.runner import needing_no_context, sandbox

# What a replay says of itself; nothing of it reaches the history.
NOT_KEPT = frozenset({"respond_to_query", "update_response", "complete_workflow_execution", "fail_workflow_execution"})


@dataclass(frozen=True)
class Replayed:
    """What came of one history. `differences` names each command that is not what it was, in words; empty where all are."""

    workflow_id: str
    events: int
    differences: tuple[str, ...]
    commands: tuple[WorkflowCommand, ...] = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """A digest of every command that the code gave, with its options: time-outs, retries, queues."""
        digest = sha256()
        for command in self.commands:
            if (kind := command.WhichOneof("variant")) not in NOT_KEPT:
                digest.update(f"{kind} {json.dumps(_plain(command), sort_keys=True)}\n".encode())
        return digest.hexdigest()[:16]


async def replay(history: WorkflowHistory, workflows: Sequence[type] = WORKFLOWS) -> Replayed:
    """Replay one run of a workflow in the sandbox, with the converter of the workers.

    Raises:
        BadInput: a payload of the history cannot be opened; the sentence names the key. Or the converter asks for contexts.
    """
    converter, opening = _reading()
    recording = _Recording(sandbox())
    replayer = Replayer(workflows=workflows, data_converter=converter, workflow_runner=recording, runtime=_quiet())
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if opening.refused is not None:
        raise opening.refused
    if result.replay_failure is not None:
        found = [_in_words(str(result.replay_failure))]
    else:
        found = await _differences(history.events, recording.commands, converter)
    return Replayed(history.workflow_id, len(history.events), tuple(found), tuple(recording.commands))


def _in_words(failure: str) -> str:
    """What Temporal's core says of a failure, without the fields that it says it in."""
    said = re.search(r'message: "((?:[^"\\]|\\.)*)"', failure)
    if said is None:
        return " ".join(failure.split())
    kind = re.search(r'r#type: "(\w+)"', failure)
    words = said[1].replace("\\n", " ").replace('\\"', '"').removeprefix("[TMPRL1100] Nondeterminism error: ")
    return f"{kind[1]}: {words}" if kind else words


class _Opening(PayloadCodec):
    """Opens what was sealed, and remembers what it could not open: the core makes a failure of the workflow out of that."""

    def __init__(self, codec: PayloadCodec) -> None:
        self._codec = codec
        self.refused: BadInput | None = None

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)  # nothing that a replay says is sent anywhere

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        try:
            return await self._codec.decode(payloads)
        except BadInput as error:
            self.refused = error
            raise


def _reading() -> tuple[temporalio.converter.DataConverter, _Opening]:
    """The converter of the workers, but for the texts of failures, which stay readable here."""
    opening = _Opening(codec() or SealingCodec(KeyRing("", {})))
    plain = temporalio.converter.DefaultFailureConverter
    return replace(needing_no_context(data_converter()), payload_codec=opening, failure_converter_class=plain), opening


@lru_cache
def _quiet() -> Runtime:
    """Temporal's own code writes to standard output what it finds, where programs read ours."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(TelemetryFilter("ERROR", "ERROR"))))


# --- what the code says now ---


class _Recording(WorkflowRunner):
    """A runner that writes down the commands of the workflow that it runs."""

    def __init__(self, runner: WorkflowRunner) -> None:
        self._runner = runner
        self.commands: list[WorkflowCommand] = []

    def prepare_workflow(self, defn: "temporalio.workflow._Definition") -> None:
        self._runner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = self._runner.create_instance(det)
        activate = instance.activate

        def recorded(act: WorkflowActivation) -> WorkflowActivationCompletion:
            completion = activate(act)
            for command in completion.successful.commands:
                kept = WorkflowCommand()
                kept.CopyFrom(command)  # before it is sealed
                self.commands.append(kept)
            return completion

        instance.activate = recorded  # type: ignore[method-assign]
        return instance


# --- beside what it said then ---


async def _differences(
    events: Sequence[HistoryEvent], commands: Sequence[WorkflowCommand], converter: temporalio.converter.DataConverter
) -> list[str]:
    """Where a timer's length, an activity's type or input, a child's, or what a new run begins with, is not what it was."""
    now = {key: told for command in commands if (key := _name(command)) for told in [_told(command)]}
    found = []
    for event in events:
        then = await _then(event, converter)
        if then is None or then[0] not in now:
            continue
        name, values = then
        for what, old in values.items():
            new = now[name][what]
            if not _holds(old, new):
                found.append(f"event {event.event_id}, {name}: {what} was {_short(old)} and is now {_short(new)}")
    return found


def _name(command: WorkflowCommand) -> str | None:
    match command.WhichOneof("variant"):
        case "start_timer":
            return f"timer {command.start_timer.seq}"
        case "schedule_activity":
            return f"activity {command.schedule_activity.activity_id}"
        case "start_child_workflow_execution":
            return f"child {command.start_child_workflow_execution.workflow_id}"
        case "continue_as_new_workflow_execution":
            return "new run"
    return None


def _told(command: WorkflowCommand) -> dict[str, Any]:
    match command.WhichOneof("variant"):
        case "start_timer":
            return {"length": command.start_timer.start_to_fire_timeout.ToTimedelta()}
        case "schedule_activity":
            act = command.schedule_activity
            return {"type": act.activity_type, "queue": act.task_queue, "input": _values(act.arguments)}
        case "start_child_workflow_execution":
            child = command.start_child_workflow_execution
            return {"type": child.workflow_type, "input": _values(child.input)}
    again = command.continue_as_new_workflow_execution
    return {"input": _values(again.arguments)}


async def _then(
    event: HistoryEvent, converter: temporalio.converter.DataConverter
) -> tuple[str, dict[str, Any]] | None:
    match event.WhichOneof("attributes"):
        case "timer_started_event_attributes":
            timer = event.timer_started_event_attributes
            return f"timer {timer.timer_id}", {"length": timer.start_to_fire_timeout.ToTimedelta()}
        case "activity_task_scheduled_event_attributes":
            act = event.activity_task_scheduled_event_attributes
            given = _values(await _opened(act.input.payloads, converter))
            values = {"type": act.activity_type.name, "queue": act.task_queue.name, "input": given}
            return f"activity {act.activity_id}", values
        case "start_child_workflow_execution_initiated_event_attributes":
            child = event.start_child_workflow_execution_initiated_event_attributes
            given = _values(await _opened(child.input.payloads, converter))
            return f"child {child.workflow_id}", {"type": child.workflow_type.name, "input": given}
        case "workflow_execution_continued_as_new_event_attributes":
            again = event.workflow_execution_continued_as_new_event_attributes
            return "new run", {"input": _values(await _opened(again.input.payloads, converter))}
    return None


async def _opened(payloads: Sequence[Payload], converter: temporalio.converter.DataConverter) -> Sequence[Payload]:
    return await converter.payload_codec.decode(payloads) if converter.payload_codec else payloads


def _values(payloads: Sequence[Payload]) -> list[Any]:
    return [json.loads(p.data) if p.metadata.get("encoding") == b"json/plain" else p.data.hex() for p in payloads]


def _holds(old: Any, new: Any) -> bool:
    """Whether all that was said is still said: a field more is no difference, for an older release does without it."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return all(key in new and _holds(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_holds, old, new))
    return bool(old == new)


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, (str, timedelta)) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:157]}..."


def _plain(command: WorkflowCommand) -> dict[str, Any]:
    plain: dict[str, Any] = MessageToDict(command)
    return plain
