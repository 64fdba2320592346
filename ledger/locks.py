"""The order of locks: the person first, then the loan; for many, each kind sorted by id. Whoever keeps it never waits in a circle."""

from typing import Any

from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.named import queries

MONEY = queries("money")


async def lock_loan(conn: Any, key: LoanKey) -> None:
    """Keep everyone else from this loan and its borrower until the transaction ends.

    Raises:
        BadInput: there is no such loan.
    """
    if not await try_lock_loan(conn, key):
        raise BadInput(f"loan {key} is unknown: take it in with `arrears intake`, or correct the id.")


async def try_lock_loan(conn: Any, key: LoanKey) -> bool:
    """As `lock_loan`, but False where there is no such loan."""
    this = {"lender_id": key.lender_id, "loan_id": key.loan_id}
    return await MONEY.lock_loan(conn, **this) is not None
