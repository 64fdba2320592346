"""Commands about money: what is on a loan, entries by hand, and what waits for its loan."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from arrears.context import ledger, print_json, run, say
from domain.clock import business_date
from domain.errors import BadInput
from domain.loan import COMPONENTS
from domain.money import plain
from domain.position import DIRECTIONS
from ledger.case_view import find_loan
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.posting import Posted, loan_for_posting, post_entry
from ledger.suspense import list_suspense, match_by_hand
from ledger.terms import check_instalment

POSTING = queries("posting")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Loan = Annotated[str, typer.Argument(help="loan_id, or lender_id/loan_id")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept with the entry.")]


def money(loan: Loan, as_json: Json = False) -> None:
    """List the entries of a loan in the order they came; pending money stands again where it was settled or returned."""

    async def main() -> list[dict[str, Any]]:
        async with ledger() as books, books.pool.acquire() as conn:
            key = await find_loan(conn, loan)
            rows = POSTING.lines_of_loan(conn, lender_id=key.lender_id, loan_id=key.loan_id)
            return [{**r, "amount": plain(r["amount"], r["currency"])} async for r in rows]

    found = run(main)
    if as_json:
        print_json(found)
        return
    columns = ("entry_id", "value_date", "kind", "amount", "status", "payer", "reason")
    _show(columns, found, f"Nothing was posted to loan {loan} yet.")


def entry(
    loan: Loan,
    kind: Annotated[str, typer.Argument(help="Such as waiver, adjustment, write_off, payment, reversal.")],
    amount: Annotated[
        str, typer.Argument(help="In the loan's currency, such as 12.50; after -- where it is negative.")
    ],
    by: By,
    why: Annotated[str, typer.Option("--why", help="Why; a short code such as misposted also reaches the case.")],
    entry_id: Annotated[
        str | None, typer.Option("--id", help="Posts nothing twice under one id; made up without.")
    ] = None,
    value_date: Annotated[str | None, typer.Option(help="From which day it counts; today without.")] = None,
    reverses: Annotated[str | None, typer.Option(help="The entry that a reversal takes back.")] = None,
    component: Annotated[
        str | None, typer.Option(help="What it is for: interest, principal, fee, late_fee, cost or other.")
    ] = None,
    instalment: Annotated[int | None, typer.Option(help="The number of the instalment that it is for.", min=1)] = None,
    direction: Annotated[
        str | None, typer.Option(help="to_come: for what is not yet due; disputed: for what is disputed like all else.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Post an entry by hand, with who and why."""
    for name, text in (("--by", by), ("--why", why)):
        if not text.strip():
            raise BadInput(f"{name} is empty: an entry by hand says who posts it and why.")
    _refuse_unknown("--component", component, COMPONENTS)
    _refuse_unknown("--direction", direction, DIRECTIONS)

    async def main() -> tuple[NewEntry, Posted]:
        async with ledger() as books:
            async with books.pool.acquire() as conn:
                key = await find_loan(conn, loan)
                if instalment is not None:
                    await check_instalment(conn, key, instalment)
                terms = await loan_for_posting(conn, key, None)
            today = business_date(await books.clock.now(), terms["timezone"])
            given = {
                "lender_id": key.lender_id,
                "loan_id": key.loan_id,
                "currency": terms["currency"],
                "entry_id": entry_id or f"hand-{uuid4()}",
                "kind": kind,
                "amount": amount,
                "reverses": reverses,
                "component": component,
                "instalment": instalment,
                "direction": direction,
                "value_date": value_date or today.isoformat(),
                "source": by,
                "reason": why,
            }
            new = NewEntry.read(given)
            return new, await post_entry(books.pool, new, books.clock)

    new, posted = run(main)
    if as_json:
        print_json({"entry_id": new.entry_id, "status": posted.status, "ledger_version": posted.version})
        return
    said = {"new": "posted", "known": "was posted before; nothing changed", "suspense": "waits for what it reverses"}
    say(f"Entry {new.entry_id} {said.get(posted.status, posted.status)}.")


def _refuse_unknown(option: str, word: str | None, known: tuple[str, ...]) -> None:
    """A program's other words are kept and direct nothing; a person's would be a slip."""
    if word is not None and word not in known:
        raise BadInput(f"{option} {word!r} is not known: use one of {', '.join(known)}.")


def list_(
    lender: Annotated[str | None, typer.Option(help="Of one lender.")] = None,
    as_json: Json = False,
) -> None:
    """List the entries that wait for their loan, oldest first."""

    async def main() -> list[dict[str, Any]]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await list_suspense(conn, lender)

    found = run(main)
    if as_json:
        print_json(found)
        return
    columns = ("entry_id", "loan_id", "loan_known", "value_date", "kind", "amount", "payer", "refusal")
    _show(columns, found, "Nothing waits for its loan.")


def match(
    entry: Annotated[str, typer.Argument(help="The entry's id, as `arrears suspense list` shows it.")],
    loan: Annotated[str, typer.Option("--loan", help="The loan that it is for: loan_id, or lender_id/loan_id.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Post an entry that waits to the loan that it is for."""

    async def main() -> Posted:
        async with ledger() as books:
            async with books.pool.acquire() as conn:
                key = await find_loan(conn, loan)
            return await match_by_hand(books.pool, key, entry, by, books.clock)

    posted = run(main)
    if as_json:
        print_json({"entry_id": entry, "status": posted.status, "ledger_version": posted.version})
        return
    say(f"Entry {entry} {'is posted to' if posted.status == 'new' else 'was posted before to'} loan {loan}.")


def _show(columns: tuple[str, ...], rows: list[dict[str, Any]], nothing: str) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    # An id is typed by whoever matches or reverses the entry: it is never cut.
    heads = [Column(name.replace("_", " "), no_wrap=name == "entry_id") for name in columns]
    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        shown = {**row, "amount": f"{row['amount']} {row['currency']}"}
        table.add_row(*(_cell(shown[name]) for name in columns))
    Console().print(table if rows else nothing)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
