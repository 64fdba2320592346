"""What the histories of cases tell: what was ordered and done, what people told, and which entries a case had heard of."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import CONTRACTS, Message, Order, Result
from activities.contracts.attributes import STRATEGY
from activities.contracts.state import CaseState
from domain.decision import Action
from domain.loan import LoanKey
from domain.messages import UPDATES, LedgerNews

T = TypeVar("T")
REMOTE = {action.value for action, contract in CONTRACTS.items() if not contract.local}
ENDED = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: "activity_task_completed_event_attributes",
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: "activity_task_failed_event_attributes",
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "activity_task_timed_out_event_attributes",
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: "activity_task_canceled_event_attributes",
}


@dataclass
class Acted:
    """An activity that a case ordered; times are real. Without `ended` it is still under way, without `result` it brought none.

    `heard` are the entries that the case had been told of before.
    """

    run_id: str
    event_id: int
    order: Order
    ordered: datetime
    heard: tuple[str, ...]
    began: datetime | None = None
    ended: datetime | None = None
    result: Result | None = None

    @property
    def at(self) -> datetime:
        """Its place in the story."""
        return self.ended or self.ordered

    @property
    def evidence(self) -> dict[str, Any]:
        """Where it was found."""
        return {"run_id": self.run_id, "event_id": self.event_id, "heard": list(self.heard)}


@dataclass(frozen=True)
class Told:
    """A message that a case accepted from somebody."""

    run_id: str
    event_id: int
    at: datetime
    message: Message
    heard: tuple[str, ...]

    @property
    def evidence(self) -> dict[str, Any]:
        """Where it was found."""
        return {"run_id": self.run_id, "event_id": self.event_id, "heard": list(self.heard)}


@dataclass
class Story:
    """A case as its histories tell it, in order. `strategy` is the last one it named, as `name version`."""

    key: LoanKey
    running: bool
    last: datetime
    lines: list[Acted | Told] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    strategy: str | None = None


async def workflows(client: Client, since: datetime) -> dict[str, list[tuple[datetime, str, bool]]]:
    """The runs of all cases that are running or ended since a moment, by workflow: when each began, its id, whether it runs."""
    at = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = f"WorkflowType = 'CollectionCase' and (ExecutionStatus = 'Running' or CloseTime >= '{at}')"
    found: dict[str, list[tuple[datetime, str, bool]]] = defaultdict(list)
    async for each in client.list_workflows(query):
        found[each.id].append((each.start_time, each.run_id, each.status is WorkflowExecutionStatus.RUNNING))
    return {workflow_id: sorted(runs) for workflow_id, runs in found.items()}


async def story(client: Client, workflow_id: str, runs: list[tuple[datetime, str, bool]]) -> Story | None:
    """What the runs of one case tell; None where the server has lost them meanwhile."""
    told: Story | None = None
    for _, run_id, running in runs:
        reader = _Reader(client, run_id)
        try:
            async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events():
                told = await reader.take(event, told)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        if told is not None:
            told.running = running
    if told is not None:
        told.lines.sort(key=lambda line: line.at)
    return told


class _Reader:
    """Reads one run, event by event."""

    def __init__(self, client: Client, run_id: str) -> None:
        self.client = client
        self.run_id = run_id
        self.acts: dict[int, Acted] = {}

    async def take(self, event: Any, told: Story | None) -> Story | None:
        at = event.event_time.ToDatetime(tzinfo=UTC)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            begun = event.workflow_execution_started_event_attributes
            state = await self._read(begun.input, CaseState)
            told = told or Story(state.case.key, running=True, last=at)
            if shown := begun.search_attributes.indexed_fields[STRATEGY.name].data:
                told.strategy = json.loads(shown)
        assert told is not None, "a history begins with its start"
        told.last = at
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                await self._ordered(event, at, told)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                if act := self.acts.get(event.activity_task_started_event_attributes.scheduled_event_id):
                    act.began = at
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                await self._signalled(event.workflow_execution_signaled_event_attributes, told)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                await self._accepted(event, at, told)
            case kind if kind in ENDED:
                await self._ended(event, getattr(event, ENDED[kind]), at, told)
        return told

    async def _ordered(self, event: Any, at: datetime, told: Story) -> None:
        attributes = event.activity_task_scheduled_event_attributes
        if attributes.activity_type.name in REMOTE:
            order = await self._read(attributes.input, Order)
            act = Acted(self.run_id, event.event_id, order, at, tuple(told.heard))
            self.acts[event.event_id] = act
            told.lines.append(act)

    async def _ended(self, event: Any, attributes: Any, at: datetime, told: Story) -> None:
        act = self.acts.get(attributes.scheduled_event_id)
        if act is None:
            return
        act.ended = at
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            act.result = await self._read(attributes.result, Result)
            told.strategy = act.result.standing.strategy

    async def _signalled(self, attributes: Any, told: Story) -> None:
        if attributes.input.payloads:
            news = await self._read(attributes.input, LedgerNews)
            said = news.model_dump()
            told.heard += [each["entry_id"] for each in (said, *said.get("entries", ())) if "entry_id" in each]

    async def _accepted(self, event: Any, at: datetime, told: Story) -> None:
        request = event.workflow_execution_update_accepted_event_attributes.accepted_request
        if request.input.name in UPDATES:
            body = await self._read(request.input.args, UPDATES[request.input.name])
            message = Message(
                message_id=request.meta.update_id, kind=request.input.name, body=body.model_dump(mode="json")
            )
            told.lines.append(Told(self.run_id, event.event_id, at, message, tuple(told.heard)))

    async def _read(self, payloads: Any, kind: type[T]) -> T:
        found: list[T] = await self.client.data_converter.decode(payloads.payloads, [kind])
        return found[0]


def is_text(action: Action) -> bool:
    """Whether an action sends a text."""
    return action in {Action.SEND_SMS, Action.THANK_BORROWER, Action.SEND_BOUNCE_NOTICE, Action.REMIND_OF_PROMISE}
