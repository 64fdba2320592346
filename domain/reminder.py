"""Reminders before the due date: which instalment of a loan without a case is spoken of today, if any."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from domain.book import Terms
from domain.loan import Entry, Instalment
from domain.position import position, unpaid_on
from domain.strategy import Step, Strategy


class Reminder(NamedTuple):
    """One text before one instalment falls due: its step, the instalment, and what is still unpaid of it, in the loan's currency."""

    step: Step
    instalment: Instalment
    amount: Decimal

    @property
    def step_id(self) -> str:
        """The key under which it is sent once: the strategy's step, for this instalment."""
        return f"{self.step.id}/{self.instalment.number}"


def days_ahead(strategy: Strategy) -> int:
    """How many days before a due date the strategy speaks of it first; 0 where it does not remind."""
    return max((-stage.from_dpd for stage in strategy.stages if stage.from_dpd < 0), default=0)


def reminder(
    instalments: Sequence[Instalment], entries: Sequence[Entry], today: date, terms: Terms, strategy: Strategy
) -> Reminder | None:
    """What to remind of today: of the next instalment with something unpaid, by the last step whose day has come.

    A stage with `from_dpd = -3` begins three days before; its steps' `day` counts from there. A step whose day was missed is left out
    once a later one's has come, and nobody is reminded on the due date's morrow: that is a case's business. None while anything is past due.
    """
    ahead = days_ahead(strategy)
    stands = unpaid_on(instalments, entries, today, terms)
    if not ahead or stands.ended or not position(instalments, entries, today, terms).cured:
        return None
    for instalment in sorted(instalments, key=lambda i: (i.due_on, i.number)):
        left = stands.left.get(instalment.number, Decimal(0))
        if today <= instalment.due_on <= today + timedelta(days=ahead) and left > terms.tolerance:
            step = _step_of(instalment.due_on, today, strategy)
            return Reminder(step, instalment, left) if step is not None else None
    return None


def _step_of(due_on: date, today: date, strategy: Strategy) -> Step | None:
    begun = [
        (due_on + timedelta(days=stage.from_dpd + step.day), step)
        for stage in strategy.stages
        if stage.from_dpd < 0
        for step in stage.steps
        if step.do == "sms"
    ]
    due = [step for day, step in sorted(begun, key=lambda each: each[0]) if day <= today]
    return due[-1] if due else None
