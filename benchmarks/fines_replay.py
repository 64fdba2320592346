"""Posts a tape's entries to real ledgers in value-date order, in reverse and shuffled: `make fines FOLDER=...`.

FOLDER holds loans.csv, instalments.csv, entries.csv and outcomes.csv. Each order has a ledger of its own on a PostgreSQL of its own, and
every entry is a posting of its own. Then each loan's position on every day on which something of it falls due, is posted or ends must be
the same in all three. At the end of the tape it is held against outcomes.csv, which says what was owed in all, and paid:

    owed_eur = outstanding - overpaid + paid        paid_eur = paid        shortfall_eur = outstanding - overpaid

The shortfall is below zero where more was paid than was owed; a position says so as `overpaid`. An empty paid_eur is nothing. Every loan
of which one of the three differs is listed, and so is every row that is refused. Exits 1 where orders or outcomes differ.
"""

import argparse
import asyncio
import csv
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

from benchmarks.made_up import Pool, StandingClock, ledger
from domain.errors import BadInput
from domain.loan import LoanKey
from domain.position import Position
from ledger.money import position_of
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.tape.intake import TapeFiles, take_in

FILES = ("loans.csv", "instalments.csv", "entries.csv", "outcomes.csv")
Positions = dict[str, dict[date, Position]]
CLOCK = StandingClock()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def readable(path: Path) -> list[NewEntry]:
    """The entries of a file; what is refused is said by line."""
    found = []
    for line, row in enumerate(rows(path), 2):
        try:
            found.append(NewEntry.read(row))
        except BadInput as problem:
            print(f"{path.name}, line {line}: {row['entry_id']} is refused: {problem}")
    return found


async def posted(folder: Path, entries: Iterable[NewEntry], days: dict[str, list[date]]) -> Positions:
    """The positions of all loans in a new ledger that got the entries one by one."""
    async with ledger() as (pool, _):
        await take_in(pool, TapeFiles(loans=folder / "loans.csv", instalments=folder / "instalments.csv"), clock=CLOCK)
        for entry in entries:
            await post_entry(pool, entry, CLOCK)
        return {loan: await on_each_day(pool, loan, at) for loan, at in days.items()}


async def on_each_day(pool: Pool, loan: str, days: Iterable[date]) -> dict[date, Position]:
    async with pool.acquire() as conn:
        return {day: await position_of(conn, LoanKey("default", loan), day) for day in days}


def of_interest(folder: Path, entries: list[NewEntry], end: date) -> dict[str, list[date]]:
    found = defaultdict(set)
    for row in rows(folder / "instalments.csv"):
        found[row["loan_id"]].add(date.fromisoformat(row["due_on"]))
    for entry in entries:
        found[entry.loan_id].add(entry.value_date)
    return {loan: sorted({*days, end}) for loan, days in found.items()}


def against(outcomes: list[dict[str, str]], positions: Positions, end: date) -> list[str]:
    """A line for each loan of which an outcome and our position differ."""
    lines = []
    for row in outcomes:
        stands = positions[row["loan_id"]][end]
        short = stands.outstanding - stands.overpaid
        ours = {"owed_eur": short + stands.paid, "paid_eur": stands.paid, "shortfall_eur": short}
        theirs = {name: Decimal(row[name] or 0) for name in ours}
        if different := [f"{n} {theirs[n]} but here {ours[n]}" for n in ours if theirs[n] != ours[n]]:
            lines.append(f"{row['loan_id']}: {', '.join(different)}")
    return lines


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if missing := [name for name in FILES if not (args.folder / name).is_file()]:
        parser.error(f"{args.folder} has no {' and no '.join(missing)}: name a folder that has all four files.")
    entries = readable(args.folder / "entries.csv")
    in_order = sorted(entries, key=lambda e: (e.value_date, e.entry_id))
    orders = {
        "value date": in_order,
        "reverse": in_order[::-1],
        "shuffled": random.Random(args.seed).sample(entries, len(entries)),
    }
    end = max(e.value_date for e in entries)
    days = of_interest(args.folder, entries, end)
    found = {}
    for name, order in orders.items():
        began = time.perf_counter()
        found[name] = await posted(args.folder, order, days)
        looks = sum(len(at) for at in days.values())
        print(
            f"{name}: {len(order)} entries on {len(days)} loans, {looks} positions, {time.perf_counter() - began:.0f} s"
        )
    first = found["value date"]
    unequal = [(name, loan) for name, other in found.items() for loan in days if other[loan] != first[loan]]
    for name, loan in unequal:
        print(f"{loan}: {name} gives other positions than value date")
    outcomes = rows(args.folder / "outcomes.csv")
    differences = against(outcomes, first, end)
    for line in differences:
        print(line)
    overpaid = sum(1 for at in first.values() if at[end].overpaid)
    print(
        f"{len(unequal)} loans stand otherwise in another order; {len(differences)} of {len(outcomes)} outcomes differ."
    )
    print(f"{overpaid} shortfalls are below zero, and overpaid here.")
    return 1 if unequal or differences else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
