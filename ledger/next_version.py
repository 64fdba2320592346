"""The next version of a loan's ledger: what an entry makes of its loan, whom it is told to, and what follows from it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from domain.clock import business_date
from domain.loan import Entry, EntryKind, EntryStatus, LoanKey
from domain.position import Position
from ledger.money import Money, money_from
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.remedies import open_remedy
from ledger.tracing import traceparent

MONEY, POSTING = queries("money"), queries("posting")
# Reasons travel in messages, which may hold nothing about a person: codes do, sentences stay here.
CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)


@dataclass(frozen=True)
class NextVersion:
    """A loan's ledger as an entry, or its change of status, makes it. All that follows is known before anything is written."""

    number: int
    entry: NewEntry
    money: Money
    stands: Position
    now: datetime
    backdated: bool  # on a loan with a case
    tells: bool

    @classmethod
    def of(cls, entry: NewEntry, loan: Any, now: datetime) -> "NextVersion":
        """The version that `entry` makes at `now` of a locked loan, as `loans_for_posting` has it."""
        today = business_date(now, loan["timezone"])
        number = loan["ledger_version"] + 1
        money = money_from(loan).with_line(line_of(entry, number))
        stands = money.stands(today)
        # A closed case whose loan is past due is told too: the relay has it opened again.
        tells = loan["case_open"] or (loan["has_case"] and not (stands.cured or stands.written_off))
        return cls(number, entry, money, stands, now, loan["has_case"] and entry.value_date < today, tells)

    def message(self, trace: str | None) -> dict[str, Any]:
        """The version and, where a case must hear of it, the message that is written beside it."""
        return {"ledger_version": self.number, **message_to_case(self.entry, self.number, self.tells, trace)}

    async def follow(self, conn: Any) -> None:
        """Write what it brings about: what it made wrong is listed, and a cured chase ends."""
        from ledger.late_fees import give_way  # which posts, too

        if self.backdated:
            await open_remedy(conn, self.entry.key, self.money, before=self.number - 1, now=self.now)
        await settle_cured(conn, self.entry.key, self.stands, self.now)
        await give_way(conn, self.entry, self.now)


async def append(conn: Any, versions: Sequence[NextVersion], traces: Sequence[str | None] | None = None) -> None:
    """Append the entries of versions of different loans, which are locked, with their messages, and what follows from them.

    `traces` are the requests that they came in, one each; without it all came in the one that is under way.

    Raises:
        asyncpg.UniqueViolationError: an id was taken meanwhile, by a tape, which locks loans and no ids.
    """
    under_way = traceparent()
    rows = [
        {name: getattr(v.entry, name) for name in v.entry.__slots__} | v.message(trace)
        for v, trace in zip(versions, traces or [under_way] * len(versions), strict=True)
    ]
    if await POSTING.append_entries(conn, rows=rows) != len(rows):
        raise asyncpg.UniqueViolationError("an id was taken meanwhile")
    for version in versions:
        await version.follow(conn)


async def settle_cured(conn: Any, key: LoanKey, stands: Position, now: datetime) -> int:
    """End what still chases a cured debt: open tasks and contacts not yet on their way. Returns how many; none if it is not cured.

    Call it with the loan locked, in the transaction of what cured it.
    """
    if not stands.cured:
        return 0
    tasks = [r async for r in MONEY.withdraw_tasks(conn, **key._asdict(), now=now)]
    contacts = [r async for r in MONEY.cancel_contacts(conn, **key._asdict(), now=now)]
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


def line_of(entry: NewEntry, version: int) -> Entry:
    """The entry as a line of its loan's ledger."""
    return Entry(**{name: getattr(entry, name) for name in Entry._fields if name != "version"}, version=version)


def message_to_case(entry: NewEntry, version: int, tells: bool, trace: str | None) -> dict[str, Any]:
    """The row for the outbox that the entry is written with; one without a message where nobody is to hear."""
    if not tells:
        return {"message": None, "payload": None, "trace": None}
    return {"message": message_for(entry), "payload": told(entry, version), "trace": trace}
