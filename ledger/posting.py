"""Posts entries, one transaction each: the entry, the message to the case, what it made wrong, and the end of a chase that it cures."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import asyncpg

from domain.clock import Clock
from domain.errors import BadInput
from domain.loan import EntryKind, EntryStatus, LoanKey
from ledger.known import Conflict, Known, kept_entry, known_entry
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.next_version import NextVersion, append
from ledger.tracing import traceparent

POSTING = queries("posting")
TRIES = 3


class Posted(NamedTuple):
    """What became of an entry.

    `changed` is money that was pending and is settled or returned now. `version` is the ledger version of its loan that the entry or
    its change made, none in suspense. `cured` says whether this very posting left no instalment past due.
    """

    status: Literal["new", "known", "changed", "suspense"]
    version: int | None
    cured: bool


class MatchedMeanwhile(Conflict):
    """Somebody matched the entry to another loan while its own was being locked; posted anew, it finds that loan."""

    code = "conflict"


class WrongCurrency(BadInput):
    """The entry is not in its loan's currency."""


# What is gone when the same is tried again; deadlocks are found by the server, which ends one of the two.
PASSING = (asyncpg.TransactionRollbackError, asyncpg.UniqueViolationError, MatchedMeanwhile)


async def post_entry(pool: "asyncpg.Pool[asyncpg.Record]", entry: NewEntry, clock: Clock) -> Posted:
    """Put an entry into the ledger; when this returns, it is committed.

    An entry for a loan that is not known waits in suspense, and is posted when its loan is known; so does a reversal that comes before
    what it reverses. One that was pending moves on when it comes again as settled or returned, once.

    Raises:
        Conflict: its id is known with other content.
        WrongCurrency: its loan is in another currency.
        BadInput: it reverses what cannot be reversed.
        asyncpg.TransactionRollbackError: others were in its way each time it was tried.
    """
    for _ in range(TRIES - 1):
        try:
            return await _post_once(pool, entry, clock)
        except PASSING:
            continue
    return await _post_once(pool, entry, clock)


async def _post_once(pool: "asyncpg.Pool[asyncpg.Record]", entry: NewEntry, clock: Clock) -> Posted:
    async with pool.acquire() as conn, conn.transaction():
        return await post_within(conn, entry, clock)


async def post_within(conn: Any, entry: NewEntry, clock: Clock) -> Posted:
    """As `post_entry`, once, inside the caller's transaction."""
    locked = await POSTING.lock_for_posting(conn, **_this(entry.key), entry_id=entry.entry_id)
    if locked["loan_id"] != entry.loan_id:
        entry = replace(entry, loan_id=locked["loan_id"])
    if not locked["known"]:
        return await _suspend(conn, entry)
    loan = await loan_for_posting(conn, entry.key, entry.entry_id)
    if loan["posted"] and (known := await known_entry(conn, entry.lender_id, entry.entry_id)) is not None:
        return await _post_again(conn, entry, known, loan, clock)
    if entry.currency != loan["currency"]:
        raise WrongCurrency(
            f"entry {entry.entry_id} is in {entry.currency}, but loan {entry.key} is in {loan['currency']}: convert it first."
        )
    reversed_ = await known_entry(conn, entry.lender_id, entry.reverses) if entry.reverses is not None else None
    if entry.reverses is not None and reversed_ is None:
        early = f"reverses {entry.reverses} is no entry of loan {entry.key} yet: it is posted when that entry comes."
        return await _suspend(conn, entry, early)
    if loan["kept"] is None:
        return await _append(conn, entry, reversed_, loan, clock)
    return await _leave_suspense(conn, entry, reversed_, loan, clock)


async def loan_for_posting(conn: Any, key: LoanKey, entry_id: str | None) -> Any:
    """What a posting of the entry needs to know of its loan, which is known and locked."""
    (loan,) = [r async for r in POSTING.loans_for_posting(conn, **many([(key, entry_id)]))]
    return loan


def many(entries: Iterable[tuple[LoanKey, str | None]]) -> dict[str, list[str | None]]:
    """Entries' loans and ids as the columns that statements about many take."""
    rows = [(key.lender_id, key.loan_id, entry_id) for key, entry_id in entries]
    return {f"{name}s": [row[n] for row in rows] for n, name in enumerate(("lender_id", "loan_id", "entry_id"))}


async def post_kept(conn: Any, kept: Mapping[str, Any], clock: Clock) -> Posted | BadInput:
    """Post an entry as it stands in suspense, inside the caller's transaction; or say why it waits on."""
    try:
        async with conn.transaction():
            return await post_within(conn, NewEntry.read(kept), clock)
    except BadInput as refused:
        return refused
    except asyncpg.UniqueViolationError:
        return BadInput(f"entry {kept['entry_id']} is on a tape that is being taken in: the next sweep looks again.")


async def note_refusal(conn: Any, kept: Mapping[str, Any], refused: BadInput) -> None:
    """Keep with an entry in suspense why it is still there."""
    await POSTING.note_refusal(conn, lender_id=kept["lender_id"], entry_id=kept["entry_id"], refusal=str(refused))


async def _post_again(conn: Any, entry: NewEntry, known: Known, loan: Any, clock: Clock) -> Posted:
    """The entry is in the ledger: it changes nothing, or says what became of pending money."""
    if known.entry.loan_id != entry.loan_id:
        raise await _of_another_loan(conn, entry, known)
    version = known.version_of(entry)
    if loan["kept"] is not None and (kept := kept_entry(loan["kept"], loan["kept_status"])).entry == known.entry:
        # A tape posted it while it was being kept. What it moved on to there counts here.
        await POSTING.leave_suspense(conn, lender_id=entry.lender_id, entry_id=entry.entry_id)
        if kept.moved_to is not None and not known.moved_by(entry):
            entry = replace(entry, status=kept.moved_to)
    if not known.moved_by(entry):
        return Posted("known", version, False)
    return await _move_on(conn, entry, loan, clock)


async def _append(conn: Any, entry: NewEntry, reversed_: Known | None, loan: Any, clock: Clock) -> Posted:
    if reversed_ is not None:
        await _check_reversal(conn, entry, reversed_)
    version = NextVersion.of(entry, loan, await clock.now())
    await append(conn, [version])
    for waiting in loan["waiting"]:
        if isinstance(done := await post_kept(conn, waiting, clock), BadInput):
            await note_refusal(conn, waiting, done)
    return Posted("new", version.number, version.stands.cured)


async def _move_on(conn: Any, entry: NewEntry, loan: Any, clock: Clock) -> Posted:
    version = NextVersion.of(entry, loan, await clock.now())
    message = version.message(traceparent())
    await POSTING.move_on(conn, **_this(entry.key), entry_id=entry.entry_id, status=entry.status, **message)
    await version.follow(conn)
    return Posted("changed", version.number, version.stands.cured)


async def _check_reversal(conn: Any, entry: NewEntry, known: Known) -> None:
    reverses = known.entry.entry_id
    if known.entry.loan_id != entry.loan_id:
        raise BadInput(f"reverses {reverses} is no entry of loan {entry.key}: correct the id, or the loan's.")
    if known.entry.kind is EntryKind.REVERSAL:
        raise BadInput(f"reverses {reverses} is a reversal itself: post the entry that it took back anew.")
    if (known.moved_to or known.entry.status) is EntryStatus.RETURNED:
        raise BadInput(f"reverses {reverses} was returned, and nothing of it is left: leave the reversal out.")
    left = abs(known.entry.amount) - await POSTING.taken_back(conn, **_this(entry.key), entry_id=reverses)
    if entry.amount > left:
        raise BadInput(f"amount {entry.amount} is more than the {left} left of entry {reverses}: reverse at most that.")


async def _suspend(conn: Any, entry: NewEntry, refusal: str | None = None) -> Posted:
    this = {"lender_id": entry.lender_id, "entry_id": entry.entry_id}
    if (posted := await known_entry(conn, **this)) is not None:
        raise await _of_another_loan(conn, entry, posted)
    new = await POSTING.suspend(conn, **this, loan_id=entry.loan_id, entry=entry.as_json(), refusal=refusal)
    if new is not None:
        return Posted("suspense", None, False)
    kept = kept_entry(**await POSTING.suspended(conn, **this))
    kept.version_of(entry)
    if not kept.moved_by(entry):
        return Posted("known", None, False)
    await POSTING.move_on_in_suspense(conn, **this, status=entry.status)
    return Posted("changed", None, False)


async def _of_another_loan(conn: Any, entry: NewEntry, posted: Known) -> Conflict:
    """Why an entry that is posted to another loan is refused; its match was not there yet when the loan was locked, or there is none."""
    if await POSTING.matched_loan(conn, **_this(entry.key), entry_id=entry.entry_id) == posted.entry.loan_id:
        return MatchedMeanwhile(f"entry {entry.entry_id} was matched to another loan just now: send it again.")
    return Conflict.between(entry, posted.entry)


async def _leave_suspense(conn: Any, entry: NewEntry, reversed_: Known | None, loan: Any, clock: Clock) -> Posted:
    """Post what was kept, as it first came and as it moved on, now that its loan is known and it came again."""
    kept = kept_entry(loan["kept"], loan["kept_status"])
    kept.version_of(entry)
    await POSTING.leave_suspense(conn, lender_id=entry.lender_id, entry_id=entry.entry_id)
    posted = await _append(conn, kept.entry, reversed_, loan, clock)
    last = entry.status if kept.moved_by(entry) else kept.moved_to
    if last is None:
        return posted
    loan = await loan_for_posting(conn, entry.key, entry.entry_id)
    moved = await _move_on(conn, replace(kept.entry, status=last), loan, clock)
    return moved._replace(status="new")


def _this(key: LoanKey) -> dict[str, str]:
    return {"lender_id": key.lender_id, "loan_id": key.loan_id}
