"""The people of the demo: collectors, field agents, supervisors and counsel. Made up, and the same in every run.

What somebody answers depends on the loan alone, through a hash of its id, and on what really happened: a debtor who really paid
within a week promises it on the telephone.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

import asyncpg
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError

from arrears.demo.story import BUSINESS, FINDING, instalment, payments
from domain.clock import Clock
from domain.loan import LoanKey
from domain.messages import Answer, Approve, Body, RecordOutcome
from ledger.named import queries

WORK = queries("work")
ZONES = {True: ZoneInfo("Asia/Shanghai"), False: ZoneInfo("Europe/Rome")}
AT_WORK = (time(9, 0), time(18, 0))
PROMISE_DAYS = 7
log = logging.getLogger(__name__)

Task = Any


class Said(NamedTuple):
    """What a task brought."""

    code: str
    data: Mapping[str, Any] = MappingProxyType({})


def roll(loan_id: str, about: str) -> int:
    """A number from 0 to 99 that is the same in every run."""
    return crc32(f"{loan_id}/{about}".encode()) % 100


def call(loan_id: str, ordinal: int, today: date) -> Said:
    """What a call brings."""
    if loan_id in BUSINESS:
        return Said("NO_ANSWER")
    coming = [(day, amount) for day, amount in payments(loan_id) if 0 <= (day - today).days <= PROMISE_DAYS]
    if coming:
        day, amount = coming[0]
        return Said("RPC_PTP", {"amount": str(amount), "due_on": day.isoformat(), "channel": "call"})
    luck = roll(loan_id, f"call {ordinal}")
    if luck < 40:
        return Said("NO_ANSWER")
    if luck < 50:
        return Said("VOICEMAIL_LEFT")
    if luck < 85 or payments(loan_id):
        return Said("RPC_REFUSED")
    if luck < 95:  # a promise that nobody keeps
        due_on = today + timedelta(days=7)
        return Said("RPC_PTP", {"amount": str(instalment(loan_id)), "due_on": due_on.isoformat(), "channel": "call"})
    return Said("WRONG_NUMBER")


def visit(loan_id: str, ordinal: int, today: date) -> Said:
    """What a visit finds."""
    if loan_id in BUSINESS:
        return Said("MET_BORROWER", FINDING)
    luck = roll(loan_id, f"visit {ordinal}")
    if luck < 30:
        return Said("LOCKED")
    if luck < 45:
        return Said("ADDRESS_NOT_FOUND")
    return Said("MET_BORROWER" if luck < 85 else "REFUSED_TO_MEET")


def review(loan_id: str, ordinal: int, today: date) -> Said:
    """Whether a lawyer's letter is worth it."""
    settled = loan_id in BUSINESS or bool(payments(loan_id))
    return Said("REJECTED" if not settled and roll(loan_id, "review") < 15 else "APPROVED")


def _always(code: str) -> Callable[[str, int, date], Said]:
    return lambda *_: Said(code)


class Habit(NamedTuple):
    """How a kind of task is answered: by whom, between which hours after it was handed out, and how."""

    who: str
    hours: tuple[int, int]
    says: Callable[[str, int, date], Said]


HABITS = {
    "call": Habit("collector-1", (2, 26), call),
    "visit": Habit("agent-1", (48, 96), visit),
    "pre_legal_review": Habit("reviewer-1", (12, 36), review),
    "file_suit": Habit("counsel-1", (24, 48), _always("NOT_FILED")),
    "withdraw_letter": Habit("counsel-1", (12, 36), _always("WITHDRAWN")),
    "withdraw_suit": Habit("counsel-1", (12, 36), _always("WITHDRAWN")),
    "manual_review": Habit("supervisor-1", (12, 36), _always("REVIEWED")),
    "remedy": Habit("supervisor-1", (12, 36), _always("DONE")),
}
SECOND_PAIR_OF_EYES = "supervisor-1"


def answers_at(task: Task) -> datetime:
    """The business time at which somebody gets to a task: at work, in the borrower's own day."""
    first, last = HABITS[task["kind"]].hours
    at = task["opened_at"] + timedelta(hours=first + roll(task["loan_id"], task["task_id"]) * (last - first) / 100)
    if task["status"] == "answered":
        at += timedelta(hours=8)
    local: datetime = at.astimezone(ZONES[task["loan_id"] in BUSINESS])
    if local.time() < AT_WORK[0]:
        local = local.replace(hour=AT_WORK[0].hour, minute=0)
    elif local.time() >= AT_WORK[1]:
        local = (local + timedelta(days=1)).replace(hour=AT_WORK[0].hour, minute=0)
    return local


class People:
    """Answers tasks as their time comes, through the same updates as `arrears outcome` and `arrears send`."""

    def __init__(self, pool: asyncpg.Pool, client: Client, clock: Clock) -> None:
        self.answered = 0
        self._pool, self._client, self._clock = pool, client, clock
        self._in_hand: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as work:
            while True:
                now = await self._clock.now()
                for task in await self._waiting():
                    mine = (task["task_id"], task["status"])
                    if mine not in self._in_hand and answers_at(task) <= now:
                        self._in_hand.add(mine)
                        work.create_task(self._answer(task, now, mine))
                await asyncio.sleep(0.1)

    async def _waiting(self) -> list[Task]:
        async with self._pool.acquire() as conn:
            rows = WORK.list_tasks(conn, states=["open", "answered"], lender_id=None, most=1000)
            return [r async for r in rows]

    async def _answer(self, task: Task, now: datetime, mine: tuple[str, str]) -> None:
        kind, loan_id = task["kind"], task["loan_id"]
        if task["status"] == "answered":
            await self.tell(loan_id, "approve", Approve(by=SECOND_PAIR_OF_EYES, task_id=task["task_id"]), mine)
            return
        habit = HABITS[kind]
        ordinal = int(task["task_id"].rsplit(".", 1)[1])
        code, data = habit.says(loan_id, ordinal, now.date())
        body = RecordOutcome(task_id=task["task_id"], code=code, data=dict(data), by=habit.who)
        await self.tell(loan_id, "record_outcome", body, mine)

    async def tell(self, loan_id: str, name: str, body: Body, mine: tuple[str, str] | None = None) -> Answer | None:
        """Send an update; None where the case was gone, or Temporal did not take it and it is tried again."""
        handle = self._client.get_workflow_handle(LoanKey("default", loan_id).workflow_id)
        update_id = f"demo-{name}-{mine[0] if mine else loan_id}"
        try:
            answer: Answer = await handle.execute_update(name, body, id=update_id, result_type=Answer)
        except WorkflowUpdateFailedError as error:
            log.warning("Loan %s takes no %s: %s", loan_id, name, error.cause)
            return None
        except RPCError as error:
            log.warning("Loan %s did not hear %s: %s", loan_id, name, error.message)
            if mine:
                self._in_hand.discard(mine)
            return None
        if answer.accepted:
            self.answered += 1
        else:
            log.warning("Loan %s refused %s: %s", loan_id, name, answer.reason)
        return answer
