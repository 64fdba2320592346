"""What a case knows when it decides: a snapshot of the ledger at one moment, read under the loan's lock."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from domain.holds import Hold
from domain.loan import Frozen, LoanKey
from domain.position import Position

FINISHED = frozenset({"done", "impossible", "forbidden", "waived"})
TRIED = frozenset({"attempted", "missed", "failed"})


class StepRecord(Frozen):
    """One attempt at a step; `state` is as in the table `steps`."""

    step_id: str
    episode: int
    ordinal: int
    state: str
    began_at: datetime
    ended_at: datetime | None = None
    result: str | None = None


class TaskFact(Frozen):
    """An open task: `open`, or `answered` and waiting for a second pair of eyes."""

    task_id: str
    kind: str
    step_id: str
    episode: int = 1
    ordinal: int
    status: Literal["open", "answered"]
    opened_at: datetime
    deadline: datetime
    approval: str | None = None


class Effect(Frozen):
    """Something that touched the world and stands until it is undone: a task handed out, a letter, a suit."""

    effect_id: int
    kind: Literal["task", "letter", "suit"]
    step_id: str
    episode: int = 1
    ordinal: int
    state: Literal["open", "with_counsel"]
    task_id: str | None
    opened_at: datetime


class Promise(Frozen):
    """A promise to pay; `paid` is what was settled towards it since it was captured."""

    promise_id: str
    amount: Decimal
    due_on: date
    status: str
    captured_at: datetime
    judged_at: datetime | None = None
    paid: Decimal = Decimal(0)


class PlanInstalment(Frozen):
    """One agreed payment of an instalment plan."""

    due_on: date
    amount: Decimal


class Plan(Frozen):
    """An instalment plan that the borrower and the lender agreed; `paid` is what was settled since."""

    plan_id: str
    instalments: tuple[PlanInstalment, ...]
    status: str
    agreed_at: datetime
    judged_at: datetime | None = None
    paid: Decimal = Decimal(0)


class Request(Frozen):
    """Something the borrower asked for or said, that a person must still see to."""

    request_id: str
    kind: Literal["callback", "wrong_person", "already_paid", "dispute"]
    asked_at: datetime


class CaseFacts(Frozen):
    """Everything a decision depends on, and nothing else.

    `episode` counts the delinquencies of the case; steps count from `chain_from` on, so that a returned payment continues where the
    case was and a new delinquency starts afresh. `relapse` says how the episode began. `next_value_date` is the next day on which an
    entry already in the ledger starts to count. `lender_zone` gives the business date, `contact_zone` the borrower's hours.
    """

    key: LoanKey
    currency: str
    now: datetime
    lender_zone: str
    contact_zone: str
    position: Position
    next_value_date: date | None = None
    open: bool = True
    stage: str = "new"
    episode: int = 1
    chain_from: int = 1
    episode_at: datetime
    relapse: Literal["bounce", "misposted", "arrears"] | None = None
    cured_at: datetime | None = None
    closing: str | None = None
    rejected: bool = False
    steps: tuple[StepRecord, ...] = ()
    tasks: tuple[TaskFact, ...] = ()
    effects: tuple[Effect, ...] = ()
    holds: tuple[Hold, ...] = ()
    promises: tuple[Promise, ...] = ()
    plans: tuple[Plan, ...] = ()
    requests: tuple[Request, ...] = ()

    def records(self, step_id: str) -> list[StepRecord]:
        """The attempts at a step that count in this episode, oldest first."""
        found = [
            s for s in self.steps if s.step_id == step_id and s.episode >= self.chain_from and s.state != "withdrawn"
        ]
        return sorted(found, key=lambda s: (s.episode, s.ordinal))

    def next_ordinal(self, step_id: str) -> int:
        """The number of the next attempt at a step in this episode; never one that was used."""
        return 1 + max((s.ordinal for s in self.steps if s.step_id == step_id and s.episode == self.episode), default=0)

    def promise(self) -> Promise | None:
        """The promise that is open."""
        return next((p for p in self.promises if p.status == "active"), None)

    def plan(self) -> Plan | None:
        """The plan that is in force."""
        return next((p for p in self.plans if p.status == "active"), None)
