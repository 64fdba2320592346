"""Real loans, real payments, and an independent count of the instalments paid and the days past due."""

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.loan import Entry, EntryKind, Instalment
from domain.position import Terms, position

BERKA = Path(__file__).parents[1] / "tapes" / "berka"
TERMS = Terms(tolerance=Decimal("0.50"))


def _rows(name: str) -> list[dict[str, str]]:
    with (BERKA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def instalments() -> dict[str, list[Instalment]]:
    found = defaultdict(list)
    for row in _rows("instalments.csv"):
        parts = (Decimal(row[name]) for name in ("principal", "interest", "fee"))
        found[row["loan_id"]].append(Instalment(int(row["number"]), date.fromisoformat(row["due_on"]), *parts))
    return found


@pytest.fixture(scope="module")
def entries() -> dict[str, list[Entry]]:
    found = defaultdict(list)
    for row in _rows("entries.csv"):
        day = date.fromisoformat(row["value_date"])
        found[row["loan_id"]].append(Entry(row["entry_id"], EntryKind(row["kind"]), Decimal(row["amount"]), day))
    return found


def test_every_month_end(instalments: dict[str, list[Instalment]], entries: dict[str, list[Entry]]) -> None:
    expected = _rows("expected_dpd.csv")
    assert len({row["loan_id"] for row in expected}) == 34
    wrong = []
    for row in expected:
        loan_id = row["loan_id"]
        stands = position(instalments[loan_id], entries[loan_id], date.fromisoformat(row["as_of"]), TERMS)
        found = (stands.instalments_due, stands.instalments_paid, stands.days_past_due)
        if found != (int(row["installments_due"]), int(row["installments_paid"]), int(row["days_past_due"])):
            wrong.append((row, found))
    assert wrong == []
