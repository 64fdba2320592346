"""Each kind of bad row: refused by its line with its reason, and nothing but it."""

import csv
from pathlib import Path

import pytest

from ledger.tape.reading import joined
from tests.ledger.samples import Pool
from tests.ledger.tape.tapes import GOOD, Tape, take, with_line, with_row

LOAN = ["L-9", "B-9", "Zed", "person", "+12015550109", "it", "Europe/Rome", "IT", "EUR", "2026-01-01", "fine"]
ENTRY = ["E-9", "L-1", "payment", "40.00", "EUR", "2026-03-05", ""]


def loan(at: int, value: str) -> Tape:
    return with_row("loans", joined([*LOAN[:at], value, *LOAN[at + 1 :]]))


def entry(at: int, value: str) -> Tape:
    return with_row("entries", joined([*ENTRY[:at], value, *ENTRY[at + 1 :]]))


def instalment(row: str) -> Tape:
    return with_row("instalments", row)


BAD: list[tuple[str, Tape, str, str]] = [
    ("loans", loan(0, ""), "loan_id", "loan_id is missing"),
    ("loans", loan(0, "a/b"), "loan_id", "holds a slash"),
    ("loans", loan(0, "L-9 "), "loan_id", "begins or ends with a space"),
    ("loans", loan(0, "L" * 201), "loan_id", "longer than 200"),
    ("loans", loan(1, ""), "borrower_id", "borrower_id is missing"),
    ("loans", loan(2, "  "), "borrower_name", "borrower_name is missing: every row gives it."),
    ("loans", loan(2, "\u3000\u00a0"), "borrower_name", "borrower_name is missing"),
    ("loans", loan(2, "two\nlines"), "borrower_name", "control character"),
    (
        "loans",
        loan(3, "firm"),
        "borrower_kind",
        "borrower_kind 'firm' is not known: use one of person, sole_trader, business.",
    ),
    ("loans", loan(4, "5550109"), "phone", "phone is no E.164 number"),
    ("loans", loan(5, "italian!"), "language", "is no BCP 47 tag"),
    ("loans", loan(5, "qx"), "language", "language 'qx' is not known"),
    ("loans", loan(6, "Europe/Roma"), "timezone", "timezone 'Europe/Roma' is not known"),
    ("loans", loan(7, "XX"), "country", "country 'XX' is not known"),
    ("loans", loan(7, "it"), "country", "country 'it' is not known"),
    ("loans", loan(8, "EURO"), "currency", "currency 'EURO' is not known"),
    ("loans", loan(9, "2026-02-30"), "opened_on", "opened_on '2026-02-30' is not a date"),
    ("loans", loan(9, "1.2.2026"), "opened_on", "is not a date"),
    (
        "loans",
        loan(9, "1899-12-31"),
        "opened_on",
        "opened_on 1899-12-31 is out of range: give a day from 1900-01-01 to 2199-12-31.",
    ),
    ("loans", loan(10, ""), "product", "product is missing"),
    ("loans", with_row("loans", "L-9,B-9"), "", "the row has 2 columns, the header 11"),
    ("loans", with_row("loans", 'L-9,"B"9'), "", "the row is no CSV"),
    (
        "loans",
        with_row("loans", GOOD["loans"][1].replace("fine", "loan")),
        "loan_id",
        "loan_id L-1 is in line 2 with other content",
    ),
    ("loans", loan(1, "B-1"), "borrower_id", "borrower B-1 has another name, kind or language in line 2"),
    ("instalments", instalment("L-1,x,2026-04-01,1,0,0"), "number", "number 'x' is not a whole number"),
    ("instalments", instalment("L-1,2,tomorrow,1,0,0"), "due_on", "due_on 'tomorrow' is not a date"),
    ("instalments", instalment("L-1,2,9999-12-31,1,0,0"), "due_on", "due_on 9999-12-31 is out of range"),
    ("instalments", instalment("L-1,2,0001-01-01,1,0,0"), "due_on", "due_on 0001-01-01 is out of range"),
    ("instalments", instalment("L-1,2,2026-04-01,-1,0,0"), "principal", "principal -1 is negative"),
    ("instalments", instalment("L-1,2,2026-04-01,1,,0"), "interest", "interest is missing"),
    ("instalments", instalment("L-1,2,2026-04-01,1,0,ten"), "fee", "fee 'ten' is not a number"),
    (
        "instalments",
        instalment("L-1,2,2026-04-01,1.005,0,0"),
        "principal",
        "more decimals than EUR allows: write at most 2",
    ),
    (
        "instalments",
        instalment("L-2,2,2026-04-01,0.5,0,0"),
        "principal",
        "more decimals than JPY allows: write at most 0",
    ),
    ("instalments", instalment("L-7,1,2026-04-01,1,0,0"), "loan_id", "loan L-7 is unknown"),
    (
        "instalments",
        instalment("L-1,1,2026-03-01,91,10,0"),
        "number",
        "loan_id L-1 number 1 is in line 2 with other content",
    ),
    ("entries", entry(0, ""), "entry_id", "entry_id is missing"),
    (
        "entries",
        with_row("entries", "E-1,L-1,payment,41.00,EUR,2026-03-05,"),
        "entry_id",
        "entry_id E-1 is in line 2 with other content",
    ),
    ("entries", entry(2, "gift"), "kind", "kind 'gift' is not known"),
    ("entries", entry(3, "0.00"), "amount", "amount is zero"),
    ("entries", entry(3, "-1"), "amount", "amount -1 is negative"),
    ("entries", entry(3, "35.000000001"), "amount", "more decimals than EUR allows"),
    ("entries", entry(3, "1e3"), "amount", "amount '1e3' is not a number"),
    ("entries", entry(3, "1000000000000"), "amount", "out of range"),
    ("entries", entry(4, "EURO"), "currency", "is not an ISO 4217 code"),
    ("entries", entry(4, "USD"), "currency", "entry E-9 is in USD, but loan L-1 is in EUR"),
    ("entries", entry(5, "2026-13-01"), "value_date", "is not a date"),
    ("entries", entry(5, "2200-01-01"), "value_date", "value_date 2200-01-01 is out of range"),
    ("entries", entry(2, "reversal"), "reverses", "reverses is missing"),
    ("entries", entry(6, "E-1"), "reverses", "reverses is for reversals alone"),
    (
        "entries",
        with_row("entries", "E-9,L-2,reversal,1,JPY,2026-03-07,E-1"),
        "reverses",
        "reverses E-1 is no entry of loan L-2",
    ),
    (
        "entries",
        with_row("entries", "E-9,L-1,reversal,40.01,EUR,2026-03-07,E-1"),
        "amount",
        "more than what is left of entry E-1",
    ),
    ("parties", with_row("parties", "L-7,G-2,guarantor,Gia,en,true,true,,"), "loan_id", "loan L-7 is unknown"),
    ("parties", with_row("parties", "L-1,G-2,friend,Gia,en,true,true,,"), "role", "role 'friend' is not known"),
    (
        "parties",
        with_row("parties", "L-1,G-2,guarantor,Gia,en,maybe,true,,"),
        "liable",
        "liable 'maybe' is neither true nor false",
    ),
    (
        "parties",
        with_row("parties", "L-1,G-1,guarantor,Gia,en,true,true,,"),
        "party_id",
        "party G-1 has another name or language in line 2",
    ),
    (
        "parties",
        with_row("parties", "L-2,B-1,guarantor,Anna,it,true,true,,"),
        "party_id",
        "party B-1 is the borrower of loan L-1",
    ),
    ("contacts", with_row("contacts", "B-7,mobile,+12015550107,,,,,,,"), "party_id", "party B-7 is unknown"),
    ("contacts", with_row("contacts", "B-1,fax,+12015550107,,,,,,,"), "kind", "kind 'fax' is not known"),
    ("contacts", with_row("contacts", "B-1,mobile,2015550107,,,,,,,"), "value", "value is no E.164 number"),
    ("contacts", with_row("contacts", "B-1,email,ann,,,,,,,"), "value", "value is no e-mail address"),
    ("contacts", with_row("contacts", "B-1,email,a@b.example,,,,,,,gone"), "status", "status 'gone' is not known"),
    ("consents", with_row("consents", "B-1,+12015550100,fax,2026-01-01,,,"), "scope", "scope 'fax' is not known"),
    ("consents", with_row("consents", "B-7,+12015550100,sms,2026-01-01,,,"), "party_id", "party B-7 is unknown"),
]


@pytest.mark.parametrize(("kind", "tape", "field", "reason"), BAD, ids=lambda v: v if isinstance(v, str) else "")
async def test_a_bad_row_is_refused_alone(
    pool: Pool, tmp_path: Path, kind: str, tape: Tape, field: str, reason: str
) -> None:
    report = await take(pool, tmp_path, tape, rejects=tmp_path / "rejects.csv")
    with (tmp_path / "rejects.csv").open(encoding="utf-8", newline="") as file:
        (refused,) = csv.DictReader(file)
    assert refused["file"] == f"{kind}.csv"
    assert refused["line"] == str(len(GOOD[kind]) + 1)
    assert refused["field"] == field
    assert reason in refused["reason"]
    assert refused["reason"].endswith(".")
    assert refused["row"] == ("" if reason == "the row is no CSV" else tape[kind][-1])
    for name, counts in report.as_json().items():
        good = len(GOOD[name]) - 1
        assert (counts["new"], counts["rejected"]) == (good, name == kind)


@pytest.mark.parametrize(
    ("at", "value"), [(4, ""), (5, ""), (6, ""), (5, "zh-Hans-CN"), (8, "JPY"), (2, 'Ann "the" O\'Neil, née %s {x}')]
)
async def test_good_values_are_taken(pool: Pool, tmp_path: Path, at: int, value: str) -> None:
    report = await take(pool, tmp_path, loan(at, value))
    assert report.sentences == []
    assert report.counts["loans"].new == 3


async def test_the_payment_of_a_refused_loan_waits(pool: Pool, tmp_path: Path) -> None:
    report = await take(pool, tmp_path, with_line("loans", 2, lambda row: row.replace("EUR", "EURO")))
    found = report.as_json()
    assert found["loans"]["rejected"] == found["instalments"]["rejected"] == 1
    assert found["entries"] == {"read": 2, "new": 2, "changed": 0, "unchanged": 0, "rejected": 0, "suspense": 2}
