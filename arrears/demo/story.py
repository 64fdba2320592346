"""What the demo plays: its days, its tapes, and the story of the small business."""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

from channels.simulator import Behaviour, Reply, Script

STRATEGY = "demo"
LENDER = "Example Credit"  # who texts and letters say they come from
START = date(2007, 10, 7)  # the fines fall due from the 10th on; the days before them are for the stack to come up
END = date(2008, 2, 4)  # the first day that is not played

BUSINESS = ("XMM-STOCK", "XMM-OVEN")
FINDING = {"finding": "weak cash flow", "weekly_takings": "9800.00", "weekly_costs": "7900.00", "currency": "CNY"}
AGREED_ON = date(2007, 11, 16)  # the owner comes a week after the letter
FIRST_PAYMENT, WEEKS = date(2007, 11, 23), 8
WEEKLY = {"XMM-STOCK": Decimal("1015.00"), "XMM-OVEN": Decimal("761.25")}

# Three debtors who never paid, and what the simulated carrier gets from their telephones.
SCRIPTED = {
    "F-A10384": Behaviour(replies=(Reply(text="STOP", after=1),)),
    "F-A10495": Behaviour(replies=(Reply(text="Pago appena posso.", after=1),)),
    "F-A10718": Behaviour(delivery="undelivered", error_code=30005),
}

Row = dict[str, str]


@dataclass(frozen=True)
class Tape:
    """One folder of examples: the files that `arrears intake` takes, and their entries."""

    name: str

    def path(self, file: str) -> Path:
        """A file of the tape on disk."""
        with as_file(files("examples") / self.name / file) as path:
            return path

    def rows(self, file: str) -> list[Row]:
        """The rows of one of its CSV files."""
        with self.path(file).open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))

    def has(self, file: str) -> bool:
        """Whether the tape has a file of that name."""
        return (files("examples") / self.name / file).is_file()

    def write_entries(self, to: Path, *, before: date) -> None:
        """Write the entries of the days before one, in the form that the intake reads."""
        rows = self.rows("entries.csv")
        with to.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(r for r in rows if date.fromisoformat(r["value_date"]) < before)


FINES, SHOP = Tape("fines"), Tape("business")


@lru_cache
def entries() -> tuple[Row, ...]:
    """All entries of both tapes, oldest first; on one day charges come before payments."""
    rows = [{k: v for k, v in r.items() if v} for tape in (FINES, SHOP) for r in tape.rows("entries.csv")]
    return tuple(sorted(rows, key=lambda r: (r["value_date"], r["kind"] == "payment", r["entry_id"])))


@lru_cache
def payments(loan_id: str) -> tuple[tuple[date, Decimal], ...]:
    """The real payments on a loan, as (day, amount)."""
    return tuple(
        (date.fromisoformat(r["value_date"]), Decimal(r["amount"]))
        for r in entries()
        if r["loan_id"] == loan_id and r["kind"] == "payment"
    )


@lru_cache
def instalment(loan_id: str) -> Decimal:
    """What fell due on a fine: its one instalment, without the late fee."""
    row = next(r for r in FINES.rows("instalments.csv") if r["loan_id"] == loan_id)
    return Decimal(row["principal"]) + Decimal(row["interest"]) + Decimal(row["fee"])


def script() -> Script:
    """The scripted borrowers by telephone number; everyone else gets texts and says nothing."""
    phones = {r["loan_id"]: r["phone"] for r in FINES.rows("loans.csv")}
    return Script(borrowers={phones[loan]: behaviour for loan, behaviour in SCRIPTED.items()})


class PlanDay(NamedTuple):
    """One weekly payment of the shop's plan."""

    loan_id: str
    due_on: date
    amount: Decimal


def plan_days(first: date = FIRST_PAYMENT) -> list[PlanDay]:
    """The weekly payments on both loans from a day on, oldest first."""
    days = [first + timedelta(weeks=week) for week in range(WEEKS)]
    return [PlanDay(loan, day, WEEKLY[loan]) for day in days for loan in BUSINESS]
