"""Posts entries, one transaction each: the entry, the message to the case, what it made wrong, and the end of a chase that it cures."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

import asyncpg

from domain.clock import Clock, business_date
from domain.errors import BadInput
from domain.loan import Entry, EntryKind, EntryStatus, LoanKey
from domain.position import Position
from ledger.locks import try_lock_loan
from ledger.money import Money, money_from
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.remedies import open_remedy
from ledger.tracing import traceparent

MONEY, POSTING = queries("money"), queries("posting")
# Reasons travel in messages, which may hold nothing about a person: codes do, sentences stay here.
CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)


class Posted(NamedTuple):
    """What became of an entry.

    `changed` is money that was pending and is settled or returned now. `version` is the ledger version of its loan that the entry or
    its change made, none in suspense. `cured` says whether this very posting left no instalment past due.
    """

    status: Literal["new", "known", "changed", "suspense"]
    version: int | None
    cured: bool


class Known(NamedTuple):
    """An entry in the ledger as it first came, and the status it moved on to, each with the version that it made."""

    entry: NewEntry
    version: int | None
    moved_to: EntryStatus | None
    moved_version: int | None


class Conflict(BadInput):
    """The same entry id came before with other content."""


class WrongCurrency(BadInput):
    """The entry is not in its loan's currency."""


async def post_entry(pool: "asyncpg.Pool[asyncpg.Record]", entry: NewEntry, clock: Clock) -> Posted:
    """Put an entry into the ledger; when this returns, it is committed.

    An entry for a loan that is not known waits in suspense, and is posted when its loan is known. One that was pending moves on
    when it comes again as settled or returned, once.

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
        if (matched := await _matched(conn, entry)) is not None:
            return await post_within(conn, matched, clock)
        return await _suspend(conn, entry)
    loan = await POSTING.loan_for_posting(conn, **_this(entry.key), entry_id=entry.entry_id)
    known = await known_entry(conn, entry.lender_id, entry.entry_id) if loan["posted"] else None
    if known is not None:
        if known.entry.loan_id != entry.loan_id and (matched := await _matched(conn, entry)) is not None:
            return await post_within(conn, matched, clock)
        version = _known_version(entry, known)
        if not _moves_on(entry, known):
            return Posted("known", version, False)
        return await _move_on(conn, entry, loan, clock)
    if loan["kept"] is None:
        return await _append(conn, entry, loan, clock)
    return await _leave_suspense(conn, entry, loan, clock)


async def settle_cured(conn: Any, key: LoanKey, stands: Position, now: datetime) -> int:
    """End what still chases a cured debt: open tasks and contacts not yet on their way. Returns how many; none if it is not cured.

    Call it with the loan locked, in the transaction of what cured it.
    """
    if not stands.cured:
        return 0
    tasks = [r async for r in MONEY.withdraw_tasks(conn, **_this(key), now=now)]
    contacts = [r async for r in MONEY.cancel_contacts(conn, **_this(key), now=now)]
    return len(tasks) + len(contacts)


async def known_entry(conn: Any, lender_id: str, entry_id: str) -> Known | None:
    """A posted entry by the sender's id."""
    row = await POSTING.known_entry(conn, lender_id=lender_id, entry_id=entry_id)
    if row is None:
        return None
    values = dict(row)
    moved_to, moved_version = values.pop("moved_to"), values.pop("moved_version")
    entry, version = entry_from(values)
    return Known(entry, version, EntryStatus(moved_to) if moved_to else None, moved_version)


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
    more = {
        "status": entry.status if entry.status is not EntryStatus.SETTLED else None,
        "reason": entry.reason if entry.reason and CODE.fullmatch(entry.reason) else None,
    }
    return said | {name: value for name, value in more.items() if value}


async def _append(conn: Any, entry: NewEntry, loan: Any, clock: Clock) -> Posted:
    if entry.currency != loan["currency"]:
        raise WrongCurrency(
            f"entry {entry.entry_id} is in {entry.currency}, but loan {entry.key} is in {loan['currency']}: convert it first."
        )
    if entry.reverses is not None:
        await _check_reversal(conn, entry, entry.reverses)
    values = {name: getattr(entry, name) for name in entry.__slots__}
    version = await _next_version(entry, loan, clock)
    if await POSTING.append_entry(conn, **values, **version.written()) is None:
        # Its id was taken meanwhile under another loan's lock.
        raise _conflict(entry)
    return await version.follow(conn, "new")


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


async def _check_reversal(conn: Any, entry: NewEntry, reverses: str) -> None:
    known = await known_entry(conn, entry.lender_id, reverses)
    if known is None or known.entry.loan_id != entry.loan_id:
        raise BadInput(
            f"reverses {reverses} is no entry of loan {entry.key}: post that entry first, or correct the id."
        )
    if known.entry.kind is EntryKind.REVERSAL:
        raise BadInput(f"reverses {reverses} is a reversal itself: post the entry that it took back anew.")
    left = abs(known.entry.amount) - await POSTING.taken_back(conn, **_this(entry.key), entry_id=reverses)
    if entry.amount > left:
        raise BadInput(f"amount {entry.amount} is more than the {left} left of entry {reverses}: reverse at most that.")


async def _matched(conn: Any, entry: NewEntry) -> NewEntry | None:
    """The entry for the loan that somebody matched it to, where it names another one."""
    loan_id = await POSTING.matched_loan(conn, **_this(entry.key), entry_id=entry.entry_id)
    return None if loan_id is None else replace(entry, loan_id=loan_id)


async def _suspend(conn: Any, entry: NewEntry) -> Posted:
    this = {"lender_id": entry.lender_id, "entry_id": entry.entry_id}
    if await known_entry(conn, **this):
        raise _conflict(entry)  # of another loan
    if await POSTING.suspend(conn, **this, loan_id=entry.loan_id, entry=entry.as_json()) is not None:
        return Posted("suspense", None, False)
    kept = _kept(await POSTING.suspended(conn, **this))
    _known_version(entry, kept)
    if not _moves_on(entry, kept):
        return Posted("known", None, False)
    await POSTING.move_on_in_suspense(conn, **this, status=entry.status)
    return Posted("changed", None, False)


async def _leave_suspense(conn: Any, entry: NewEntry, loan: Any, clock: Clock) -> Posted:
    """Post what was kept, as it first came and as it moved on, now that its loan is known and it came again."""
    kept = _kept({"entry": loan["kept"], "status": loan["kept_status"]})
    _known_version(entry, kept)
    await POSTING.leave_suspense(conn, lender_id=entry.lender_id, entry_id=entry.entry_id)
    posted = await _append(conn, kept.entry, loan, clock)
    last = entry.status if _moves_on(entry, kept) else kept.moved_to
    if last is None:
        return posted
    loan = await POSTING.loan_for_posting(conn, **_this(entry.key), entry_id=entry.entry_id)
    moved = await _move_on(conn, replace(kept.entry, status=last), loan, clock)
    return moved._replace(status="new")


def _kept(row: Any) -> Known:
    return Known(NewEntry.read(row["entry"]), None, EntryStatus(row["status"]) if row["status"] else None, None)


def _known_version(entry: NewEntry, known: Known) -> int | None:
    """The version that an entry made when it came before; the first content sent again stays known for ever.

    Raises:
        Conflict: it is not the same entry.
    """
    if entry == known.entry:
        return known.version
    if replace(entry, status=known.entry.status) != known.entry:
        raise _conflict(entry)
    if entry.status is not known.moved_to and not _moves_on(entry, known):
        raise _conflict(entry)
    return known.moved_version


def _moves_on(entry: NewEntry, known: Known) -> bool:
    """Whether the same entry now says what became of money that was pending."""
    return known.entry.status is EntryStatus.PENDING is not entry.status and known.moved_to is None


def _conflict(entry: NewEntry) -> Conflict:
    return Conflict(f"entry {entry.entry_id} is already known with other content: post a reversal or use a new id.")


def _this(key: LoanKey) -> dict[str, str]:
    return {"lender_id": key.lender_id, "loan_id": key.loan_id}
