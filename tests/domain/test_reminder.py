from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.book import Terms
from domain.loan import Entry, EntryKind, Instalment
from domain.reminder import Reminder, days_ahead, reminder
from domain.strategy import Stage, Step, Strategy

D = Decimal
DUE = date(2026, 3, 20)
SCHEDULE = [Instalment(1, date(2026, 2, 20), D(100), D(0), D(0)), Instalment(2, DUE, D(100), D(0), D(0))]
FIRST = Entry("p1", EntryKind.PAYMENT, D(100), date(2026, 2, 20))
STRATEGY = Strategy(
    name="reminds",
    version=1,
    calendar="CN",
    stages=(
        Stage(
            name="reminder",
            from_dpd=-5,
            steps=(
                Step(id="remind-1", do="sms", template="upcoming"),
                Step(id="remind-2", do="sms", template="upcoming", day=4),
            ),
        ),
        Stage(name="sms", from_dpd=1, steps=(Step(id="sms-1", do="sms", template="gentle"),)),
    ),
)


def on(day: date, *entries: Entry, strategy: Strategy = STRATEGY) -> Reminder | None:
    return reminder(SCHEDULE, [FIRST, *entries], day, Terms(), strategy)


@pytest.mark.parametrize(
    ("ahead", "step"),
    [(6, None), (5, "remind-1/2"), (2, "remind-1/2"), (1, "remind-2/2"), (0, "remind-2/2"), (-1, None)],
)
def test_the_last_step_whose_day_has_come(ahead: int, step: str | None) -> None:
    found = on(DUE - timedelta(days=ahead))
    assert (found.step_id if found else None) == step


def test_it_speaks_of_what_is_left() -> None:
    part = Entry("p2", EntryKind.PAYMENT, D(40), date(2026, 3, 1))
    found = on(DUE, part)
    assert found is not None
    assert (found.amount, found.instalment.number) == (D(60), 2)


def test_nobody_is_reminded_of_what_is_paid_or_past_due() -> None:
    assert on(DUE, Entry("p2", EntryKind.PAYMENT, D(100), date(2026, 3, 1))) is None
    assert reminder(SCHEDULE, [], DUE, Terms(), STRATEGY) is None  # the first is past due: a case speaks of it


def test_a_strategy_without_such_a_stage_does_not_remind() -> None:
    silent = STRATEGY.model_copy(update={"stages": STRATEGY.stages[1:]})
    assert (days_ahead(STRATEGY), days_ahead(silent)) == (5, 0)
    assert on(DUE, strategy=silent) is None
