"""Taking up again what somebody closed by hand."""

from typing import Annotated

import typer

from arrears.context import ledger, print_json, run, say, temporal
from domain.errors import BadInput
from ledger.case_view import find_loan
from ledger.locks import lock_loan
from ledger.named import queries

CASES, TAPE = queries("cases"), queries("tape")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def reopen(
    loan: Annotated[str, typer.Argument(help="loan_id, or lender_id/loan_id")],
    by: Annotated[str, typer.Option(help="Who wants it: an id, no name.")],
    why: Annotated[str, typer.Option(help="Why: it is kept.")],
    as_json: Json = False,
) -> None:
    """Collect a loan again whose case was closed by hand; what was past due then is otherwise left alone for good."""
    from activities.case_in_hand import Desk
    from activities.opening import Opening

    async def main() -> tuple[str, bool]:
        client = await temporal()
        async with ledger() as books:
            async with books.pool.acquire() as conn, conn.transaction():
                key = await find_loan(conn, loan)
                await lock_loan(conn, key)
                closed = await CASES.closed_by_hand(conn, **key._asdict())
                if closed is None:
                    raise BadInput(
                        f"loan {key} has no case that was closed by hand: `arrears case {key}` says how it stands."
                    )
                await CASES.forget_closing(conn, **key._asdict())
                said = {"by": by, "why": why, "closed_for": closed["closing"]}
                await TAPE.journal_of_feed(
                    conn, **key._asdict(), now=await books.clock.now(), kind="reopened", data=said
                )
            return str(key), await Opening(Desk(books.pool, books.clock), client).open(key)

    named, begun = run(main)
    if as_json:
        print_json({"loan": named, "case_begun": begun})
    elif begun:
        say(f"Loan {named} is collected again, as a new episode.")
    else:
        say(f"Loan {named} is free to be collected again. Nothing is past due now: its case begins when something is.")
