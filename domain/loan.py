"""What a lender hands over: loans, their instalments, the people around them, and how to reach those."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

# What owed money is made of: the three of a schedule, and what is charged on top of it.
Component = Literal["interest", "principal", "fee", "late_fee", "cost", "other"]
SCHEDULED: tuple[Component, ...] = ("interest", "principal", "fee")
COMPONENTS: tuple[Component, ...] = (*SCHEDULED, "late_fee", "cost", "other")
# What may fall due by date and age: the schedule's own, and what no kind names, such as money that went back.
DATED: tuple[Component, ...] = (*SCHEDULED, "other")


class LoanKey(NamedTuple):
    """A loan's identity; loan ids are unique only within their lender."""

    lender_id: str
    loan_id: str

    @property
    def workflow_id(self) -> str:
        """The id of the one workflow that collects this loan (design.md 3, identity)."""
        return f"loan-{self.lender_id}-{self.loan_id}"

    def task_id(self, episode: int, step_id: str, ordinal: int) -> str:
        """A task's id says where it comes from, so that a retry hands out no second one, and no two loans share one.

        The shipped lender goes without saying. Where a dot or slash in an id leaves open whose loan it is, a slash parts the two.
        """
        if set("./") & {*self.lender_id, *self.loan_id}:
            whose = str(self)
        else:
            whose = self.loan_id if self.lender_id == "default" else f"{self.lender_id}.{self.loan_id}"
        return f"{whose}.{episode}.{step_id}.{ordinal}"

    def __str__(self) -> str:
        """`lender/loan`, the form that the command line takes."""
        return f"{self.lender_id}/{self.loan_id}"


class Frozen(BaseModel):
    """A fact: it does not change, and it has no field that nobody declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Loan(Frozen):
    """The terms of a loan that matter to its collection."""

    lender_id: str
    loan_id: str
    borrower_id: str
    currency: str
    country: str
    product: str
    opened_on: date
    purpose: str = "consumer"
    creditor_role: str = "original"
    governing_law: str | None = None

    @property
    def key(self) -> LoanKey:
        """The loan's identity."""
        return LoanKey(self.lender_id, self.loan_id)


class Instalment(NamedTuple):
    """One scheduled payment; amounts are in the loan's currency."""

    number: int
    due_on: date
    principal: Decimal
    interest: Decimal
    fee: Decimal

    @property
    def amount(self) -> Decimal:
        """All that falls due on the day."""
        return self.principal + self.interest + self.fee


class EntryKind(StrEnum):
    """What a ledger entry means (design.md 5)."""

    PAYMENT = "payment"
    REVERSAL = "reversal"
    INTEREST = "interest"
    LATE_FEE = "late_fee"
    COST = "cost"
    WAIVER = "waiver"
    ADJUSTMENT = "adjustment"
    REFUND = "refund"
    SETTLEMENT_DISCOUNT = "settlement_discount"
    OPENING_BALANCE = "opening_balance"
    WRITE_OFF = "write_off"
    ACCELERATE = "accelerate"
    REINSTATE = "reinstate"


class EntryStatus(StrEnum):
    """Whether the money is really there; only settled entries move a position."""

    PENDING = "pending"
    SETTLED = "settled"
    RETURNED = "returned"


class Entry(NamedTuple):
    """One line of the append-only ledger.

    `amount` is positive, except an adjustment's, whose sign says whether the debt grows. `version` is the loan's ledger version
    that the entry made; it orders commits, never positions. `component`, `instalment` (its number) and `direction` say what the money
    is for, or what a charge belongs to (docs/money.md).
    """

    entry_id: str
    kind: EntryKind
    amount: Decimal
    value_date: date
    reverses: str | None = None
    status: EntryStatus = EntryStatus.SETTLED
    reason: str | None = None
    version: int = 0
    component: str | None = None
    instalment: int | None = None
    direction: str | None = None


class Party(Frozen):
    """A person or a business around a loan. Names stay in the ledger and in the texts sent, nowhere else."""

    lender_id: str
    party_id: str
    name: str
    kind: str = "person"
    language: str = "en"
    role: str = "borrower"
    liable: bool = True
    may_discuss: bool = True


class ContactPoint(Frozen):
    """One way to reach a party."""

    party_id: str
    kind: str
    value: str
    timezone: str | None = None
    country: str | None = None
    status: str = "active"
