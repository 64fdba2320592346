from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.erasure import Held, refusals

LAST = date(2020, 2, 29)


def held(**more: Any) -> Held:
    return Held(**{"loan": "L-1", "country": "IT", "last_on": LAST, **more})


def rules(*loans: Held, on: date = date(2026, 1, 1), years: int = 5) -> list[str]:
    return [r.rule.removeprefix("erasure.") for r in refusals(loans, on, years)]


def test_what_nobody_owes_or_has_to_keep_may_go() -> None:
    assert rules(held()) == []
    assert rules() == []


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"outstanding": Decimal("0.01")}, "OPEN_DEBT"),
        ({"overpaid": Decimal("0.01")}, "OVERPAID"),
        ({"open_case": True}, "OPEN_CASE"),
        ({"pending": True}, "PENDING"),
        ({"disputed": True}, "LEGAL_CLAIM"),
    ],
)
def test_what_is_open_stays(more: dict[str, Any], rule: str) -> None:
    assert rules(held(**more)) == [rule]
    assert rules(held(), held(**more)) == [rule]


def test_records_are_kept_to_the_day() -> None:
    assert rules(held(), on=date(2025, 2, 28)) == ["KEEP_HOUSE"]
    assert rules(held(), on=date(2025, 3, 1)) == []


def test_the_house_shortens_no_law() -> None:
    assert rules(held(country="US"), on=date(2023, 2, 28), years=0) == ["KEEP_US"]
    assert rules(held(country="US"), on=date(2023, 3, 1), years=0) == []
    assert rules(held(country="CN"), on=date(2024, 1, 1), years=0) == ["KEEP_CN"]
    assert rules(held(), on=LAST, years=0) == []


def test_a_refusal_names_rule_loan_day_and_source() -> None:
    [refusal] = refusals([held(country="US")], date(2023, 1, 1), 0)
    assert refusal.until == date(2023, 3, 1)
    assert refusal.says == "records of loan L-1 are kept until 2023-03-01 (3 years; 12 CFR 1006.100(a))"
