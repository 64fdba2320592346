"""The command that shows and chooses by which terms loans are read."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from arrears.context import Ledger, ledger, print_json, run, say_rows
from domain.clock import business_date
from domain.errors import BadInput
from domain.interest import DayCount
from ledger.case_view import find_loan
from ledger.late_fees import choose_late_fee
from ledger.named import queries

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TERMS = queries("terms")
SHOWN = ("waterfall", "day_count", "annual_rate", "penalty_rate", "tolerance", "materiality")


def terms(
    loan: Annotated[str | None, typer.Argument(help="One loan; without, the lender's.")] = None,
    lender: Annotated[str, typer.Option(help="Whose terms, where no loan is named.")] = "default",
    waterfall: Annotated[str | None, typer.Option(help="In which order money is spent, such as cn-561.")] = None,
    day_count: Annotated[DayCount | None, typer.Option(help="How days bear interest.")] = None,
    daily_interest: Annotated[bool | None, typer.Option(help="Work out daily interest at loans' annual_rate.")] = None,
    penalty_interest: Annotated[
        bool | None, typer.Option(help="Work out penalty interest at loans' penalty_rate.")
    ] = None,
    late_fee: Annotated[
        str | None, typer.Option(help="What a late instalment costs: an amount, a share such as 5%, or none.")
    ] = None,
    late_fee_cap: Annotated[str | None, typer.Option(help="The most that a share may come to.")] = None,
    late_fee_grace: Annotated[int, typer.Option(help="Days after the due date without a fee.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Show by which terms a loan is read; with options, choose them for it or for a whole lender."""
    from ledger.terms import choose

    chosen: dict[str, Any] = {
        "waterfall": waterfall,
        "day_count": day_count,
        "daily_interest": daily_interest,
        "penalty_interest": penalty_interest,
    }

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn, conn.transaction():
            key = await find_loan(conn, loan) if loan else None
            if late_fee is not None:
                if key is not None:
                    raise BadInput(
                        "--late-fee is a lender's policy: leave out the loan, and name the lender by --lender."
                    )
                return {
                    "lender_id": lender,
                    **await _choose_late_fee(books, conn, lender, late_fee, late_fee_cap, late_fee_grace),
                }
            if any(value is not None for value in chosen.values()):
                await choose(conn, key.lender_id if key else lender, key.loan_id if key else None, **chosen)
            elif key is None:
                raise BadInput(
                    "nothing is chosen: name a loan to see its terms, or give an option such as --waterfall."
                )
            if key is None:
                return {"lender_id": lender} | {name: value for name, value in chosen.items() if value is not None}
            row = await TERMS.terms_of_loan(conn, lender_id=key.lender_id, loan_id=key.loan_id)
            return key._asdict() | {name: None if row[name] is None else str(row[name]) for name in SHOWN}

    shown = run(main)
    print_json(shown) if as_json else say_rows(shown)


async def _choose_late_fee(
    books: Ledger, conn: Any, lender: str, fee: str, cap: str | None, grace_days: int
) -> dict[str, Any]:
    """A lender's late fee from today on; nothing that was late before is charged."""
    zone = await conn.fetchval("select timezone from lenders where lender_id = $1", lender)
    since = None if fee == "none" else business_date(await books.clock.now(), zone or "UTC")
    share = fee.endswith("%")
    number = None if since is None else _number("--late-fee", fee.removesuffix("%"))
    chosen: dict[str, Any] = {
        "amount": None if share else number,
        "rate": number / 100 if share and number is not None else None,
        "cap": _number("--late-fee-cap", cap) if cap else None,
        "grace_days": grace_days,
    }
    await choose_late_fee(conn, lender, since, **chosen)
    return {"late_fee": fee, "since": since.isoformat() if since else None, "cap": cap, "grace_days": grace_days}


def _number(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadInput(f"{option} {text!r} is no number: write 15.00, 5% or none.") from None
