"""Promises to pay and instalment plans: the ledger alone says whether they were kept."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from domain.clock import business_date
from domain.errors import BadInput
from domain.facts import CaseFacts, Plan, Promise
from domain.strategy import Strategy

Verdict = Literal["kept", "part_kept", "broken"]


def judge_promise(promise: Promise, facts: CaseFacts, strategy: Strategy) -> Verdict | None:
    """The verdict on a promise; None while it can still be kept.

    Kept: at least `kept_at` of it was settled since it was made, by its day plus grace. Part-kept: something was.
    """
    if promise.paid >= promise.amount * strategy.promise.kept_at or facts.position.cured:
        return "kept"
    last_day = promise.due_on + timedelta(days=strategy.promise.grace_days)
    if business_date(facts.now, facts.lender_zone) <= last_day:
        return None
    return "part_kept" if promise.paid > 0 else "broken"


def judge_plan(agreed: Plan, facts: CaseFacts, strategy: Strategy) -> Literal["kept", "broken"] | None:
    """The verdict on a plan: kept when all of it came, broken when a date plus grace passed without its money."""
    today = business_date(facts.now, facts.lender_zone)
    owed = Decimal(0)
    for instalment in agreed.instalments:
        owed += instalment.amount
        late = today > instalment.due_on + timedelta(days=strategy.plan.grace_days)
        if late and agreed.paid < owed * strategy.plan.kept_at:
            return "broken"
    return "kept" if agreed.paid >= owed * strategy.plan.kept_at else None


def check_promise(amount: Decimal, due_on_days: int, facts: CaseFacts, strategy: Strategy) -> None:
    """Refuse a promise that the strategy's limits do not allow.

    Raises:
        BadInput: it is for nothing owed, too far away, in the past, or one of too many broken ones.
    """
    policy = strategy.promise
    if facts.position.arrears <= 0:
        raise BadInput("nothing is past due on this loan, so there is nothing to promise.")
    if amount > facts.position.outstanding:
        raise BadInput(
            f"a promise of {amount} is more than the {facts.position.outstanding} outstanding: promise up to that."
        )
    if not 0 <= due_on_days <= policy.max_days:
        raise BadInput(f"a promise must be due within {policy.max_days} days from today, not in {due_on_days}.")
    broken = (
        sum(p.status == "broken" for p in facts.promises) + sum(p.status == "part_kept" for p in facts.promises) / 2
    )
    if broken >= policy.max_broken > 0:
        raise BadInput(f"{policy.max_broken} promises were broken: agree a plan instead.")


def check_plan(agreed: Plan, facts: CaseFacts, strategy: Strategy, approved: bool) -> None:
    """Refuse a plan that the strategy's limits do not allow.

    Raises:
        BadInput: its dates go backwards, begin in the past, or run too long; or one that is long, or leaves a part of the arrears,
            has nobody's approval.
    """
    policy = strategy.plan
    today = business_date(facts.now, facts.lender_zone)
    dates = [i.due_on for i in agreed.instalments]
    if not dates or dates != sorted(set(dates)) or dates[0] < today:
        raise BadInput("a plan's dates must go forward, from today on, each once: give at least one.")
    length = (dates[-1] - today).days
    if length > policy.max_days:
        raise BadInput(f"a plan may run {policy.max_days} days, not {length}: shorten it.")
    if length > policy.approval_over_days and not approved:
        raise BadInput(f"a plan over {policy.approval_over_days} days needs a second person: name them in approved_by.")
    total = sum((i.amount for i in agreed.instalments), Decimal(0))
    if total > facts.position.outstanding:
        raise BadInput(
            f"a plan of {total} is more than the {facts.position.outstanding} outstanding: agree up to that."
        )
    late = facts.position.arrears - facts.position.fee_arrears  # late fees are often waived for a plan that is kept
    if total < late and not approved:
        raise BadInput(
            f"a plan of {total} leaves a part of the {late} of instalments past due: cover it, or name a second person in"
            " approved_by."
        )
