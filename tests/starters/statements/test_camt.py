"""camt.053 of an early and of a late version, and files that are none."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.errors import BadInput
from domain.reconcile import Moved
from starters.statements import read_statement

HERE = Path(__file__).parent
BANK_02, BANK_08 = HERE / "bank_02.xml", HERE / "bank_08.xml"
DAY = date(2026, 3, 9)


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "statement.xml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_an_early_version() -> None:
    read = read_statement(BANK_02)
    assert (read.since, read.until) == (date(2026, 3, 1), date(2026, 3, 10))
    first, second, third, back = read.lines
    assert first.moved is Moved.CAME
    assert (first.amount, first.currency) == (Decimal("40.00"), "EUR")
    assert (first.value_date, first.booked_on) == (date(2026, 3, 4), date(2026, 3, 5))
    assert first.references == ("E-1", "N-1", "BANK-1")
    assert "L-1" in first.text.split()
    assert "Esposito" not in first.text
    assert (second.place, second.amount, second.references) == ("entry 2.1", Decimal("10.00"), ("E-2",))
    assert (third.place, third.amount, third.references) == ("entry 2.2", Decimal("20.00"), ())
    assert third.value_date == third.booked_on == date(2026, 3, 6)
    assert "L-2" in third.text.split()
    assert (back.moved, back.references, back.value_date) == (Moved.RETURNED, ("E-1",), DAY)


def test_a_late_version() -> None:
    came, back, fee = read_statement(BANK_08).lines
    assert (came.moved, back.moved, fee.moved) == (Moved.CAME, Moved.RETURNED, Moved.WENT)
    assert came.references == ("E-1", "8f0ec7d5-8a2c-4f8e-9a57-6b6f4a0f0b11")
    assert (back.value_date, back.booked_on) == (DAY, DAY)
    assert (read_statement(BANK_08).since, read_statement(BANK_08).until) == (date(2026, 3, 5), date(2026, 3, 10))


def test_what_moves_nothing_is_left_out(tmp_path: Path) -> None:
    text = BANK_02.read_text("utf-8").replace(">40.00<", ">0.00<")
    assert [line.amount for line in read_statement(written(tmp_path, text)).lines] == [
        Decimal("10.00"),
        Decimal("20.00"),
    ]


@pytest.mark.parametrize("code", ["UPDD", "RCDD", "PRDD", "RRTN", "RPCR", "UPCT"])
def test_the_bank_s_code_says_that_money_goes_back(tmp_path: Path, code: str) -> None:
    coded = f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>IDDT</Cd><SubFmlyCd>{code}</SubFmlyCd></Fmly></Domn></BkTxCd>"
    text = BANK_02.read_text("utf-8").replace("<RvslInd>true</RvslInd>", "")
    assert read_statement(written(tmp_path, text)).lines[-1].moved is Moved.WENT
    for before in ("<NtryDtls><TxDtls><Refs>", "<Refs><EndToEndId>E-1</EndToEndId></Refs>"):
        marked = text.replace(before, coded + before)
        assert read_statement(written(tmp_path, marked)).lines[-1].moved is Moved.RETURNED
    assert read_statement(written(tmp_path, text.replace("ESCT", code))).lines[0].moved is Moved.CAME


@pytest.mark.parametrize(
    ("total", "rest"),
    [("1000.00", (Moved.CAME, Decimal("970.00"))), ("29.00", (Moved.RETURNED, Decimal("1.00"))), ("30.00", None)],
)
def test_what_a_batch_does_not_explain(tmp_path: Path, total: str, rest: "tuple[Moved, Decimal] | None") -> None:
    read = read_statement(written(tmp_path, BANK_02.read_text("utf-8").replace(">30.00<", f">{total}<")))
    found = [(line.moved, line.amount, line.references) for line in read.lines if line.place == "entry 2"]
    assert found == ([(*rest, ())] if rest else [])


def test_a_batch_in_another_currency_is_one_line(tmp_path: Path) -> None:
    text = BANK_02.read_text("utf-8").replace('"EUR">20.00', '"CZK">500.00')
    assert [(each.place, each.amount) for each in read_statement(written(tmp_path, text)).lines][1:2] == [
        ("entry 2", Decimal("30.00"))
    ]


def test_the_days_that_are_named_are_those_that_are_covered(tmp_path: Path) -> None:
    text = BANK_02.read_text("utf-8").replace("<Dt>2026-03-04</Dt>", "<Dt>2026-02-02</Dt>")
    read = read_statement(written(tmp_path, text))
    assert (read.since, read.until) == (date(2026, 3, 1), date(2026, 3, 10))
    unnamed = read_statement(written(tmp_path, re.sub("<FrToDt>.*", "", text)))
    assert (unnamed.since, unnamed.until) == (date(2026, 3, 5), DAY)


def test_the_account_s_currency_without_movements(tmp_path: Path) -> None:
    text = re.sub("<Ntry>.*</Ntry>", "", BANK_02.read_text("utf-8"), flags=re.DOTALL)
    for change in ("<Ccy>.*?</Ccy>", "<Bal>.*", "nothing"):
        read = read_statement(written(tmp_path, re.sub(change, "", text)))
        assert (read.lines, read.currencies) == ((), frozenset({"EUR"}))


def test_another_encoding(tmp_path: Path) -> None:
    text = BANK_02.read_text("utf-8").replace("UTF-8", "UTF-16")
    assert read_statement(written(tmp_path, text.encode("utf-16"))).lines == read_statement(BANK_02).lines


def test_pieces_cut_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starters.statements.camt.PIECE", 7)
    assert len(read_statement(BANK_02).lines) == 4


ENTITIES = (f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
BOMB = f'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">{"".join(ENTITIES)}]>'


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text[:900], "is broken XML"),
        (lambda text: text.replace("camt.053", "camt.054"), "no camt.053"),
        (lambda text: text.replace("<Stmt>", "<Rpt>").replace("</Stmt>", "</Rpt>"), "holds no statement"),
        (lambda text: text.replace("40.00", "4o.00"), "entry 1: amount '4o.00' is not a number"),
        (lambda text: text.replace("40.00", "1e99999999999"), "amount '1e99999999999' is not a number"),
        (lambda text: text.replace("E-1", "E-\x7f"), "entry 1: reference 'E-\\x7f' holds a control character"),
        (lambda text: text.replace('Ccy="EUR"', 'Ccy="EURO"'), "currency 'EURO' is not an ISO 4217 code"),
        (lambda text: text.replace("2026-03-04", "2026-02-31"), "entry 1, ValDt: date '2026-02-31' is no date"),
        (lambda text: text.replace("CRDT", "CR"), "neither CRDT nor DBIT"),
        (lambda text: re.sub("<BookgDt>.*|<ValDt>.*", "", text), "neither ValDt nor BookgDt"),
        (lambda text: text.replace('<?xml version="1.0" encoding="UTF-8"?>', BOMB), "declares a document type"),
        (
            lambda text: text.replace('<?xml version="1.0" encoding="UTF-8"?>', BOMB).replace("M-1", "&i;"),
            "document type",
        ),
        (lambda text: text.replace("UTF-8", "X-NONE"), "is broken XML"),
        (lambda text: text.replace("<Stmt>", "<a>" * 5000), "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, change: "object", sentence: str) -> None:
    assert callable(change)
    file = written(tmp_path, change(BANK_02.read_text("utf-8")))
    with pytest.raises(BadInput, match=re.escape(sentence)) as caught:
        read_statement(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_statement(tmp_path / "none.xml")


@given(data=some.data())
def test_broken_files_say_so(tmp_path_factory: pytest.TempPathFactory, data: some.DataObject) -> None:
    """Cut, doubled and spoiled at any place, a file is read or refused with a sentence, and nothing else."""
    whole = data.draw(some.sampled_from([BANK_02, BANK_08])).read_bytes()
    start, end = sorted(data.draw(some.tuples(*[some.integers(0, len(whole))] * 2)))
    put = data.draw(
        some.sampled_from([b"", b"<", b"&", b"\x00", b"\xff", whole[start:end] * 2]) | some.binary(max_size=6)
    )
    file = written(tmp_path_factory.getbasetemp(), whole[:start] + put + whole[end:])
    try:
        lines, said = read_statement(file).lines, ""
    except BadInput as error:
        lines, said = (), str(error)
    assert "\n" not in said
    assert all(line.amount > 0 for line in lines)
