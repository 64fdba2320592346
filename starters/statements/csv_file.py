"""A statement as CSV: what a processor's report, or a bank without camt.053, comes to in a few columns."""

import csv
from pathlib import Path

from domain.errors import BadInput
from domain.money import currencies
from domain.reconcile import Line, Moved
from starters.statements.statement import Statement, amount_of, covering, day_of, reference_of

NEEDED = ("amount", "currency", "value_date")
COLUMNS = (*NEEDED, "reference", "kind", "booked_on", "text")
KINDS = {"payment": Moved.CAME, "reversal": Moved.RETURNED, "refund": Moved.WENT, "refund_returned": Moved.RESTORED}
COMES = frozenset({Moved.CAME, Moved.RESTORED})


def read_csv(file: Path) -> Statement:
    """Read `amount,currency,value_date` and optionally `reference,kind,booked_on,text`, between commas, semicolons or tabs.

    `kind` is one of KINDS; without it a negative amount is a reversal. Several references stand between spaces. A row of zero is left out.

    Raises:
        BadInput: a column or a value cannot be used; the message names the line.
    """
    lines: list[Line] = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            first = opened.readline()
            columns = next(csv.reader([first], delimiter=_between(first)), [])
            names = [column.strip().casefold() for column in columns]
            _check(file, names)
            rows = csv.DictReader(opened, names, delimiter=_between(first), strict=True)
            for row in rows:
                where = f"statement {file}, line {rows.line_num + 1}"
                if None in row or None in row.values():
                    raise BadInput(f"{where}: it has not as many fields as the header: correct it, or quote its text.")
                if any(value.strip() for value in row.values()):
                    line = _line(row, f"line {rows.line_num + 1}", where)
                    lines += [line] if line else []
    except UnicodeDecodeError:
        raise BadInput(f"statement {file} is not UTF-8 text: save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise BadInput(f"statement {file} is broken CSV ({error}): save it as CSV in UTF-8.") from None
    return covering(lines, (line.booked_on for line in lines))


def _between(header: str) -> str:
    return max(",;\t", key=header.count)


def _check(file: Path, names: list[str]) -> None:
    for name in NEEDED:
        if name not in names:
            raise BadInput(f"statement {file} has no column {name}: its header names {', '.join(COLUMNS)}.")
    if len(set(names)) < len(names):
        raise BadInput(f"statement {file} names a column twice: leave one of them out.")


def _line(row: dict[str, str], place: str, where: str) -> Line | None:
    given = {name: value.strip() for name, value in row.items()}
    currency = given["currency"]
    if currency not in currencies():
        raise BadInput(f"{where}: currency {currency[:40]!r} is not an ISO 4217 code: use one such as EUR or CNY.")
    amount = amount_of(given["amount"], currency, where)
    kind = given.get("kind") or ("reversal" if amount and amount < 0 else "payment")
    if kind not in KINDS:
        raise BadInput(f"{where}: kind {kind[:40]!r} is unknown: use one of {', '.join(KINDS)}.")
    if amount and amount < 0 and KINDS[kind] in COMES:
        raise BadInput(f"{where}: kind {kind} has the negative amount {amount}: correct one of the two.")
    value_date = day_of(given["value_date"], where)
    if amount is None:
        return None
    return Line(
        place=place,
        moved=KINDS[kind],
        amount=abs(amount),
        currency=currency,
        value_date=value_date,
        booked_on=day_of(given["booked_on"], where) if given.get("booked_on") else value_date,
        references=tuple(reference_of(each, where) for each in given.get("reference", "").split()),
        text=given.get("text", ""),
    )
