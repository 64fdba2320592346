"""The sums that a storm is held against, beside the slow ledger of the domain's tests."""

from dataclasses import asdict
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

import pytest

from domain.book import Terms
from domain.loan import Entry, Instalment
from tests.domain.money_model import Model
from tests.storm.arithmetic import CENT, stands
from tests.storm.portfolio import make

TODAY = date(2026, 3, 10)


def smaller(amount: Decimal, by: int) -> Decimal:
    """The model spends every cent by itself, and takes long over large amounts."""
    return (amount / by).quantize(CENT, ROUND_DOWN)


def scaled(schedule: list[Instalment], by: int) -> list[Instalment]:
    return [i._replace(principal=smaller(i.principal, by), interest=smaller(i.interest, by)) for i in schedule]


def slowly(schedule: list[Instalment], entries: list[Entry], day: date) -> dict[str, object]:
    says = Model(schedule, entries, day, Terms()).says()
    amounts = {name: Decimal(str(says[name])) * CENT for name in ("arrears", "outstanding", "overpaid")}
    return {**amounts, "days_past_due": says["days_past_due"], "oldest_due_on": says["oldest_due_on"]}


@pytest.mark.parametrize("seed", range(3))
def test_it_says_what_the_slow_ledger_says(tmp_path: Path, seed: int) -> None:
    portfolio = make(tmp_path, 350, seed, TODAY)
    money = portfolio.money()
    seen = []
    for n, (loan, schedule) in enumerate(portfolio.schedule().items()):
        owed = scaled(schedule, (20, 60, 200)[n % 3])
        entries = [e._replace(amount=smaller(e.amount, 20)) for e in money[loan]]
        for day in (TODAY, TODAY + timedelta(days=2)):
            found = stands(owed, entries, day)
            assert asdict(found) == slowly(owed, entries, day)
            seen.append(found)
    # There were late ones, and some that paid too much.
    assert any(s.days_past_due for s in seen)
    assert any(s.overpaid for s in seen)
