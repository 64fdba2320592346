"""The command that shows and chooses by which terms loans are read."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from arrears.context import Ledger, ledger, print_json, readable, run, say, say_rows
from domain.clock import business_date
from domain.errors import BadInput
from domain.interest import DayCount
from domain.loan import LoanKey
from ledger.case_view import find_loan
from ledger.late_fees import choose_late_fee
from ledger.named import queries

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TERMS = queries("terms")
SHOWN = ("waterfall", "day_count", "annual_rate", "penalty_rate", "tolerance", "materiality")
LATE_FEE = ("late_fee_since", "late_fee_amount", "late_fee_rate", "late_fee_cap", "late_fee_grace")


def terms(
    loan: Annotated[str | None, typer.Argument(help="One loan; without, the lender's.")] = None,
    lender: Annotated[str, typer.Option(help="Whose terms, where no loan is named.")] = "default",
    waterfall: Annotated[str | None, typer.Option(help="In which order money is spent, such as cn-561.")] = None,
    day_count: Annotated[DayCount | None, typer.Option(help="How days bear interest.")] = None,
    daily_interest: Annotated[bool | None, typer.Option(help="Work out daily interest at loans' annual_rate.")] = None,
    penalty_interest: Annotated[
        bool | None, typer.Option(help="Work out penalty interest at loans' penalty_rate.")
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option(help="What may be missing of an instalment that still counts as paid.")
    ] = None,
    materiality: Annotated[
        str | None, typer.Option(help="Arrears of a whole loan up to which nobody counts days.")
    ] = None,
    balance_tolerance: Annotated[
        str | None, typer.Option(help="By how much the core system's balances may differ from ours.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Decides the business date, such as Europe/Rome; `arrears register` afterwards.")
    ] = None,
    late_fee: Annotated[
        str | None, typer.Option(help="What a late instalment costs: an amount, a share such as 5%, or none.")
    ] = None,
    late_fee_cap: Annotated[str | None, typer.Option(help="The most that a share may come to.")] = None,
    late_fee_grace: Annotated[int, typer.Option(help="Days after the due date without a fee.", min=0)] = 0,
    by: Annotated[str, typer.Option("--by", help="Who chooses; kept with the change.")] = "",
    why: Annotated[str, typer.Option("--why", help="Why; kept with the change.")] = "",
    changes: Annotated[bool, typer.Option("--changes", help="List what was changed, by whom and why.")] = False,
    as_json: Json = False,
) -> None:
    """Show by which terms a loan is read; with options, choose them for it or for a whole lender."""
    from ledger.terms import Chosen, choose

    chosen = Chosen(
        waterfall,
        day_count,
        daily_interest,
        penalty_interest,
        _number("--tolerance", tolerance) if tolerance is not None else None,
        _number("--materiality", materiality) if materiality is not None else None,
        _number("--balance-tolerance", balance_tolerance) if balance_tolerance is not None else None,
        timezone,
    )
    given = chosen.given()

    async def main() -> Any:
        async with ledger() as books, books.pool.acquire() as conn, conn.transaction():
            key = await find_loan(conn, loan) if loan else None
            if changes:
                return await _changes(conn, key, lender)
            if not given and late_fee is None:
                if key is None:
                    raise BadInput(
                        "nothing is chosen: name a loan to see its terms, or give an option such as --waterfall."
                    )
                return await _shown(conn, key)
            said = _said(by, why)
            if late_fee is not None and key is not None:
                raise BadInput("--late-fee is a lender's policy: leave out the loan, and name the lender by --lender.")
            shown: dict[str, Any] = {"lender_id": lender, **given}
            if given:
                whose = (key.lender_id, key.loan_id) if key else (lender,)
                await choose(conn, chosen, *whose, **said, now=await books.clock.now())
            if late_fee is not None:
                shown |= await _choose_late_fee(books, conn, lender, said, late_fee, late_fee_cap, late_fee_grace)
            return shown if key is None else await _shown(conn, key)

    shown = run(main)
    if as_json:
        print_json(shown)
    elif not changes:
        say_rows(shown)
    else:
        for change in shown:
            say(_sentence(change))


def _said(by: str, why: str) -> dict[str, str]:
    for name, text in (("--by", by), ("--why", why)):
        if not text.strip():
            raise BadInput(f"{name} is missing: a change of terms says who makes it and why.")
    return {"by": by, "why": why}


async def _shown(conn: Any, key: LoanKey) -> dict[str, Any]:
    [row] = [r async for r in TERMS.terms_of_loans(conn, lender_ids=[key.lender_id], loan_ids=[key.loan_id])]
    return key._asdict() | {name: None if row[name] is None else str(row[name]) for name in SHOWN}


async def _changes(conn: Any, key: LoanKey | None, lender: str) -> list[dict[str, Any]]:
    whose = key._asdict() if key else {"lender_id": lender, "loan_id": None}
    return [dict(row) async for row in TERMS.changes(conn, **whose)]


def _sentence(change: dict[str, Any]) -> str:
    changed = (f"{name} from {readable(old)} to {readable(new)}" for name, (old, new) in change["changed"].items())
    of = f"loan {change['loan_id']}" if change["loan_id"] else f"lender {change['lender_id']}"
    return f"{readable(change['at'])}  {of}: {', '.join(changed)}; by {change['by']}: {change['why']}"


async def _choose_late_fee(
    books: Ledger, conn: Any, lender: str, said: dict[str, str], fee: str, cap: str | None, grace_days: int
) -> dict[str, Any]:
    """A lender's late fee from today on; nothing that was late before is charged."""
    from ledger.terms import lender_terms, note_change

    before, now = await lender_terms(conn, lender), await books.clock.now()
    since = None if fee == "none" else business_date(now, before["timezone"])
    share = fee.endswith("%")
    number = None if since is None else _number("--late-fee", fee.removesuffix("%"))
    chosen: dict[str, Any] = {
        "amount": None if share else number,
        "rate": number / 100 if share and number is not None else None,
        "cap": _number("--late-fee-cap", cap) if cap else None,
        "grace_days": grace_days,
    }
    await choose_late_fee(conn, lender, since, **chosen)
    after = dict(zip(LATE_FEE, (since, *chosen.values()), strict=True))
    await note_change(conn, lender, None, before, after, **said, now=now)
    return {"late_fee": fee, "since": since.isoformat() if since else None, "cap": cap, "grace_days": grace_days}


def _number(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        forms = "15.00, 5% or none" if option == "--late-fee" else "15.00"
        raise BadInput(f"{option} {text!r} is no number: write {forms}.") from None
