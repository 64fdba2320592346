"""One loan's case, as a test handles it: pay it, tell it, let its time come, and ask what became of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory

from activities.case_in_hand import Desk, standing
from activities.contracts import CaseRef, Result
from activities.contracts.attributes import at_start
from activities.contracts.state import CaseState, Status
from activities.opening import Opening
from domain.loan import EntryKind, LoanKey
from domain.messages import Answer
from domain.plan import plan
from ledger.new_entry import NewEntry
from ledger.posting import Posted, post_entry
from starters.telling import tell

if TYPE_CHECKING:
    from tests.scenario import Scene

UNDER_WAY = (EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)


async def poll(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 60) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it does not in the time given.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not await condition():
        assert loop.time() < end, f"gave up waiting: {what}"
        await asyncio.sleep(0.01)


class Next(NamedTuple):
    """What a case does next."""

    what: str
    at: datetime | None
    why: str
    stage: str


@dataclass
class Case:
    """One loan and its case."""

    scene: "Scene"
    key: LoanKey
    party: str

    @property
    def handle(self) -> "WorkflowHandle[Any, Any]":
        return self.scene.client.get_workflow_handle(self.key.workflow_id)

    @property
    def ref(self) -> CaseRef:
        return CaseRef(lender_id=self.key.lender_id, loan_id=self.key.loan_id)

    async def open(self, roll_over_after: int | None = None) -> None:
        """Begin the case, as the sweep does; `roll_over_after` makes its histories as short as a test wants."""
        opening = _Opening(Desk(self.scene.pool, self.scene.clock), self.scene.client, roll_over_after)
        assert await opening.open(self.key)
        self.scene.cases.append(self)
        await self.settle()

    # --- what happens to it ---

    async def pay(self, amount: str, **more: Any) -> Posted:
        """Money comes in today, and the case hears of it."""
        return await self.post(EntryKind.PAYMENT, amount, **more)

    async def reverse(self, entry_id: str, amount: str, reason: str = "R01") -> Posted:
        """A payment is returned."""
        return await self.post(EntryKind.REVERSAL, amount, reverses=entry_id, reason=reason)

    async def post(
        self, kind: EntryKind, amount: str, entry_id: str | None = None, *, silently: bool = False, **more: Any
    ) -> Posted:
        """Post an entry, and let the case hear of it unless `silently`."""
        values: dict[str, Any] = {"value_date": await self.scene.today(), **more}
        entry = NewEntry(
            entry_id=entry_id or f"E-{uuid4().hex[:8]}",
            loan_id=self.key.loan_id,
            kind=kind,
            amount=Decimal(amount),
            currency="EUR",
            **values,
        )
        posted = await post_entry(self.scene.pool, entry, self.scene.clock)
        if not silently:
            await self.scene.settle()
        return posted

    async def tell(self, message: str, *, id: str | None = None, **body: Any) -> Answer:  # noqa: A002 - Temporal's word
        """Tell the case something, and wait for its answer."""
        answer = await tell(self.handle, message, body, id)
        await self.scene.settle()
        return answer

    async def poke(self) -> None:
        """Wake the case up."""
        known = (await self.told()).count("poke")
        await self.handle.signal("poke")

        async def heard() -> bool:
            return (await self.told()).count("poke") > known

        await poll(heard, f"case {self.key} to hear the poke")
        await self.scene.settle()

    async def taken(self, message: str, **body: Any) -> Answer:
        """As `tell`, for what must be accepted."""
        answer = await self.tell(message, **body)
        assert answer.accepted, answer.reason
        return answer

    async def answer(self, kind: str, code: str, *, by: str = "c1", **data: Any) -> Answer:
        """Answer the open task of a kind."""
        return await self.taken(
            "record_outcome", task_id=(await self.task(kind))["task_id"], code=code, by=by, data=data
        )

    # --- time, as the case sees it ---

    async def settle(self) -> None:
        """Wait until nothing is due and every message is taken in. The ledger is watched, not the workflow: a query costs events here."""
        await poll(self._rests, f"case {self.key} to come to rest")

    async def _rests(self) -> bool:
        row: Any = await self.scene.pool.fetchrow(
            """
            select c.open, c.next_step, coalesce((
                select exists (select from case_events e where e.lender_id = $1 and e.loan_id = $2 and e.message_id = coalesce(o.payload ->> 'message_id', 'outbox-' || o.id))
                from outbox o where o.lender_id = $1 and o.loan_id = $2 and o.result = 'signalled' order by o.id desc limit 1), true) as told
            from cases c where c.lender_id = $1 and c.loan_id = $2
            """,
            *self.key,
        )
        if not row["open"]:
            return True
        if row["next_step"] is None or not row["told"]:
            return False
        at = row["next_step"]["at"]
        return at is None or datetime.fromisoformat(at) > await self.scene.now()

    async def next(self) -> Next:
        """What it does next, when, and why, as the ledger tells operators."""
        row = await self.row()
        step = row["next_step"] or {"what": "nothing", "at": None, "why": "closed"}
        return Next(step["what"], datetime.fromisoformat(step["at"]) if step["at"] else None, step["why"], row["stage"])

    async def wake(self) -> Next:
        """Let time pass up to what the case does next, and let it be done; what it does after that."""
        coming = await self.next()
        assert coming.at is not None, f"only a message can move this case: {coming.why}"
        await self.scene.sleep(max(coming.at - await self.scene.now(), timedelta(0)) + timedelta(seconds=1))
        return await self.next()

    async def until(self, holds: Callable[[Next], bool], most: int = 30) -> Next:
        """Wake the case again and again until what it does next is as wanted."""
        coming = await self.next()
        for _ in range(most):
            if holds(coming):
                return coming
            coming = await self.wake()
        raise AssertionError(f"it did not come to that in {most} turns: {coming}")

    async def until_closed(self) -> None:
        await self.until(lambda n: n.stage == "closed")

    async def until_task(self, kind: str) -> Any:
        """Go on until a task of this kind is handed out; the task."""
        for _ in range(30):
            for task in await self.tasks():
                if task["kind"] == kind:
                    return task
            await self.wake()
        raise AssertionError(f"no {kind} task came")

    # --- what can be asked ---

    async def status(self) -> Status:
        status: Status = await self.handle.query("status", result_type=Status)
        return status

    async def latest(self) -> Result:
        status = await self.status()
        assert status.latest is not None
        return status.latest

    async def row(self) -> Any:
        return await self.scene.pool.fetchrow("select * from cases where lender_id = $1 and loan_id = $2", *self.key)

    async def is_open(self) -> bool:
        return bool((await self.row())["open"])

    async def _rows(self, query: str, *more: Any) -> list[Any]:
        return list(await self.scene.pool.fetch(query, *self.key, *more))

    async def tasks(self, *states: str) -> list[Any]:
        """Tasks in these states, by default those somebody has to do."""
        return await self._rows(
            "select * from tasks where lender_id = $1 and loan_id = $2 and status = any($3::text[]) order by opened_at, task_id",
            list(states or ("open", "answered")),
        )

    async def task(self, kind: str) -> Any:
        """The one open task of a kind."""
        found = [t for t in await self.tasks() if t["kind"] == kind]
        assert len(found) == 1, f"{len(found)} open tasks of kind {kind}"
        return found[0]

    async def contacts(self) -> list[Any]:
        return await self._rows(
            "select * from contacts where lender_id = $1 and loan_id = $2 order by reserved_at, ordinal"
        )

    async def contacts_by(self, channel: str) -> list[Any]:
        """Those that may have reached the person on one channel."""
        made = {"sending", "sent", "unknown", "failed"}
        return [c for c in await self.contacts() if c["channel"] == channel and c["state"] in made]

    async def sent(self) -> list[str]:
        """What may have reached the person, as `channel step state`."""
        rows = [c for c in await self.contacts() if c["state"] in {"sending", "sent", "unknown", "failed"}]
        return [f"{c['channel']} {c['step_id']} {c['state']}" for c in rows]

    async def steps(self) -> list[str]:
        """What became of each attempt, as `step episode.ordinal state`."""
        rows = await self._rows(
            "select * from steps where lender_id = $1 and loan_id = $2 order by began_at, step_id, ordinal"
        )
        return [f"{s['step_id']} {s['episode']}.{s['ordinal']} {s['state']}" for s in rows]

    async def effects(self) -> list[str]:
        """What touched the world, as `kind state`."""
        rows = await self._rows("select * from effects where lender_id = $1 and loan_id = $2 order by effect_id")
        return [f"{e['kind']} {e['step_id']} {e['state']}" for e in rows]

    async def journal(self) -> list[Any]:
        return await self._rows("select * from case_events where lender_id = $1 and loan_id = $2 order by id")

    async def told(self) -> list[str]:
        """The kinds of the journal's lines."""
        return [e["kind"] for e in await self.journal()]

    async def histories(self) -> list[WorkflowHistory]:
        """The history of every run, first to last, once the workflow has reported what it did."""
        for _ in range(100):
            if await self._reported():
                break
            await asyncio.sleep(0.02)  # a task that is held up on purpose may be looked at as it stands
        return await self._runs()

    async def _reported(self) -> bool:
        """Whether no task of the workflow is under way: the ledger knows of a local activity before the history does."""
        return (await self._runs())[-1].events[-1].event_type not in UNDER_WAY

    async def _runs(self) -> list[WorkflowHistory]:
        found: list[WorkflowHistory] = []
        run_id: str | None = None
        while True:
            handle = self.scene.client.get_workflow_handle(self.key.workflow_id, run_id=run_id)
            history = await handle.fetch_history()
            found.insert(0, history)
            run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id or None
            if run_id is None:
                return found

    async def events(self) -> int:
        """How many events of history it took, over all runs."""
        return sum(len(h.events) for h in await self.histories())

    async def acted(self) -> list[str]:
        """The types of all activities, local ones too, in order, over all runs."""
        names = []
        for history in await self.histories():
            for event in history.events:
                if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                    names.append(event.activity_task_scheduled_event_attributes.activity_type.name)
                elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
                    data = event.marker_recorded_event_attributes.details["data"].payloads[0].data.decode()
                    names.append(data.split('"activity_type":"')[1].split('"')[0])
        return names


class _Opening(Opening):
    """As the sweep's, but it can make runs short."""

    def __init__(self, desk: Desk, client: Client, roll_over_after: int | None) -> None:
        super().__init__(desk, client)
        self.roll_over_after = roll_over_after

    async def start(self, key: LoanKey) -> None:
        if self.roll_over_after is None:
            await super().start(key)
            return
        async with self.desk.take(key) as case:
            attributes = at_start(key.lender_id, standing(case, plan(case.facts, case.row.strategy)))
        ref = CaseRef(lender_id=key.lender_id, loan_id=key.loan_id)
        await self.client.start_workflow(
            "CollectionCase",
            CaseState(case=ref, roll_over_after=self.roll_over_after),
            id=key.workflow_id,
            task_queue="cases",
            task_timeout=timedelta(seconds=2),
            search_attributes=attributes,
            static_summary=f"Loan {key}",
        )
