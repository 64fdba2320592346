"""The command that holds a statement against the ledger."""

from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from arrears.context import ledger, money, print_json, run, say
from domain.errors import BadInput
from domain.money import plain
from domain.reconcile import Booked, Line, Pair, Reconciled
from domain.reconcile import reconcile as hold_against
from ledger.reconciling import booked
from starters.statements import Statement, read_statement

LONGEST_REFERENCE = 35  # characters, as in ISO 20022


def reconcile(
    statement: Annotated[list[Path], typer.Option(help="A statement, camt.053 or CSV; may be given many times.")],
    lender: Annotated[str | None, typer.Option(help="One lender; all without.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hold a bank's or a processor's statement against the ledger; exit 1 where they differ."""
    read = [read_statement(file) for file in _each_once(statement)]
    lines = [line for each in read for line in each.lines]
    since, until = _covered(read)
    currencies = {currency for each in read for currency in each.currencies}

    async def main() -> Reconciled:
        async with ledger() as books, books.pool.acquire() as conn:
            named = {ref for line in lines for ref in line.references}
            valued = [line.value_date for line in lines]  # corrections may be of long ago
            entries = await booked(conn, min([since, *valued]), max([until, *valued]), named, lender)
            return hold_against(lines, entries, since, until, currencies)

    found = run(main)
    told = _told(found, len(lines), since, until)
    print_json(told) if as_json else _show(found, told)
    if not found.ok:
        raise typer.Exit(1)


def _each_once(files: list[Path]) -> list[Path]:
    """The same movements twice would meet nothing the second time.

    Raises:
        BadInput: two files are the same.
    """
    seen: dict[bytes, Path] = {}
    for file in files:
        content = sha256(file.read_bytes()).digest() if file.is_file() else str(file).encode()
        if content in seen:
            raise BadInput(f"statement {file} is given twice: it is the same as {seen[content]}.")
        seen[content] = file
    return files


def _covered(read: list[Statement]) -> tuple[date, date]:
    since = [each.since for each in read if each.since]
    until = [each.until for each in read if each.until]
    if not since or not until:
        raise BadInput("the statement has no movement and names no days: nothing can be compared with it.")
    return min(since), max(until)


def _told(found: Reconciled, read: int, since: date, until: date) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "since": since,
        "until": until,
        "read": read,
        "matched": len(found.matched),
        "in_suspense": sum(pair.entry.suspense for pair in (*found.matched, *found.different)),
        "other": len(found.other),
        "different": [
            {"differs": pair.differs, "line": _line(pair.line), "entry": _entry(pair.entry)} for pair in found.different
        ],
        "missing": [_line(line) for line in found.missing],
        "extra": [_entry(entry) for entry in found.extra],
    }


def _line(line: Line) -> dict[str, Any]:
    """What may be shown of a line: ids and figures, not what the payer wrote."""
    return {
        "place": line.place,
        "moved": line.moved,
        "amount": plain(line.amount, line.currency),
        "currency": line.currency,
        "value_date": line.value_date,
        "references": [ref[:LONGEST_REFERENCE] for ref in line.references],
    }


def _entry(entry: Booked) -> dict[str, Any]:
    return {
        "lender_id": entry.lender_id,
        "entry_id": entry.entry_id,
        "loan_id": entry.loan_id,
        "kind": entry.kind,
        "amount": plain(entry.amount, entry.currency),
        "currency": entry.currency,
        "value_date": entry.value_date,
        "status": entry.status,
    }


def _show(found: Reconciled, told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "statement", "ledger", "loan", "amount", "on", box=None, pad_edge=False)
    for pair in found.different:
        amount, on = _both(pair)
        table.add_row("different", pair.line.place, pair.entry.entry_id, pair.entry.loan_id, amount, on)
    for line in found.missing:
        named = line.references[0][:LONGEST_REFERENCE] if line.references else ""
        table.add_row("missing", line.place, named, "", _money(line), str(line.value_date))
    for entry in found.extra:
        table.add_row("extra", "", entry.entry_id, entry.loan_id, _money(entry), str(entry.value_date))
    if table.row_count:
        Console().print(table)
    say(f"{told['read']} lines from {told['since']} to {told['until']}:")
    counts = {name: len(getattr(found, name)) for name in ("matched", "different", "missing", "extra", "other")}
    say(", ".join(f"{n} {name}" for name, n in counts.items()) + ".")
    if told["in_suspense"]:
        say(f"{told['in_suspense']} of them are in suspense: their loan is not known yet.")


def _both(pair: Pair) -> tuple[str, str]:
    """Amount and date, of the statement and then of the ledger where they are not the same."""
    line, entry = pair.line, pair.entry
    amount = _money(line) + (f" / {_money(entry)}" if {"amount", "currency"} & set(pair.differs) else "")
    on = str(line.value_date) + (f" / {entry.value_date}" if "date" in pair.differs else "")
    return amount, on + (" (pending in the ledger)" if "status" in pair.differs else "")


def _money(what: Line | Booked) -> str:
    return money(what.amount, what.currency)
