"""Posts entries, one transaction each: the entry, the message to the case, and the end of every chase that it cures."""

import re
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

import asyncpg

from domain.clock import Clock, business_date
from domain.errors import BadInput
from domain.loan import Entry, EntryKind, EntryStatus, Instalment, LoanKey
from domain.position import Position, Terms, position
from ledger import outbox
from ledger.locks import try_lock_loan
from ledger.named import queries
from ledger.new_entry import NewEntry

MONEY = queries("money")
# Reasons travel in messages, which may hold nothing about a person: codes do, sentences stay here.
CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)


class Posted(NamedTuple):
    """What became of an entry.

    `version` is the ledger version of its loan that the entry made, none in suspense. `cured` says whether this very posting left
    no instalment past due.
    """

    status: Literal["new", "known", "suspense"]
    version: int | None
    cured: bool


class Conflict(BadInput):
    """The same entry id came before with other content."""


class WrongCurrency(BadInput):
    """The entry is not in its loan's currency."""


async def post_entry(pool: "asyncpg.Pool[asyncpg.Record]", entry: NewEntry, clock: Clock) -> Posted:
    """Put an entry into the ledger; when this returns, it is committed.

    An entry for a loan that is not known waits in suspense, and is posted when it comes again after the loan.

    Raises:
        Conflict: its id is known with other content.
        WrongCurrency: its loan is in another currency.
        BadInput: it reverses what cannot be reversed.
    """
    async with pool.acquire() as conn, conn.transaction():
        return await post_within(conn, entry, clock)


async def post_within(conn: Any, entry: NewEntry, clock: Clock) -> Posted:
    """As `post_entry`, inside the caller's transaction."""
    if not await try_lock_loan(conn, entry.key):
        return await _suspend(conn, entry)
    if known := await known_entry(conn, entry.lender_id, entry.entry_id):
        _refuse_other_content(entry, known[0])
        return Posted("known", known[1], False)
    await _match_suspense(conn, entry)
    loan = await MONEY.loan_for_posting(conn, **_this(entry.key))
    if entry.currency != loan["currency"]:
        raise WrongCurrency(
            f"entry {entry.entry_id} is in {entry.currency}, but loan {entry.key} is in {loan['currency']}: convert it first."
        )
    if entry.reverses is not None:
        await _check_reversal(conn, entry, entry.reverses)
    version = await _insert(conn, entry, loan["ledger_version"] + 1)
    if loan["case_open"]:
        await outbox.add(conn, entry.key, message_for(entry), told(entry, version))
    now = await clock.now()
    stands = await position_of(conn, entry.key, business_date(now, loan["timezone"]))
    if stands.cured:
        await settle_cured(conn, entry.key, stands, now)
    return Posted("new", version, stands.cured)


async def settle_cured(conn: Any, key: LoanKey, stands: Position, now: datetime) -> int:
    """End what still chases a cured debt: open tasks and contacts not yet on their way. Returns how many; none if it is not cured.

    Call it with the loan locked, in the transaction of what cured it.
    """
    if not stands.cured:
        return 0
    tasks = [r async for r in MONEY.withdraw_tasks(conn, **_this(key), now=now)]
    contacts = [r async for r in MONEY.cancel_contacts(conn, **_this(key), now=now)]
    return len(tasks) + len(contacts)


async def position_of(conn: Any, key: LoanKey, as_of: date) -> Position:
    """Where the loan stands at the end of a day of its lender's calendar, from all that is in the ledger."""
    return position(
        await load_instalments(conn, key), await load_entries(conn, key), as_of, await load_terms(conn, key)
    )


async def load_entries(conn: Any, key: LoanKey) -> list[Entry]:
    """All entries of a loan in the order of their commits."""
    rows = MONEY.entries_of_loan(conn, **_this(key))
    return [Entry(**{**r, "kind": EntryKind(r["kind"]), "status": EntryStatus(r["status"])}) async for r in rows]


async def load_instalments(conn: Any, key: LoanKey) -> list[Instalment]:
    """The schedule of a loan."""
    return [Instalment(**r) async for r in MONEY.instalments_of_loan(conn, **_this(key))]


async def load_terms(conn: Any, key: LoanKey) -> Terms:
    """The policy by which the loan's lender reads positions."""
    row = await MONEY.terms_of_lender(conn, lender_id=key.lender_id)
    return Terms(**row) if row else Terms()


async def known_entry(conn: Any, lender_id: str, entry_id: str) -> tuple[NewEntry, int] | None:
    """A posted entry by the sender's id, with its loan's version that it made."""
    row = await MONEY.entry(conn, lender_id=lender_id, entry_id=entry_id)
    return None if row is None else entry_from(row)


def entry_from(row: Any) -> tuple[NewEntry, int]:
    """A row of the ledger as the entry that was sent, with its loan's version that it made."""
    values = dict(row)
    version: int = values.pop("ledger_version")
    values |= {"kind": EntryKind(row["kind"]), "status": EntryStatus(row["status"])}
    return NewEntry(**values), version


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
    return said | ({"reason": entry.reason} if entry.reason and CODE.fullmatch(entry.reason) else {})


async def _insert(conn: Any, entry: NewEntry, version: int) -> int:
    values = {name: getattr(entry, name) for name in entry.__slots__}
    if await MONEY.insert_entry(conn, **values, ledger_version=version) is None:
        # Its id was taken meanwhile under another loan's lock.
        raise _conflict(entry)
    await MONEY.set_ledger_version(conn, **_this(entry.key), ledger_version=version)
    return version


async def _check_reversal(conn: Any, entry: NewEntry, reverses: str) -> None:
    known = await known_entry(conn, entry.lender_id, reverses)
    if known is None or known[0].loan_id != entry.loan_id:
        raise BadInput(
            f"reverses {reverses} is no entry of loan {entry.key}: post that entry first, or correct the id."
        )
    if known[0].kind is EntryKind.REVERSAL:
        raise BadInput(f"reverses {reverses} is a reversal itself: post the entry that it took back anew.")
    left = abs(known[0].amount) - await MONEY.taken_back(conn, **_this(entry.key), entry_id=reverses)
    if entry.amount > left:
        raise BadInput(f"amount {entry.amount} is more than the {left} left of entry {reverses}: reverse at most that.")


async def _suspend(conn: Any, entry: NewEntry) -> Posted:
    this = {"lender_id": entry.lender_id, "entry_id": entry.entry_id}
    if known := await known_entry(conn, **this):
        _refuse_other_content(entry, known[0])
    if await MONEY.suspend(conn, **this, loan_id=entry.loan_id, entry=entry.as_json()) is None:
        _refuse_other_content(entry, NewEntry.read(await MONEY.suspended(conn, **this)))
        return Posted("known", None, False)
    return Posted("suspense", None, False)


async def _match_suspense(conn: Any, entry: NewEntry) -> None:
    """Take an entry out of suspense, now that its loan is known and it came again."""
    this = {"lender_id": entry.lender_id, "entry_id": entry.entry_id}
    kept = await MONEY.suspended(conn, **this)
    if kept is not None:
        _refuse_other_content(entry, NewEntry.read(kept))
        await MONEY.leave_suspense(conn, **this)


def _refuse_other_content(entry: NewEntry, known: NewEntry) -> None:
    if entry != known:
        raise _conflict(entry)


def _conflict(entry: NewEntry) -> Conflict:
    return Conflict(f"entry {entry.entry_id} is already known with other content: post a reversal or use a new id.")


def _this(key: LoanKey) -> dict[str, str]:
    return {"lender_id": key.lender_id, "loan_id": key.loan_id}
