"""The command that explains a case to whoever knows no code."""

from shutil import get_terminal_size
from typing import Annotated, Any

import typer

from arrears.context import ledger, print_json, run, say
from arrears.folding import hanging
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
        lines += hanging(head, f"{words.say('journal', event['kind'])}  {event['about']}".rstrip(), width)
    for each in told["told"]:
        lines += ["", *hanging("", f"{each['id']}  {each['title']}", width)]
        for part in each["parts"]:
            label = part["label"]
            for paragraph in part["lines"]:
                lines += hanging(_column(label), paragraph, width)
                label = ""
    return lines


def _column(label: str) -> str:
    from rich.cells import set_cell_size

    return "  " + set_cell_size(label, 13) + " "
