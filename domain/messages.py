"""What people and systems tell a case, and what it answers. Ids and figures only: names and numbers stay in the ledger."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from domain.holds import Scope
from domain.loan import Component

# Other names that people and programs use for a field.
_ALSO = {"due": "due_on", "due_date": "due_on", "from": "since", "id": "hold_id", "hold": "hold_id"}


def _exact(given: Any) -> Any:
    if isinstance(given, float):
        raise ValueError(f'{given} is no exact amount, write it as a string such as "50.00"')
    return given


Money = Annotated[Decimal, BeforeValidator(_exact)]


class Content(BaseModel):
    """What stands in a message; unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _usual_names(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {_ALSO[k] if k in _ALSO and _ALSO[k] in cls.model_fields else k: v for k, v in given.items()}


class Body(Content):
    """A message somebody sends to a case; `by` is an id, never a name."""

    by: str | None = None


class RecordOutcome(Body):
    """What a task brought. `data` depends on the code: a promise carries `amount` and `due_on`."""

    task_id: str
    code: str
    data: dict[str, Any] = Field(default_factory=dict)


class Spent(Content):
    """What a contact took: minutes of somebody's time, and its cost in the loan's currency."""

    minutes: Decimal | None = Field(None, ge=0)
    cost: Money | None = Field(None, ge=0)


class PromiseToPay(Body):
    """The borrower says what they pay, and when; amount in the loan's currency."""

    amount: Money = Field(gt=0)
    due_on: date
    channel: str | None = None


class PlanPayment(Content):
    """One payment of a plan to be agreed."""

    due_on: date
    amount: Money = Field(gt=0)


class AgreePlan(Body):
    """An instalment plan; a long one names who approved it besides the one who agreed it."""

    instalments: tuple[PlanPayment, ...] = Field(min_length=1, max_length=400)
    approved_by: str | None = None


class PlaceHold(Body):
    """Stop something for a while. `subject` is `loan`, `person` or `contact_point`; scopes default to the reason's own."""

    reason: str
    since: datetime | None = None
    until: datetime | date | None = None
    scopes: tuple[Scope, ...] = ()
    subject: str = "loan"
    subject_id: str | None = None


class ReleaseHold(Body):
    """End a hold, by its id or all of a reason."""

    hold_id: str | None = None
    reason: str | None = None


class RaiseDispute(Body):
    """The borrower disputes the debt: a hold of that reason. Where a part is named, no money is spent on it meanwhile."""

    reason: str | None = None
    instalment: int | None = None
    component: Component | None = None


class ResolveDispute(Body):
    """The dispute is settled: its hold ends, and money is spent on every part again."""

    reason: str | None = None


class Approve(Body):
    """A second person agrees to what a task brought, or waives a step."""

    by: str
    task_id: str | None = None
    waive: str | None = None
    reason: str | None = None


class Reassign(Body):
    """Hand the case, or one task, to another collector; a collector is named by an id."""

    to: str
    task_id: str | None = None


class CloseCase(Body):
    """End the case by hand: recalled, sold, settled elsewhere."""

    reason: str = "closed by hand"


class LedgerNews(BaseModel):
    """What the relay tells of the ledger; for the reader of the history, the facts are read when it is absorbed."""

    model_config = ConfigDict(frozen=True, extra="allow")

    message_id: str


UPDATES: dict[str, type[Body]] = {
    "record_outcome": RecordOutcome,
    "promise_to_pay": PromiseToPay,
    "agree_plan": AgreePlan,
    "place_hold": PlaceHold,
    "release_hold": ReleaseHold,
    "raise_dispute": RaiseDispute,
    "resolve_dispute": ResolveDispute,
    "approve": Approve,
    "reassign": Reassign,
    "close_case": CloseCase,
}
SIGNALS = ("payment_received", "payment_reversed", "ledger_changed", "reply_received", "contact_failed", "poke")


class Answer(BaseModel):
    """What an update returns: whether the message was taken, why not, and what the case does next."""

    accepted: bool
    reason: str | None = None
    next_step: dict[str, Any] | None = None
