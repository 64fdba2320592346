"""Suspense: money whose loan nobody knew when it came. It is posted when the loan comes, or when somebody says which it is."""

import logging
from dataclasses import replace
from typing import Any

import asyncpg

from domain.clock import Clock
from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.known import Known, kept_entry, known_entry
from ledger.locks import lock_loan
from ledger.named import queries
from ledger.posting import Posted, note_refusal, post_kept, post_within

POSTING = queries("posting")
log = logging.getLogger(__name__)


async def list_suspense(conn: Any, lender_id: str | None = None) -> list[dict[str, Any]]:
    """What waits, oldest first. `loan_known` says that only something else keeps it from being
    posted, and `refusal` what, as of when that was last tried.
    """
    return [dict(r) async for r in POSTING.list_suspense(conn, lender=lender_id)]


async def match_suspense(conn: Any, clock: Clock) -> int:
    """Post all that waits for a loan that is known by now, in value-date order, inside the caller's transaction.

    What cannot be posted waits on. Returns how many wait no longer; a second call posts nothing more.
    """
    waiting = [r["entry"] async for r in POSTING.waiting_for_known_loans(conn)]
    done = [(kept, await post_kept(conn, kept, clock)) for kept in waiting]
    # Rows of suspense come after all loans in the order of locks.
    for kept, refused in done:
        if isinstance(refused, BadInput):
            await note_refusal(conn, kept, refused)
    return sum(_is_posted(posted) for _, posted in done)


async def match_each(pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> int:
    """As `match_suspense`, each entry in a transaction of its own, so that no two loans are locked at once; for the sweep."""
    async with pool.acquire() as conn:
        waiting = [r["entry"] async for r in POSTING.waiting_for_known_loans(conn)]
    posted = 0
    for kept in waiting:
        try:
            async with pool.acquire() as conn, conn.transaction():
                done = await post_kept(conn, kept, clock)
                if isinstance(done, BadInput):
                    await note_refusal(conn, kept, done)
        except asyncpg.TransactionRollbackError as error:
            log.info("Entry %s of lender %s waits on: %s", kept["entry_id"], kept["lender_id"], type(error).__name__)
            continue
        posted += _is_posted(done)
    return posted


def _is_posted(done: Posted | BadInput) -> bool:
    """Whether an entry waits no longer; a reversal has often been posted with the entry that it waited for."""
    return isinstance(done, Posted) and done.version is not None


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
        await POSTING.lock_entry(conn, **this)
        row = await POSTING.suspended(conn, **this)
        kept = kept_entry(**row) if row is not None else None
        posted = await known_entry(conn, **this)
        if posted is not None:
            return await _matched_before(conn, key, kept, posted)
        if kept is None:
            raise BadInput(f"entry {entry_id} is not in suspense: `arrears suspense list` shows what is.")
        sent = kept.entry
        if sent.loan_id != key.loan_id:
            now = await clock.now()
            await POSTING.match(conn, **this, sent_for=sent.loan_id, loan_id=key.loan_id, by=by, now=now)
            await POSTING.name_loan(conn, **this, loan_id=key.loan_id)
        return await post_within(conn, replace(sent, loan_id=key.loan_id), clock)


async def _matched_before(conn: Any, key: LoanKey, kept: Known | None, posted: Known) -> Posted:
    """The entry is in the ledger, so that nothing is left to match; what waits beside it was sent for another loan, or a second time.

    Raises:
        BadInput: it is another loan's, or what waits is not the same.
    """
    entry = posted.entry
    if kept is not None and replace(kept.entry, loan_id=entry.loan_id) != entry:
        raise BadInput(
            f"entry {entry.entry_id} is posted to loan {entry.key} with other content: have what waits sent under a new id."
        )
    if entry.loan_id != key.loan_id:
        raise BadInput(f"entry {entry.entry_id} is not in suspense: it was posted to loan {entry.key} before.")
    if kept is not None:
        await POSTING.leave_suspense(conn, lender_id=entry.lender_id, entry_id=entry.entry_id)
    return Posted("known", posted.version, False)
