"""What a late instalment costs by a lender's policy: once, after its grace, and never where the tape or a hold says otherwise."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from pydantic import Field, model_validator

from domain.book import Terms
from domain.loan import Entry, EntryKind, Frozen, Instalment
from domain.position import unpaid_on


class LateFeePolicy(Frozen):
    """A fixed `amount`, or a `rate` of what is unpaid of the instalment, up to `cap`; amounts in the loan's currency.

    It falls due the day after `grace_days` calendar days have passed since the due date, and never before `since`: a policy does not
    reach back.
    """

    since: date
    amount: Decimal | None = Field(None, gt=0)
    rate: Decimal | None = Field(None, gt=0, le=1)
    cap: Decimal | None = Field(None, gt=0)
    grace_days: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _is_one(self) -> "LateFeePolicy":
        if (self.amount is None) is (self.rate is None):
            raise ValueError("a late fee is an amount or a rate: give one of both")
        return self


class LateFee(NamedTuple):
    """One fee for one instalment, in the loan's currency, from a day on."""

    instalment: int
    on: date
    amount: Decimal


def late_fees(
    instalments: Sequence[Instalment],
    entries: Sequence[Entry],
    today: date,
    terms: Terms,
    policy: LateFeePolicy,
    held: Callable[[date], bool],
    unit: Decimal,
) -> list[LateFee]:
    """The fees that are due by today and not in the ledger, the oldest first.

    None for an instalment that has ever had one, posted here or on the tape, even if it was taken back; that was paid within its
    grace; whose fee would fall into a hold of fees, for good; that is disputed; or on a debt that is written off or due as a whole.

    Args:
        instalments: The schedule.
        entries: All entries of the loan.
        today: The lender's business date.
        terms: By which the loan is read.
        policy: The lender's.
        held: Whether fees were held on a day.
        unit: The smallest amount of the currency, such as 0.01.
    """
    charged = {
        charged_instalment(instalments, e.instalment, e.value_date) for e in entries if e.kind is EntryKind.LATE_FEE
    }
    fees = []
    for instalment in sorted(instalments, key=_place):
        on = instalment.due_on + timedelta(days=policy.grace_days + 1)
        if not policy.since <= on <= today or held(on) or instalment.number in charged:
            continue
        stands = unpaid_on(instalments, entries, on - timedelta(days=1), terms)
        left = stands.left.get(instalment.number, Decimal(0))
        if stands.ended or left <= terms.tolerance or _disputed(instalment.number, on, terms):
            continue
        amount = _amount(policy, left, unit)
        if amount > 0:
            fees.append(LateFee(instalment.number, on, amount))
    return fees


def charged_instalment(instalments: Iterable[Instalment], named: int | None, on: date) -> int | None:
    """The number of the instalment that a late fee of a day charges: the one it names, or else the last that fell due before; None for none."""
    if named is not None:
        return named
    last = max((i for i in instalments if i.due_on < on), key=_place, default=None)
    return last.number if last else None


def _place(instalment: Instalment) -> tuple[date, int]:
    return instalment.due_on, instalment.number


def _amount(policy: LateFeePolicy, left: Decimal, unit: Decimal) -> Decimal:
    amount = policy.amount if policy.amount is not None else left * (policy.rate or 0)
    return min(amount, policy.cap or amount).quantize(unit, ROUND_HALF_UP)


def _disputed(number: int, on: date, terms: Terms) -> bool:
    return any(
        d.since <= on and (d.until is None or on < d.until) and d.instalment in {None, number} for d in terms.disputed
    )
