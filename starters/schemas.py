"""What requests and answers look like, for /openapi.json and for the answers themselves."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.loan import EntryKind, EntryStatus
from starters.problems import Problem


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A model's schema with its definitions where they are used: inside an OpenAPI document a `#/$defs/...` points nowhere."""
    defined = schema.pop("$defs", {})

    def resolve(part: Any) -> Any:
        if isinstance(part, list):
            return [resolve(each) for each in part]
        if not isinstance(part, dict):
            return part
        named = str(part.get("$ref", "")).removeprefix("#/$defs/")
        meant = resolve(defined[named]) if named in defined else {}
        return meant | {name: resolve(value) for name, value in part.items() if name != "$ref"}

    resolved: dict[str, Any] = resolve(schema)
    return resolved


class EntryToPost(BaseModel):
    """One ledger entry, as a lender sends it."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    entry_id: str = Field(description="Yours, and the same whenever you send this entry again.", max_length=200)
    loan_id: str = Field(max_length=200)
    lender_id: str = Field(
        "default", description="Without it, that of the lender whose secret signs, else `default`.", max_length=200
    )
    kind: EntryKind
    amount: str = Field(description="A decimal number as text; positive, except an adjustment's.", examples=["12.50"])
    currency: str = Field(description="ISO 4217.", examples=["EUR"])
    value_date: date
    reverses: str | None = Field(None, description="The entry that a reversal takes back.")
    status: EntryStatus = EntryStatus.SETTLED
    component: str | None = None
    instalment: int | None = None
    direction: str | None = None
    reason: str | None = None
    source: str | None = None
    payer: str | None = None


class EntryAnswer(BaseModel):
    """What became of an entry. `changed`: it was pending, and has moved on; `suspense`: its loan is not known; it is kept."""

    entry_id: str
    status: Literal["new", "known", "changed", "suspense"]
    ledger_version: int | None = Field(description="Of its loan, after this entry; null in suspense.")


class BatchAnswer(BaseModel):
    """What became of one entry of a batch; a reason is given where it was not taken."""

    entry_id: str | None
    status: Literal["new", "known", "changed", "suspense", "conflict", "refused"]
    reason: str | None = None


class Held(BaseModel):
    """A hold that is active."""

    id: str
    reason: str
    scopes: list[str]
    since: datetime = Field(alias="from")
    until: datetime | None


class NextStep(BaseModel):
    """What a case does next."""

    what: str
    at: datetime | None
    why: str


class CaseAnswer(BaseModel):
    """Where a loan stands: ids and figures, amounts as text in the loan's currency."""

    lender_id: str
    loan_id: str
    status: Literal["current", "delinquent", "probation", "settled", "closed", "written_off"]
    stage: str | None
    currency: str
    arrears: str
    outstanding: str
    overpaid: str
    days_past_due: int
    collection_days: int
    oldest_due_on: date | None
    holds: list[Held]
    promise: dict[str, Any] | None
    plan: dict[str, Any] | None
    contacts: dict[str, int]
    next_step: NextStep | None
    workflow_id: str | None


class Readiness(BaseModel):
    """Whether every part answers; `reasons` says which does not. Stranded messages belong to cases whose workflow is lost.

    The age is in real seconds, of the oldest message that is not stranded.
    """

    ready: bool
    reasons: list[str]
    outbox_waiting: int | None
    outbox_stranded: int | None
    outbox_oldest_seconds: float | None


class NotReady(Problem, Readiness):
    """A problem (RFC 9457) with what is known of readiness beside it."""
