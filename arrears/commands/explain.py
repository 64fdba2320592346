"""The command that explains a case to whoever knows no code."""

import re
from shutil import get_terminal_size
from typing import Annotated, Any

import typer

from arrears.context import ledger, print_json, run, say
from ledger.case_view import find_loan
from ledger.explain import why as explain
from ledger.explain import words_of

WIDEST = 80


def why(
    loan: Annotated[str, typer.Argument(help="loan_id, or lender_id/loan_id")],
    contact: Annotated[
        str | None, typer.Argument(help="A contact's id, a task's, or e and a number; all of them without.")
    ] = None,
    language: Annotated[str, typer.Option(help="en or zh; rules speak as their rulebook has them.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain a case: what happened, and for each contact the facts seen, the rules that spoke, and what came of it."""

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await explain(conn, await find_loan(conn, loan), contact, language, _registered)

    told = run(main)
    if as_json:
        print_json(told)
        return
    for line in readable_account(told, language, min(WIDEST, get_terminal_size((WIDEST, 24)).columns)):
        say(line)


def _registered(name: str, language: str, country: str) -> dict[str, Any] | None:
    from activities.registered import carrier_ids

    ids = carrier_ids(name, language, country)
    return ids.model_dump() if ids else None


def readable_account(told: dict[str, Any], language: str, width: int) -> list[str]:
    """The lines of an account: the journal, then each judgement; none wider than `width`, a Chinese character counting two."""
    words = words_of(language)
    lines: list[str] = []
    if told["events"]:
        lines.append(words.say("labels", "journal"))
    for event in told["events"]:
        head = f"{event['at']:%Y-%m-%d %H:%M}  {event['id']:>5}  "
        lines += _hanging(head, f"{words.say('journal', event['kind'])}  {event['about']}".rstrip(), width)
    for each in told["told"]:
        lines += ["", *_hanging("", f"{each['id']}  {each['title']}", width)]
        for part in each["parts"]:
            label = part["label"]
            for paragraph in part["lines"]:
                lines += _hanging(_column(label), paragraph, width)
                label = ""
    return lines


def _column(label: str) -> str:
    from rich.cells import set_cell_size

    return "  " + set_cell_size(label, 13) + " "


WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6"
CLOSING = "，。、；：）"
# What stays on one line: a word, an id; an ideograph alone. Neither is parted from the stop after it.
PIECE = re.compile(rf"(?:[^\s{WIDE}]+|[^\s{CLOSING}])[{CLOSING}]*|[{CLOSING}]+|\s+")


def _hanging(head: str, text: str, width: int) -> list[str]:
    """A text in lines beside its head."""
    from rich.cells import cell_len

    wrapped = [line for part in text.splitlines() or [""] for line in _wrapped(part, width - cell_len(head))]
    return [((head if n == 0 else " " * cell_len(head)) + line).rstrip() for n, line in enumerate(wrapped)]


def _wrapped(text: str, room: int) -> list[str]:
    """A text in lines of at most so many columns; only what is wider than a line is broken within."""
    from rich.cells import cell_len, chop_cells

    lines = [""]
    for piece in PIECE.findall(text):
        if cell_len(lines[-1]) + cell_len(piece) <= room:
            lines[-1] += piece
        elif not piece.isspace():
            lines += chop_cells(piece, room)
    return [line.strip() for line in lines if line.strip()] or [""]
