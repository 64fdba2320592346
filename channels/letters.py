"""Letters as plain, accessible PDF: the same facts make the same bytes, on any machine with the same font."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import cast

import typst
from babel.dates import format_date

import policies
from domain.errors import BadInput

# Where Linux distributions put Noto CJK; Debian's is the first.
_FONT_FOLDERS = (
    Path("/usr/share/fonts/opentype/noto"),
    Path("/usr/share/fonts/noto-cjk"),
    Path("/usr/share/fonts/google-noto-serif-cjk-fonts"),
    Path("/usr/local/share/fonts"),
)
_CHINESE_FONT = "Noto Serif CJK SC"
# British dates in English letters: the day before the month's name is misread nowhere.
_DATES = {"en": "en_GB", "it": "it_IT", "zh": "zh_Hans_CN"}
_OTHERWISE = "en"


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """What a letter says about one debt; every text is printed as it stands.

    Attributes:
        lender_name: Who writes.
        borrower_name: Who is written to.
        loan_id: The loan's number.
        amount: The sum asked for, with its currency, in the letter's language.
        itemised: What the sum is made of: a label in the letter's language, and an amount.
        due_on: When the oldest unpaid amount fell due.
        dated: The letter's date, also the document's.
        reference: What the borrower quotes.
        pay_by: The day until which the lender waits.
        contact: How to reach the lender, in one line; the letter names the lender alone if empty.
        may_sue: Whether the debt can still be brought before a court; only then does the letter speak of legal steps.
    """

    lender_name: str
    borrower_name: str
    loan_id: str
    amount: str
    itemised: tuple[tuple[str, str], ...]
    due_on: date
    dated: date
    reference: str
    pay_by: date
    contact: str = ""
    may_sue: bool = False


def letter_language(language: str) -> str:
    """The language a letter is written in for a borrower who speaks `language` (BCP 47): `zh-CN` gets `zh`, others `en`."""
    wanted = re.split("[-_]", language)[0].lower()
    return wanted if wanted in _DATES else _OTHERWISE


def letter_template_exists(template: str) -> bool:
    """Whether this letter can be written to anyone: there is a template in every language's folder."""
    return all(_source(template, language) is not None for language in _DATES)


def render_letter(template: str, language: str, facts: LetterFacts) -> bytes:
    """The letter as PDF/UA-1.

    Args:
        template: A file in the folder of each language below `policies/letters`, without `.typ`.
        language: The borrower's language, BCP 47; see `letter_language`.
        facts: What it says.

    Raises:
        BadInput: There is no such template, the font is missing, or no font has a character of the facts.
    """
    spoken = letter_language(language)
    source = _source(template, spoken)
    if source is None:
        raise BadInput(f"There is no letter {template!r} in {spoken!r}; put it into policies/letters/{spoken}/.")
    locale = _DATES[spoken]
    data = asdict(facts) | {
        name: format_date(getattr(facts, name), "long", locale=locale) for name in ("due_on", "dated", "pay_by")
    }
    compiler = typst.Compiler(
        root=_folder(),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"facts": json.dumps(data, ensure_ascii=False)},
    )
    try:
        pdf, warnings = compiler.compile_with_warnings(
            input=source,
            format="pdf",
            pdf_standards="ua-1",
            timestamp=datetime.combine(facts.dated, time(), tzinfo=UTC),
        )
    except typst.TypstError as error:
        raise _why(error, template, facts) from None
    if warnings:
        raise RuntimeError(f"The letter template {spoken}/{template}.typ is at fault: {warnings[0].message}")
    return cast("bytes", pdf)


def _folder() -> Path:
    return policies.folder() / "letters"


def _source(template: str, language: str) -> Path | None:
    path = _folder() / language / f"{template}.typ"
    return path if re.fullmatch(r"[a-z0-9-]+", template) and path.is_file() else None


@cache
def _fonts() -> typst.Fonts:
    folders = [str(each) for each in _FONT_FOLDERS if each.is_dir()]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)
    if _CHINESE_FONT not in fonts.families():
        raise BadInput(f"The font {_CHINESE_FONT} for letters is not on this machine; install Debian's fonts-noto-cjk.")
    return fonts


def _why(error: typst.TypstError, template: str, facts: LetterFacts) -> Exception:
    missing = re.search(r'the text `"(.+)"` could not be displayed', error.message)
    if missing is None:
        return RuntimeError(f"The letter template {template} is at fault: {error.message}")
    # The characters by number: as text they could be part of a name, and this sentence is logged.
    characters = ", ".join(f"U+{ord(each):04X}" for each in missing[1])
    return BadInput(
        f"The letter {template!r} for loan {facts.loan_id} has characters that no font of ours can show ({characters}); "
        "write the names in Latin, Greek, Cyrillic or Chinese script."
    )
