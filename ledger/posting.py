"""Posts entries, one transaction each: the entry, the message to the case, what it made wrong, and the end of a chase that it cures."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

import asyncpg

from domain.clock import Clock, business_date
from domain.errors import BadInput
from domain.loan import Entry, EntryKind, EntryStatus, LoanKey
from domain.position import Position
from ledger.known import Conflict, Known, kept_entry, known_entry
from ledger.money import Money, money_from
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.remedies import open_remedy
from ledger.tracing import traceparent

MONEY, POSTING = queries("money"), queries("posting")
# Reasons travel in messages, which may hold nothing about a person: codes do, sentences stay here.
CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
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
    loan = await POSTING.loan_for_posting(conn, **_this(entry.key), entry_id=entry.entry_id)
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


async def settle_cured(conn: Any, key: LoanKey, stands: Position, now: datetime) -> int:
    """End what still chases a cured debt: open tasks and contacts not yet on their way. Returns how many; none if it is not cured.

    Call it with the loan locked, in the transaction of what cured it.
    """
    if not stands.cured:
        return 0
    tasks = [r async for r in MONEY.withdraw_tasks(conn, **_this(key), now=now)]
    contacts = [r async for r in MONEY.cancel_contacts(conn, **_this(key), now=now)]
    return len(tasks) + len(contacts)


def message_for(entry: NewEntry) -> str:
    """The signal that tells a case of an entry; money that is not settled has not been received."""
    if entry.status is not EntryStatus.SETTLED:
        return "ledger_changed"
    messages = {EntryKind.PAYMENT: "payment_received", EntryKind.REVERSAL: "payment_reversed"}
    return messages.get(entry.kind, "ledger_changed")


def told(entry: NewEntry, version: int) -> dict[str, Any]:
    """What a message says of an entry, for the reader of a history; the case reads the facts themselves from the ledger."""
    said = {
        "entry_id": entry.entry_id,
        "kind": entry.kind,
        "amount": str(entry.amount),
        "currency": entry.currency,
        "value_date": entry.value_date.isoformat(),
        "ledger_version": version,
    }
    more = {
        "status": entry.status if entry.status is not EntryStatus.SETTLED else None,
        "reason": entry.reason if entry.reason and CODE.fullmatch(entry.reason) else None,
    }
    return said | {name: value for name, value in more.items() if value}


async def _append(conn: Any, entry: NewEntry, reversed_: Known | None, loan: Any, clock: Clock) -> Posted:
    if reversed_ is not None:
        await _check_reversal(conn, entry, reversed_)
    values = {name: getattr(entry, name) for name in entry.__slots__}
    version = await _next_version(entry, loan, clock)
    if await POSTING.append_entry(conn, **values, **version.written()) is None:
        # A tape, which locks loans and no ids, posted it under another loan's lock.
        raise asyncpg.UniqueViolationError("the id was taken meanwhile")
    posted = await version.follow(conn, "new")
    for waiting in loan["waiting"]:
        if isinstance(done := await post_kept(conn, waiting, clock), BadInput):
            await note_refusal(conn, waiting, done)
    return posted


async def _move_on(conn: Any, entry: NewEntry, loan: Any, clock: Clock) -> Posted:
    version = await _next_version(entry, loan, clock)
    await POSTING.move_on(conn, **_this(entry.key), entry_id=entry.entry_id, status=entry.status, **version.written())
    return await version.follow(conn, "changed")


@dataclass(frozen=True)
class _Version:
    """The next version of a loan's ledger, with the money as it will be. All that follows is known before it is written."""

    number: int
    entry: NewEntry
    money: Money
    stands: Position
    now: datetime
    backdated: bool  # on a loan with a case
    tells: bool

    def written(self) -> dict[str, Any]:
        """What is written beside the entry: its version and, where a case must hear of it, the message."""
        return {"ledger_version": self.number, **message_to_case(self.entry, self.number, self.tells)}

    async def follow(self, conn: Any, status: Literal["new", "changed"]) -> Posted:
        """What it brings about: what it made wrong is listed, and a cured chase ends."""
        if self.backdated:
            await open_remedy(conn, self.entry.key, self.money, before=self.number - 1, now=self.now)
        await settle_cured(conn, self.entry.key, self.stands, self.now)
        from ledger.late_fees import give_way  # which posts, too

        await give_way(conn, self.entry, self.now)
        return Posted(status, self.number, self.stands.cured)


async def _next_version(entry: NewEntry, loan: Any, clock: Clock) -> _Version:
    number, now = loan["ledger_version"] + 1, await clock.now()
    today = business_date(now, loan["timezone"])
    money = money_from(loan).with_line(line_of(entry, number))
    stands = money.stands(today)
    # A closed case whose loan is past due is told too: the relay has it opened again.
    tells = loan["case_open"] or (loan["has_case"] and not (stands.cured or stands.written_off))
    return _Version(number, entry, money, stands, now, loan["has_case"] and entry.value_date < today, tells)


def line_of(entry: NewEntry, version: int) -> Entry:
    """The entry as a line of its loan's ledger."""
    return Entry(**{name: getattr(entry, name) for name in Entry._fields if name != "version"}, version=version)


def message_to_case(entry: NewEntry, version: int, tells: bool) -> dict[str, Any]:
    """The row for the outbox that the entry is written with; one without a message where nobody is to hear."""
    if not tells:
        return {"message": None, "payload": None, "trace": None}
    return {"message": message_for(entry), "payload": told(entry, version), "trace": traceparent()}


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
    loan = await POSTING.loan_for_posting(conn, **_this(entry.key), entry_id=entry.entry_id)
    moved = await _move_on(conn, replace(kept.entry, status=last), loan, clock)
    return moved._replace(status="new")


def _this(key: LoanKey) -> dict[str, str]:
    return {"lender_id": key.lender_id, "loan_id": key.loan_id}
