"""Made-up loans that are past due, and all that will be posted to them, as files that the count reads back."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from domain.loan import Entry, EntryKind, Instalment

CURRENCY = "EUR"
INSTALMENTS = 4
ENTRIES_A_LOAN = 40
DUPLICATES, UNKNOWN_LOANS, REVERSALS, CHARGES = 0.2, 0.02, 0.08, 0.08
Row = dict[str, Any]


@dataclass(frozen=True)
class Portfolio:
    """The files of a portfolio."""

    folder: Path

    @property
    def loans(self) -> Path:
        return self.folder / "loans.jsonl"

    @property
    def instalments(self) -> Path:
        return self.folder / "instalments.jsonl"

    @property
    def entries(self) -> Path:
        return self.folder / "entries.jsonl"

    def schedule(self) -> dict[str, list[Instalment]]:
        """The instalments of each loan, as the file has them."""
        found: dict[str, list[Instalment]] = {}
        for row in read(self.instalments):
            parts = [Decimal(row[name]) for name in ("principal", "interest", "fee")]
            due = Instalment(row["number"], date.fromisoformat(row["due_on"]), *parts)
            found.setdefault(row["loan_id"], []).append(due)
        return found

    def money(self) -> dict[str, list[Entry]]:
        """The entries of each loan, as the file has them; of unknown loans too."""
        found: dict[str, list[Entry]] = {}
        for row in read(self.entries):
            entry = Entry(
                row["entry_id"],
                EntryKind(row["kind"]),
                Decimal(row["amount"]),
                date.fromisoformat(row["value_date"]),
                row.get("reverses"),
            )
            found.setdefault(row["loan_id"], []).append(entry)
        return found


def read(file: Path) -> list[Row]:
    """The rows of a file."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def make(folder: Path, sends: int, seed: int, today: date) -> Portfolio:
    """Write a portfolio to which so many sends fit, duplicates among them."""
    chance = Random(seed)
    entries = round(sends * (1 - DUPLICATES))
    names = [f"STORM-{n:04}" for n in range(max(8, entries // ENTRIES_A_LOAN))]
    made = Portfolio(folder)
    _write(made.loans, (_loan(n, name, today) for n, name in enumerate(names)))
    _write(made.instalments, [row for name in names for row in _schedule(name, chance, today)])
    _write(made.entries, _entries(names, entries, chance, today))
    return made


def shuffled(portfolio: Portfolio, sends: int, seed: int) -> list[Row]:
    """What is sent, in the order in which it is: each entry once, some more often, all mixed."""
    chance = Random(f"{seed}/order")
    rows = read(portfolio.entries)
    rows += chance.choices(rows, k=sends - len(rows))
    chance.shuffle(rows)
    return rows


def _loan(n: int, name: str, today: date) -> Row:
    return {
        "loan_id": name,
        "borrower_id": f"P-{name}",
        "borrower_name": f"Sample {n}",
        "borrower_kind": "person",
        "phone": f"+1{201 + n // 100}55501{n % 100:02}",
        "language": "en",
        "timezone": "Europe/Rome",
        "country": "IT",
        "currency": CURRENCY,
        "opened_on": (today - timedelta(days=200)).isoformat(),
        "product": "loan",
    }


def _schedule(name: str, chance: Random, today: date) -> Iterable[Row]:
    first = today - timedelta(days=chance.randrange(20, 70))
    amount = f"{chance.randrange(20000, 90000) / 100:.2f}"
    for number in range(1, INSTALMENTS + 1):
        due_on = first + timedelta(days=30 * (number - 1))
        yield {
            "loan_id": name,
            "number": number,
            "due_on": due_on.isoformat(),
            "principal": amount,
            "interest": "7.50",
            "fee": "0.00",
        }


def _entries(names: list[str], how_many: int, chance: Random, today: date) -> list[Row]:
    rows: list[Row] = []
    paid: dict[str, list[Row]] = {name: [] for name in names}
    for n in range(how_many):
        unknown = chance.random() < UNKNOWN_LOANS
        loan = f"NOBODY-{n % 7}" if unknown else chance.choice(names)
        row = {
            "entry_id": f"E-{n:06}",
            "loan_id": loan,
            "kind": "payment",
            "amount": f"{chance.randrange(100, 6000) / 100:.2f}",
            "currency": CURRENCY,
            "value_date": (today - timedelta(days=chance.randrange(-3, 45))).isoformat(),
        }
        drawn = 1.0 if unknown else chance.random()
        if drawn < REVERSALS and paid[loan]:
            # Each payment is taken back once at most, so that the order of arrival cannot make one refused.
            back = paid[loan].pop(chance.randrange(len(paid[loan])))
            whole = chance.random() < 0.7
            amount = Decimal(back["amount"]) if whole else (Decimal(back["amount"]) / 2).quantize(Decimal("0.01"))
            row |= {"kind": "reversal", "reverses": back["entry_id"], "amount": str(amount)}
        elif drawn < REVERSALS + CHARGES:
            row |= {"kind": "cost", "amount": f"{chance.randrange(100, 900) / 100:.2f}"}
        elif not unknown:
            paid[loan].append(row)
        rows.append(row)
    return rows


def _write(file: Path, rows: Iterable[Row]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
