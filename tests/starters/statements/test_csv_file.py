"""Statements as CSV."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.errors import BadInput
from domain.reconcile import Line, Moved
from starters.statements import read_statement

DAY = date(2026, 3, 4)


def written(folder: Path, text: str) -> Path:
    file = folder / "statement.csv"
    file.write_text(text, "utf-8")
    return file


def test_its_columns(tmp_path: Path) -> None:
    read = read_statement(
        written(
            tmp_path,
            "\ufeffReference;Amount;currency;value_date;booked_on;kind;text\n"
            "E-1 ch_7;40.00;EUR;2026-03-04;2026-03-05;;loan L-1\n"
            "\n"
            ";-40;EUR;2026-03-09;;;\n"
            ";5.00;EUR;2026-03-10;;refund;\n"
            "note;0.00;EUR;2026-04-10;;;\n"
            ";-5.00;EUR;2026-03-10;;refund;\n"
            ";5.00;EUR;2026-03-10;;refund_returned;\n",
        )
    )
    assert read.lines[0] == Line(
        "line 2", Moved.CAME, Decimal(40), "EUR", DAY, date(2026, 3, 5), ("E-1", "ch_7"), "loan L-1"
    )
    moved = [Moved.CAME, Moved.RETURNED, Moved.WENT, Moved.WENT, Moved.RESTORED]
    assert [line.moved for line in read.lines] == moved
    assert read.lines[1].amount == 40
    assert read.lines[1].place == "line 4"
    assert (read.since, read.until) == (date(2026, 3, 5), date(2026, 3, 10))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("amount,currency\n1,EUR\n", "has no column value_date"),
        ("", "has no column amount"),
        ("amount,amount,currency,value_date\n", "names a column twice"),
        ("amount,currency,value_date\n1,EUR,4.3.2026\n", "line 2: date '4.3.2026' is no date"),
        ("amount,currency,value_date\n1.005,EUR,2026-03-04\n", "line 2: amount 1.005 has more decimals than EUR"),
        ("amount,currency,value_date\n1,EURO,2026-03-04\n", "line 2: currency 'EURO' is not an ISO 4217 code"),
        ("amount,currency,value_date\n1,EUR,2026-03-04,x\n", "line 2: it has not as many fields"),
        ("amount,currency,value_date\n1,EUR\n", "line 2: it has not as many fields"),
        ("amount,currency,value_date,kind\n1,EUR,2026-03-04,fee\n", "line 2: kind 'fee' is unknown"),
        ('amount,currency,value_date\n"1,EUR\n', "is broken CSV"),
        ("amount,currency,value_date,kind\n-40.00,EUR,2026-03-04,payment\n", "payment has the negative amount -40.00"),
        ("amount,currency,value_date\n4_0,EUR,2026-03-04\n", "amount '4_0' is not a number: write it as 12.50"),
        ("amount,currency,value_date\n٤٠,EUR,2026-03-04\n", "is not a number"),
        ("amount;currency;value_date\n40,00;EUR;2026-03-04\n", "amount '40,00' is not a number: write it as 12.50"),
        ("amount,currency,value_date\n1e99999999999,EUR,2026-03-04\n", "is not a number"),
        (
            "amount,currency,value_date,reference\n1,EUR,2026-03-04,E\x00\n",
            "line 2: reference 'E\\x00' holds a control",
        ),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, sentence: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(BadInput, match=re.escape(sentence)):
        read_statement(file)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "statement.csv"
    file.write_bytes(b"amount,currency,value_date\n\xff\xfe\n")
    with pytest.raises(BadInput, match="is not UTF-8 text"):
        read_statement(file)
