"""An entry as a lender sends it, read with care: what is wrong with it is said in one sentence a problem."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any, Self
from unicodedata import category

from domain.erasure import ERASED, FREE_TEXT
from domain.errors import BadInput
from domain.loan import EntryKind, EntryStatus, LoanKey
from domain.money import currencies, parse_amount

LONGEST_TEXT = 200
NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
FIRST_DAY, LAST_DAY = (
    date(1900, 1, 1),
    date(2199, 12, 31),
)  # beyond them a day has no start in every zone, and money no sense
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """One line for the ledger (design.md 5); its id is the sender's and makes it the same however often it comes.

    `amount` is in `currency`, positive except an adjustment's. `reverses` names the entry that a reversal takes back, wholly or in part.
    """

    entry_id: str
    loan_id: str
    kind: EntryKind
    amount: Decimal
    currency: str
    value_date: date
    lender_id: str = "default"
    reverses: str | None = None
    status: EntryStatus = EntryStatus.SETTLED
    component: str | None = None
    instalment: int | None = None
    direction: str | None = None
    reason: str | None = None
    source: str | None = None
    payer: str | None = None

    @property
    def key(self) -> LoanKey:
        """The loan it is for."""
        return LoanKey(self.lender_id, self.loan_id)

    @classmethod
    def read(cls, mapping: Mapping[str, Any], default_lender: str = "default") -> Self:
        """Read an entry from JSON or a row of text; empty fields are as good as absent.

        Raises:
            BadInput: one sentence for each thing that cannot be used.
        """
        given = {name: value for name, value in mapping.items() if value is not None and value != ""}
        problems = [f"{name} is not a field of an entry: leave it out." for name in given if name not in READERS]
        values: dict[str, Any] = {"lender_id": default_lender}
        for name, read in READERS.items():
            if name not in given:
                if name in REQUIRED:
                    problems.append(f"{name} is missing: every entry gives it.")
                continue
            try:
                values[name] = read(name, given[name])
            except BadInput as problem:
                problems.append(str(problem))
        if {"amount", "currency"} <= values.keys():
            try:
                signed = values.get("kind") is EntryKind.ADJUSTMENT
                values["amount"] = parse_amount(values["amount"], values["currency"], signed=signed)
            except BadInput as problem:
                problems.append(str(problem))
        if "kind" in values and (values["kind"] is EntryKind.REVERSAL) != ("reverses" in values):
            problems.append(
                "reverses is missing: a reversal names the entry that it takes back."
                if values["kind"] is EntryKind.REVERSAL
                else "reverses is for reversals alone: leave it empty."
            )
        if problems:
            raise BadInput(" ".join(problems))
        return cls(**values)

    def beside(self, kept: Self) -> Self:
        """This entry, to be compared with the one that is kept: what was erased there cannot be compared any more."""
        gone: dict[str, Any] = {name: ERASED for name in FREE_TEXT if getattr(kept, name) == ERASED}
        return replace(self, **gone)

    def as_json(self) -> dict[str, str]:
        """Text for text, without what was not given; equal entries give equal objects."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        values["amount"] = f"{self.amount.normalize():f}"
        return {name: str(value) for name, value in values.items()}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{name} is not a text: write it in quotes.")
    if CONTROLS.search(value):
        raise BadInput(f"{name} holds a control character: remove it.")
    if len(value) > LONGEST_TEXT:
        raise BadInput(f"{name} is longer than {LONGEST_TEXT} characters: shorten it.")
    return value


def _id(name: str, value: object) -> str:
    text = _text(name, value)
    if text != text.strip():
        raise BadInput(f"{name} begins or ends with a space: remove it.")
    if not text.isascii() and any(category(letter) in {"Cc", "Cf"} for letter in text):
        raise BadInput(f"{name} holds a character that cannot be seen: remove it, for ids that look the same must be.")
    return text


def _amount(name: str, value: object) -> str:
    if isinstance(value, float):
        raise BadInput(
            f'{name} is a JSON number with decimals: write it as a string such as "12.50", which loses nothing.'
        )
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise BadInput(f'{name} is neither text nor number: write it as a string such as "12.50".')
    text = str(value)
    if not NUMBER.fullmatch(text):
        raise BadInput(f"{name} {_shown(text)} is not a number: write it as 12.50.")
    return text


def _currency(name: str, value: object) -> str:
    code = _text(name, value)
    if code not in currencies():
        raise BadInput(f"{name} {_shown(code)} is not an ISO 4217 code: use one such as EUR or CNY.")
    return code


def _day(name: str, value: object) -> date:
    text = _text(name, value)
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise BadInput(f"{name} {_shown(text)} is not a date: write it as 2026-01-31.")
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadInput(f"{name} {day} is out of range: give a day from {FIRST_DAY} to {LAST_DAY}.")
    return day


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,9}", str(value), re.ASCII):
        raise BadInput(f"{name} {_shown(str(value))} is not a whole number: write the number of the instalment.")
    return int(str(value))


def _one_of(kinds: type[EntryKind] | type[EntryStatus]) -> Callable[[str, object], EntryKind | EntryStatus]:
    def read(name: str, value: object) -> EntryKind | EntryStatus:
        text = _text(name, value)
        if text not in set(kinds):
            raise BadInput(f"{name} {_shown(text)} is not known: use one of {', '.join(kinds)}.")
        return kinds(text)

    return read


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")


READERS: dict[str, Callable[[str, object], object]] = {
    "entry_id": _id,
    "loan_id": _id,
    "kind": _one_of(EntryKind),
    "amount": _amount,
    "currency": _currency,
    "value_date": _day,
    "lender_id": _id,
    "reverses": _id,
    "status": _one_of(EntryStatus),
    "component": _text,
    "instalment": _count,
    "direction": _text,
    "reason": _text,
    "source": _text,
    "payer": _text,
}
REQUIRED = {"entry_id", "loan_id", "kind", "amount", "currency", "value_date"}
assert READERS.keys() == {f.name for f in fields(NewEntry)}  # every field has its reader
