"""What the connectors share: whose webhook it is, and posting what a processor tells, in whatever order and however often it tells it."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import asyncpg
from fastapi import Request
from pydantic import BaseModel

from domain.clock import Clock, business_date
from domain.errors import BadInput
from domain.loan import EntryStatus
from ledger.known import Conflict, known_entry
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.secrets import Kind, Secret
from starters.bodies import read_body
from starters.problems import Refused
from starters.proof import Desk

SECRETS, POSTING, CONNECTORS = queries("secrets"), queries("posting"), queries("connectors")
log = logging.getLogger(__name__)


class Took(BaseModel):
    """The entries that a webhook posted, and the events of it that say nothing of money and were left."""

    entries: list[str] = []
    ignored: list[str] = []


class Attempt(NamedTuple):
    """One attempt to collect a payment: its entry, as it came first, and how it stands; both None where there is none yet.

    It stands as returned too if it was settled and failed late. `day` is the last that it is dated.
    """

    entry_id: str
    entry: NewEntry | None
    stands: EntryStatus | None
    day: date | None

    @property
    def over(self) -> bool:
        """It failed; what is collected now is collected anew."""
        return self.stands is EntryStatus.RETURNED

    @property
    def current_id(self) -> str:
        """The id of the entry for what is collected now: the attempt's own, or the next one's where it is over."""
        base, _, number = self.entry_id.partition("/")
        return f"{base}/{int(number or 1) + 1}" if self.over else self.entry_id


class Books:
    """A lender's ledger, as a connector writes to it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, lender_id: str) -> None:
        self.lender_id = lender_id
        self._pool = pool
        self._clock = clock

    async def day(self, at: datetime) -> date:
        """The lender's date at a moment."""
        async with self._pool.acquire() as conn:
            return business_date(at, await SECRETS.timezone_of_lender(conn, lender_id=self.lender_id))

    async def known(self, entry_id: str) -> tuple[NewEntry, EntryStatus] | None:
        """An entry as it came first, and the status that it has now; one in suspense too."""
        async with self._pool.acquire() as conn, conn.transaction():
            kept = await POSTING.suspended(conn, lender_id=self.lender_id, entry_id=entry_id)
            if kept is not None:
                entry = NewEntry.read(kept["entry"])
                return entry, EntryStatus(kept["status"] or entry.status)
            known = await known_entry(conn, self.lender_id, entry_id)
        return (known.entry, known.moved_to or known.entry.status) if known is not None else None

    async def last_attempt(self, entry_id: str) -> Attempt:
        """The last attempt to collect the payment whose first one has this entry id."""
        last = await self._attempt(entry_id)
        while last.over and (following := await self._attempt(last.current_id)).entry is not None:
            last = following
        return last

    async def to_take_back(self, paid: str, amount: Decimal) -> str:
        """The entry that a dispute takes this amount from: the payment, or what was paid in its stead after an earlier dispute."""
        known = await self.known(paid)
        if known is None:
            return paid
        this = {"lender_id": self.lender_id, "loan_id": known[0].loan_id, "paid": paid, "amount": amount}
        async with self._pool.acquire() as conn:
            found: str | None = await CONNECTORS.newest_with_left(conn, **this)
        return found or paid

    async def post(self, **told: Any) -> str:
        """Post what a processor tells of an entry, once. A later telling may say less or another day: what was said first counts.

        Raises:
            Refused: 409, it was told otherwise before; 422, it cannot be posted.
        """
        try:
            entry = NewEntry.read({k: str(v) for k, v in told.items() if v is not None}, self.lender_id)
            try:
                await self._post(entry)
            except (Conflict, asyncpg.UniqueViolationError):
                await self._post(entry)  # two tellings came at once, and the other is known by now
        except Conflict as error:
            log.error("a processor tells an entry of lender %s in two ways: %s", self.lender_id, told["entry_id"])
            raise Refused(409, str(error)) from None
        except BadInput as error:
            log.error("a processor tells what cannot be posted for lender %s: %s", self.lender_id, told["entry_id"])
            raise Refused(422, str(error)) from None
        return entry.entry_id

    async def _attempt(self, entry_id: str) -> Attempt:
        entry, stands = await self.known(entry_id) or (None, None)
        failed = await self.known(failed_id(entry_id)) if stands is EntryStatus.SETTLED else None
        if failed is not None:
            return Attempt(entry_id, entry, EntryStatus.RETURNED, failed[0].value_date)
        return Attempt(entry_id, entry, stands, entry.value_date if entry else None)

    async def _post(self, entry: NewEntry) -> None:
        known = await self.known(entry.entry_id)
        if known is not None:
            first, stands = known
            if entry.status is EntryStatus.PENDING or stands is not EntryStatus.PENDING:
                entry = replace(entry, status=first.status)  # a late word about what is over
            entry = replace(
                entry,
                loan_id=first.loan_id,
                value_date=first.value_date,
                reason=first.reason,
                reverses=first.reverses if entry.reverses else None,
            )
        await post_entry(self._pool, entry, self._clock)


async def proved(
    request: Request,
    desk: Desk,
    kind: Kind,
    lender_id: str,
    check: Callable[[bytes, list[str]], int | None],
    status: int,
) -> bytes:
    """The body of a webhook that one of the lender's secrets of this kind signed; `check` says which, None for none.

    Raises:
        Refused: `status`, nobody signed it, or the lender has no such secret; 413; 429.
    """
    body = await read_body(request)
    secrets: list[Secret] = await desk.book.of(kind, lender_id)
    which = check(body, [s.secret for s in secrets])
    if which is None:
        desk.not_too_often(request)
        raise Refused(
            status, f"the signature does not prove the sender: check it with `arrears secret add LENDER --kind {kind}`."
        )
    desk.not_too_often(secrets[which])
    return body


def major(minor: object, exponent: int) -> Decimal:
    """An amount from a whole number of a currency's smallest units.

    Raises:
        Refused: 422, it is none.
    """
    if not isinstance(minor, int) or isinstance(minor, bool) or not 0 <= minor < 10**15:
        raise Refused(422, "amount is no whole number of the smallest unit: this webhook is not understood.")
    return Decimal(minor).scaleb(-exponent)


def failed_id(entry_id: str) -> str:
    """The id of the reversal of an entry that failed after it was settled."""
    return f"{entry_id}-failed"


def ignore(took: Took, kind: str, event: str) -> None:
    """Leave an event that says nothing of money here."""
    log.info("%s event ignored: %s", kind, event if event.isprintable() and len(event) <= 64 else "unreadable")
    took.ignored.append(event)


def text(given: Any, *path: str) -> str | None:
    """A text inside nested objects, None where there is none."""
    for name in path:
        given = given.get(name) if isinstance(given, dict) else None
    return given if isinstance(given, str) and given else None
