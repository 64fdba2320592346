"""What workflows and activities say to each other. Ids, figures and reasons only: this is what Temporal keeps."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from temporalio.common import RetryPolicy

from domain.decision import Action, Decision
from domain.loan import LoanKey
from domain.messages import Answer

CASES, CONTACT, OFFICE = "cases", "contact", "office"


class Payload(BaseModel):
    """A value that crosses into Temporal; an unknown field of a newer version is ignored, so that either side may be upgraded first."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class CaseRef(Payload):
    """Which case: a loan's identity."""

    lender_id: str
    loan_id: str

    @property
    def key(self) -> LoanKey:
        """The loan's identity, as the ledger knows it."""
        return LoanKey(self.lender_id, self.loan_id)


class Message(Payload):
    """One message as it waits in a case's inbox. `message_id` makes sure that it is absorbed once."""

    message_id: str
    kind: str
    body: dict[str, Any] = Field(default_factory=dict)


class Order(Payload):
    """Carry out this decision for this case."""

    case: CaseRef
    decision: Decision


class Absorb(Payload):
    """Write these messages into the ledger, in this order, and decide anew."""

    case: CaseRef
    messages: tuple[Message, ...]


class Agreed(Payload):
    """What the borrower said to pay, by when, and what came of it since: a promise, or a plan with its next date."""

    amount: Decimal
    paid: Decimal
    due_on: date


class Made(Payload):
    """A contact by its step, the lender's day, and how it ended: a code, or what the carrier said."""

    step_id: str
    on: date
    result: str


class Standing(Payload):
    """How a case stands, for operators: the card, and the search attributes. Amounts in the loan's currency."""

    status: str
    stage: str
    strategy: str
    country: str
    currency: str
    arrears: Decimal
    outstanding: Decimal
    days_past_due: int
    delinquent_since: datetime | None = None
    hold_scopes: tuple[str, ...] = ()
    collector: str | None = None
    episode: int = 1
    promise: Agreed | None = None
    plan: Agreed | None = None
    contacts: tuple[Made, ...] = ()  # the last few, newest first

    @property
    def band(self) -> str:
        """The band of days past due that operators filter by (domain.md 3a)."""
        for name, up_to in (("current", 0), ("1-29", 29), ("30-59", 59), ("60-89", 89)):
            if self.days_past_due <= up_to:
                return name
        return "90+"


class Result(Payload):
    """What an activity did, and the decision that follows from what it wrote.

    `wake_at` is the real time of `decision.at`. `answers` are for the senders of absorbed updates, by message id.
    """

    done: str
    decision: Decision
    wake_at: datetime | None
    standing: Standing
    closed: bool = False
    answers: dict[str, Answer] = Field(default_factory=dict)


class SweepResult(Payload):
    """How many cases one page of the sweep started, and where the next begins; None when it was the last.

    The last page for cases says whether any lender charges late fees, and any strategy reminds. `again_at` is the earliest real time at
    which what a rule put off may be tried again.
    """

    started: int
    after: tuple[str, str] | None = None
    charges: bool = False
    reminds: bool = False
    again_at: datetime | None = None


class SweepRequest(Payload):
    """Start cases for what became due, of one lender or loan if named; `after` is where the last page ended.

    `walk` is the activity that does the pages, `started` how many cases it has started, `again_at` what its pages said.
    """

    lender_id: str | None = None
    loan_id: str | None = None
    after: tuple[str, str] | None = None
    page: int = 500
    walk: str = "start_due_cases"
    started: int = 0
    again_at: datetime | None = None

    def counting(self, page: SweepResult) -> "SweepRequest":
        """The request for the page after this one."""
        again = [at for at in (self.again_at, page.again_at) if at is not None]
        done = {"after": page.after, "started": self.started + page.started, "again_at": min(again, default=None)}
        return self.model_copy(update=done)

    def walking(self, walk: str) -> "SweepRequest":
        """The request for another walk, from its beginning."""
        return self.model_copy(update={"walk": walk, "after": None, "again_at": None})


@dataclass(frozen=True)
class Contract:
    """How an activity is called. Those that touch only the ledger run as local activities: one event each."""

    queue: str | None
    schedule_to_close: timedelta | None
    start_to_close: timedelta
    retry: RetryPolicy

    @property
    def local(self) -> bool:
        """Whether it runs inside the workflow's own worker."""
        return self.queue is None


_LEDGER = Contract(
    None,
    None,
    timedelta(seconds=30),
    RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
)
# A contact is not tried for hours while the case hears nothing: it fails soon, and the planner answers.
_CONTACT = Contract(
    CONTACT,
    timedelta(minutes=10),
    timedelta(seconds=40),
    RetryPolicy(
        initial_interval=timedelta(seconds=2),
        maximum_interval=timedelta(minutes=1),
        non_retryable_error_types=["BadInput"],  # words that are refused once are refused always
    ),
)
_OFFICE = Contract(
    OFFICE,
    timedelta(minutes=10),
    timedelta(seconds=30),
    RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=1)),
)

CONTRACTS: dict[Action, Contract] = {
    Action.RECONSIDER: _LEDGER,
    Action.MISS_DEADLINE: _LEDGER,
    Action.JUDGE_PROMISE: _LEDGER,
    Action.JUDGE_PLAN: _LEDGER,
    Action.BEGIN_EPISODE: _LEDGER,
    Action.CLOSE_CASE: _LEDGER,
    Action.SEND_SMS: _CONTACT,
    Action.PLACE_VOICE_CALL: _CONTACT,
    Action.SEND_DEMAND_LETTER: _CONTACT,
    Action.REMIND_OF_PROMISE: _CONTACT,
    Action.THANK_BORROWER: _CONTACT,
    Action.SEND_BOUNCE_NOTICE: _CONTACT,
    Action.OPEN_CALL_TASK: _OFFICE,
    Action.BOOK_VISIT: _OFFICE,
    Action.OPEN_PRE_LEGAL_REVIEW: _OFFICE,
    Action.OPEN_FILING_TASK: _OFFICE,
    Action.OPEN_CALLBACK_TASK: _OFFICE,
    Action.OPEN_ANSWER_TASK: _OFFICE,
    Action.OPEN_MANUAL_REVIEW: _OFFICE,
    Action.OPEN_REMEDY_TASK: _OFFICE,
    Action.WITHDRAW_TASK: _OFFICE,
    Action.WITHDRAW_LETTER: _OFFICE,
    Action.WITHDRAW_SUIT: _OFFICE,
}
DECIDE, ABSORB = "decide", "absorb"
SWEEP, CHARGE, REMIND = "start_due_cases", "charge_late_fees", "remind_of_due"
LEDGER_ONLY = _LEDGER
