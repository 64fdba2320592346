"""Suspense: money whose loan nobody knew when it came. It is posted when the loan comes, or when somebody says which it is."""

import logging
from typing import Any

import asyncpg

from domain.clock import Clock
from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.locks import lock_loan
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.posting import Posted, post_within

POSTING = queries("posting")
log = logging.getLogger(__name__)
# What keeps one entry waiting and must not keep the others.
UNPOSTABLE = (BadInput, asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError)


async def list_suspense(conn: Any, lender_id: str | None = None) -> list[dict[str, Any]]:
    """What waits, oldest first. `loan_known` says that only something else, such as its currency, keeps it from being posted."""
    return [dict(r) async for r in POSTING.list_suspense(conn, lender=lender_id)]


async def match_suspense(conn: Any, clock: Clock) -> int:
    """Post all that waits for a loan that is known by now, in value-date order, inside the caller's transaction.

    What cannot be posted waits on. Returns how many were posted; a second call posts nothing more.
    """
    posted = 0
    for row in [r async for r in POSTING.waiting_for_known_loans(conn)]:
        try:
            async with conn.transaction():
                done = await post_within(conn, NewEntry.read(row["entry"]), clock)
        except (BadInput, asyncpg.UniqueViolationError):
            continue
        posted += done.status == "new"
    return posted


async def match_each(pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> int:
    """As `match_suspense`, each entry in a transaction of its own, so that no two loans are locked at once; for the sweep."""
    async with pool.acquire() as conn:
        waiting = [NewEntry.read(r["entry"]) async for r in POSTING.waiting_for_known_loans(conn)]
    posted = 0
    for entry in waiting:
        try:
            async with pool.acquire() as conn, conn.transaction():
                done = await post_within(conn, entry, clock)
        except UNPOSTABLE as error:
            log.info("Entry %s of lender %s waits on: %s", entry.entry_id, entry.lender_id, type(error).__name__)
            continue
        posted += done.status == "new"
    return posted


async def match_by_hand(
    pool: "asyncpg.Pool[asyncpg.Record]", key: LoanKey, entry_id: str, by: str, clock: Clock
) -> Posted:
    """Post an entry from suspense to the loan that `by` knows it is for. Its sender may go on naming the other loan.

    Done before with the same loan, it is known and changes nothing.

    Raises:
        BadInput: no such entry waits, the loan is unknown, or the entry cannot be posted to it.
    """
    this = {"lender_id": key.lender_id, "entry_id": entry_id}
    async with pool.acquire() as conn, conn.transaction():
        await lock_loan(conn, key)
        kept = await POSTING.suspended(conn, **this)
        if kept is None:
            known = await POSTING.known_entry(conn, **this)
            if known is not None and known["loan_id"] == key.loan_id:
                return Posted("known", known["ledger_version"], False)
            raise BadInput(f"entry {entry_id} is not in suspense: `arrears suspense list` shows what is.")
        if kept["loan_id"] != key.loan_id:
            now = await clock.now()
            await POSTING.match(conn, **this, sent_for=kept["loan_id"], loan_id=key.loan_id, by=by, now=now)
            await POSTING.name_loan(conn, **this, loan_id=key.loan_id)
        return await post_within(conn, NewEntry.read({**kept["entry"], "loan_id": key.loan_id}), clock)
