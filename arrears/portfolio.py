"""Makes up a portfolio to load the system with: people who do not exist, on numbers that nobody has."""

import csv
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from domain.errors import BadInput

INSTALMENTS = 6
LAST_DAY = date(2026, 6, 30)
# Numbers 555-0100 to 555-0199 belong to nobody in any of these areas.
AREAS = (
    201,
    202,
    203,
    205,
    206,
    207,
    208,
    209,
    210,
    212,
    213,
    214,
    215,
    216,
    217,
    218,
    219,
    224,
    225,
    228,
    229,
    231,
    234,
    239,
)
KINDS = ("person",) * 7 + ("sole_trader",) * 2 + ("business",)
PRODUCTS = ("instalment_loan", "card", "overdraft", "working_capital")
HEADERS = {
    "loans": "loan_id,borrower_id,borrower_name,borrower_kind,phone,language,timezone,country,currency,opened_on,product,purpose",
    "instalments": "loan_id,number,due_on,principal,interest,fee",
    "entries": "entry_id,loan_id,kind,amount,currency,value_date,reverses",
    "parties": "loan_id,party_id,role,name,language,liable,may_discuss",
    "contacts": "party_id,kind,value,country,timezone,source",
}


class _Place(NamedTuple):
    country: str
    language: str
    timezone: str
    currency: str
    unit: Decimal
    size: int


PLACES = (
    _Place("IT", "it", "Europe/Rome", "EUR", Decimal("0.01"), 1),
    _Place("DE", "de", "Europe/Berlin", "EUR", Decimal("0.01"), 1),
    _Place("GB", "en-GB", "Europe/London", "GBP", Decimal("0.01"), 1),
    _Place("US", "en-US", "America/Chicago", "USD", Decimal("0.01"), 1),
    _Place("CN", "zh-Hans", "Asia/Shanghai", "CNY", Decimal("0.01"), 8),
    _Place("JP", "ja", "Asia/Tokyo", "JPY", Decimal(1), 150),
    _Place("CZ", "cs", "Europe/Prague", "CZK", Decimal("0.01"), 24),
)
Row = tuple[str, list[Any]]


def write_portfolio(loans: int, seed: int, folder: Path) -> list[Path]:
    """Write a tape of so many loans, each with six instalments; the same seed gives the same files, byte for byte.

    Raises:
        BadInput: the folder cannot be written.
    """
    paths = {name: folder / f"{name}.csv" for name in HEADERS}
    chance = Random(seed)  # noqa: S311 - no secret: it must repeat
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            writers = {}
            for name, path in paths.items():
                writers[name] = csv.writer(
                    stack.enter_context(path.open("w", encoding="utf-8", newline="")), lineterminator="\n"
                )
                writers[name].writerow(HEADERS[name].split(","))
            for name, row in _portfolio(loans, chance):
                writers[name].writerow(row)
    except OSError as error:
        raise BadInput(f"the folder {folder} cannot be written ({error.strerror}): name another.") from None
    return list(paths.values())


def _portfolio(loans: int, chance: Random) -> Iterator[Row]:
    """One borrower after another; every twentieth has two loans."""
    written = person = 0
    while written < loans:
        person += 1
        place, kind = chance.choice(PLACES), chance.choice(KINDS)
        for _ in range(min(2 if person % 20 == 0 else 1, loans - written)):
            written += 1
            yield from _loan(f"S-{written:07}", person, kind, place, chance)
        if chance.random() < 0.3:
            yield (
                "contacts",
                [
                    _borrower(person),
                    "email",
                    f"sample{person}@mail.example",
                    place.country,
                    place.timezone,
                    "application",
                ],
            )


def _loan(loan_id: str, person: int, kind: str, place: _Place, chance: Random) -> Iterator[Row]:
    first_due = LAST_DAY - timedelta(days=chance.randrange(60, 240))
    terms = [place.country, place.currency, first_due - timedelta(days=30), chance.choice(PRODUCTS)]
    who = [_borrower(person), f"Sample {person}", kind, _phone(person), place.language, place.timezone]
    yield "loans", [loan_id, *who, *terms, "consumer" if kind == "person" else "business"]
    yield from _money(loan_id, place, first_due, chance)
    if kind == "business":
        guarantor = loan_id.replace("S-", "SG-")
        yield "parties", [loan_id, guarantor, "guarantor", f"Guarantor {person}", place.language, "true", "true"]
        yield "contacts", [guarantor, "mobile", _phone(person + 1), place.country, place.timezone, "application"]


def _money(loan_id: str, place: _Place, first_due: date, chance: Random) -> Iterator[Row]:
    """A schedule, and the payments of someone who at some instalment begins to pay late, in part, or not at all."""
    principal = (Decimal(chance.randrange(4000, 90000)) / 100 * place.size).quantize(place.unit)
    interest = (principal * Decimal("0.04")).quantize(place.unit)
    stops_at = chance.randrange(1, 12)
    for number in range(1, INSTALMENTS + 1):
        due_on = first_due + timedelta(days=30 * (number - 1))
        yield "instalments", [loan_id, number, due_on, principal, interest, Decimal(0)]
        if due_on > LAST_DAY:
            continue
        if number < stops_at:
            paid, paid_on = principal + interest, due_on - timedelta(days=chance.randrange(5))
        elif chance.random() < 0.3:
            paid, paid_on = (principal / 2).quantize(place.unit), due_on + timedelta(days=chance.randrange(1, 40))
        else:
            continue
        yield "entries", [f"{loan_id}-P{number}", loan_id, "payment", paid, place.currency, paid_on, ""]


def _borrower(person: int) -> str:
    return f"SB-{person:07}"


def _phone(person: int) -> str:
    return f"+1{AREAS[person // 100 % len(AREAS)]}55501{person % 100:02}"
