"""What a lender's core system says beyond its rows: numbers and loans that it took back."""

from typing import Any
from uuid import uuid4

from domain.clock import Clock
from domain.holds import REASONS
from domain.loan import LoanKey
from ledger.locks import lock_loan
from ledger.named import queries

AGREED, CASES, TAPE = queries("agreements"), queries("cases"), queries("tape")
FEED = "feed"  # the source of a hold that the daily feed placed, and takes back by itself


async def settle_numbers(conn: Any) -> None:
    """A borrower's number that no loan's row gives any more is not used; one that is given again is."""
    await TAPE.replace_numbers(conn)
    await TAPE.take_numbers_back(conn)


async def settle_recalls(conn: Any, clock: Clock) -> None:
    """Hold the loans that were recalled or sold, and let their cases close; free those that were given back.

    The hold forbids contact from the commit on; the case then undoes what stands, and closes. One that was given back begins a new
    episode when it is due.
    """
    now = await clock.now()
    for row in [r async for r in TAPE.recalled_loans(conn)]:
        key = LoanKey(row["lender_id"], row["loan_id"])
        await lock_loan(conn, key)
        await place_hold(conn, key, "recalled", now)
        this = {**key._asdict(), "now": now}
        await TAPE.cancel_recalled_contacts(conn, **this, reason=row["status"])
        await TAPE.withdraw_recalled_tasks(conn, **this, reason=row["status"])
        await TAPE.withdraw_agreements(conn, **this)
        await TAPE.close_recalled(conn, **key._asdict(), reason=f"the loan was {row['status']}")
        await TAPE.journal_of_feed(conn, **this, kind="loan_taken_back", data={"status": row["status"]})
        await TAPE.tell_of(conn, **key._asdict(), file="recalls")
    for row in [r async for r in TAPE.returned_loans(conn)]:
        key = LoanKey(row["lender_id"], row["loan_id"])
        await lock_loan(conn, key)
        await AGREED.release_hold(conn, hold_id=row["hold_id"], now=now)
        await CASES.forget_closing(conn, **key._asdict())
        await TAPE.journal_of_feed(conn, **key._asdict(), now=now, kind="loan_given_back", data={})
        await TAPE.tell_of(conn, **key._asdict(), file="recalls")


async def place_hold(conn: Any, key: LoanKey, reason: str, now: Any) -> None:
    """Hold a loan until the feed says otherwise."""
    await AGREED.place_hold(
        conn,
        hold_id=uuid4().hex,
        lender_id=key.lender_id,
        subject_kind="loan",
        subject_id=key.loan_id,
        reason=reason,
        scopes=sorted(REASONS[reason]),
        since=now,
        until=None,
        source=FEED,
    )
