import dataclasses
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from channels import letters
from channels.letters import LetterFacts, letter_language, letter_template_exists, render_letter
from domain.errors import BadInput

FACTS = LetterFacts(
    lender_name="Harbour Lending",
    borrower_name="Łukasz D’Amico",
    loan_id="L-204",
    amount="€1,234.50",
    itemised=(("Instalments", "€1,200.00"), ("Interest", "€34.50")),
    due_on=date(2026, 3, 1),
    dated=date(2026, 6, 2),
    reference="AR7Q2",
    pay_by=date(2026, 6, 16),
    contact="tel. 555-0100",
)


def text_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


@pytest.mark.parametrize(
    ("language", "borrower", "pay_by", "dispute"),
    [
        ("en-US", "Łukasz D’Amico", "16 June 2026", "If you disagree"),
        ("it", "Łukasz D’Amico", "16 giugno 2026", "Se non è d’accordo"),
        ("zh-CN", "王小明", "2026年6月16日", "如果您对全部或部分款项有异议"),
    ],
)
def test_a_letter_names_the_sum_the_day_and_the_way_to_disagree(
    language: str, borrower: str, pay_by: str, dispute: str
) -> None:
    # Between Chinese and Latin characters the letter has a gap that some readers take for a space.
    text = text_of(render_letter("lawyer", language, dataclasses.replace(FACTS, borrower_name=borrower)))
    closed = "".join(text.split())

    expected = (borrower, pay_by, dispute, "€1,234.50", "€34.50", "Interest", "L-204", "AR7Q2", "tel. 555-0100")
    assert [each for each in expected if "".join(each.split()) not in closed] == []


@pytest.mark.parametrize("language", ["en", "it", "zh"])
def test_the_same_facts_make_the_same_bytes(language: str) -> None:
    assert render_letter("lawyer", language, FACTS) == render_letter("lawyer", language, FACTS)


def test_the_document_is_accessible_and_dated_by_its_facts() -> None:
    reader = PdfReader(BytesIO(render_letter("lawyer", "zh", FACTS)))

    assert str(reader.root_object["/Lang"]) == "zh-CN"
    assert "/StructTreeRoot" in reader.root_object
    assert reader.metadata is not None
    assert reader.metadata.title == "付款通知函"
    assert reader.metadata.creation_date is not None
    assert reader.metadata.creation_date.date() == FACTS.dated
    assert len(reader.pages) == 1


def test_a_name_is_text_and_never_markup() -> None:
    name = '#panic("x") *bold* $a$ <b> \\ "'

    assert name.replace(" ", "") in text_of(
        render_letter("lawyer", "en", dataclasses.replace(FACTS, borrower_name=name))
    ).replace(" ", "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_character_that_no_font_has_is_refused_without_repeating_the_name(language: str) -> None:
    facts = dataclasses.replace(FACTS, borrower_name="Anna สมชาย")

    with pytest.raises(BadInput, match=r"L-204 .*U\+0E2A") as refused:
        render_letter("lawyer", language, facts)

    assert "Anna" not in str(refused.value)
    assert "สมชาย" not in str(refused.value)


@pytest.mark.parametrize(
    ("spoken", "written"), [("zh-CN", "zh"), ("zh_Hant", "zh"), ("IT", "it"), ("fr-FR", "en"), ("", "en")]
)
def test_every_language_has_a_letter(spoken: str, written: str) -> None:
    assert letter_language(spoken) == written


@pytest.mark.parametrize("template", ["poet", "../en/lawyer", ""])
def test_an_unknown_letter_is_refused(template: str) -> None:
    with pytest.raises(BadInput, match="policies/letters/en"):
        render_letter(template, "en", FACTS)
    assert not letter_template_exists(template)


def test_the_letter_that_is_shipped_is_there_in_every_language() -> None:
    assert letter_template_exists("lawyer")


def test_without_the_font_one_sentence_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "_FONT_FOLDERS", (tmp_path,))
    letters._fonts.cache_clear()

    with pytest.raises(BadInput, match="fonts-noto-cjk"):
        render_letter("lawyer", "en", FACTS)
