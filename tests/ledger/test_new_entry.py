from decimal import Decimal
from typing import Any

import pytest

from domain.errors import BadInput
from domain.loan import EntryKind, EntryStatus
from ledger.new_entry import NewEntry
from tests.ledger.samples import entry

GOOD: dict[str, Any] = {
    "entry_id": "E-1",
    "loan_id": "L-1",
    "kind": "payment",
    "amount": "100.00",
    "currency": "EUR",
    "value_date": "2026-03-09",
}


def test_reads_what_is_good() -> None:
    assert NewEntry.read(GOOD) == entry()
    assert NewEntry.read(GOOD | {"amount": 100, "reverses": "", "reason": None}) == entry()
    assert NewEntry.read(GOOD, "acme").lender_id == "acme"
    for day in ("1900-01-01", "2199-12-31"):
        assert NewEntry.read(GOOD | {"value_date": day}).value_date.isoformat() == day
    assert NewEntry.read(GOOD | {"loan_id": "贷款-1", "payer": "نام\u200cها"}).payer == "نام\u200cها"
    assert NewEntry.read(GOOD | {"status": "pending", "instalment": 3}).status is EntryStatus.PENDING
    lower = NewEntry.read(GOOD | {"kind": "adjustment", "amount": "-5"})
    assert (lower.kind, lower.amount) == (EntryKind.ADJUSTMENT, Decimal(-5))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kind": "gift"}, "kind 'gift' is not known: use one of payment, reversal"),
        ({"amount": "0.00"}, "amount is zero"),
        ({"amount": "35.000000001"}, "amount 35.000000001 has more decimals than EUR allows"),
        ({"amount": "0.5", "currency": "JPY"}, "more decimals than JPY allows"),
        ({"amount": "-1"}, "amount -1 is negative"),
        ({"amount": 35.5}, "amount is a JSON number with decimals"),
        ({"amount": True}, "amount is neither text nor number"),
        ({"amount": [1]}, "amount is neither text nor number"),
        ({"amount": {}}, "amount is neither text nor number"),
        ({"amount": "1e3"}, "amount '1e3' is not a number"),
        ({"amount": "1_000"}, "is not a number"),
        ({"amount": "NaN"}, "is not a number"),
        ({"amount": "1" * 13}, "out of range"),
        ({"currency": "EURO"}, "currency 'EURO' is not an ISO 4217 code"),
        ({"value_date": "2026-02-30"}, "value_date '2026-02-30' is not a date"),
        ({"value_date": "20260301"}, "is not a date"),
        ({"value_date": 20260301}, "value_date is not a text"),
        (
            {"value_date": "0001-01-01"},
            "value_date 0001-01-01 is out of range: give a day from 1900-01-01 to 2199-12-31",
        ),
        ({"value_date": "1899-12-31"}, "is out of range"),
        ({"value_date": "2200-01-01"}, "is out of range"),
        ({"entry_id": ""}, "entry_id is missing"),
        ({"loan_id": None}, "loan_id is missing"),
        ({"entry_id": "E\x00"}, "entry_id holds a control character"),
        ({"payer": "\ud800"}, "payer holds a control character"),
        ({"entry_id": " E-1"}, "begins or ends with a space"),
        ({"entry_id": "E-1\u2003"}, "begins or ends with a space"),
        ({"loan_id": "\u00a0L-1"}, "begins or ends with a space"),
        ({"loan_id": "L\u200b-1"}, "loan_id holds a character that cannot be seen"),
        ({"entry_id": "E-1\u0085-1"}, "entry_id holds a character that cannot be seen"),
        ({"reason": "r" * 201}, "reason is longer than 200"),
        ({"kind": "reversal"}, "reverses is missing"),
        ({"reverses": "E-0"}, "reverses is for reversals alone"),
        ({"status": "lost"}, "status 'lost' is not known"),
        ({"instalment": "first"}, "instalment 'first' is not a whole number"),
        ({"amuont": "1"}, "amuont is not a field of an entry"),
    ],
)
def test_refuses_the_rest_with_a_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        NewEntry.read(GOOD | given)
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(".")


def test_says_all_that_is_wrong_at_once() -> None:
    with pytest.raises(BadInput, match=r"kind 'gift' .* amount is zero.*"):
        NewEntry.read(GOOD | {"kind": "gift", "amount": "0"})


def test_json_and_back() -> None:
    full = entry(amount=Decimal("1200.50"), instalment=3, reason="SEPA")
    assert full.as_json()["amount"] == "1200.5"
    assert NewEntry.read(full.as_json()) == full
    assert entry(amount=Decimal("1E+2")).as_json() == entry(amount=Decimal("100.00")).as_json()
