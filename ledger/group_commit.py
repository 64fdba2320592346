"""Posts entries that come at the same moment in one transaction: they share its round trips, and its one write to the disk."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import asyncpg

from domain.clock import Clock
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.next_version import NextVersion, append
from ledger.pool import LEDGER_AWAY
from ledger.posting import Posted, many, post_entry
from ledger.tracing import traceparent

log = logging.getLogger(__name__)
POSTING = queries("posting")
AT_ONCE = 2  # transactions; while one is written to the disk, the next is read
LARGEST = 100  # entries in one, so that none waits long for the others
_Id = tuple[str, str]  # lender and entry


@dataclass(frozen=True, eq=False)
class _Waiting:
    """An entry, the request that it came in, and what will have become of it; None has it posted alone."""

    entry: NewEntry
    trace: str | None
    posted: "asyncio.Future[Posted | None]"


class GroupCommit:
    """Posts as `post_entry` does, many at a time. Nobody waits for company: what comes while others are being posted goes next.

    An entry is posted alone, after its group, where it is more than plain and new: its loan is unknown or held by somebody, its id is
    known, it takes back another, or it cannot be used. So is every entry of a group in which anything went wrong.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._waiting: deque[_Waiting] = deque()
        self._lanes = 0
        self._at_work: set[asyncio.Task[None] | None] = set()  # the loop keeps no hold of them

    async def post(self, entry: NewEntry) -> Posted:
        """As `post_entry`, whose errors it raises."""
        mine = _Waiting(entry, traceparent(), asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        if self._lanes < AT_ONCE:
            self._lanes += 1
            # In a context of its own, for it works for requests other than this one too.
            self._at_work.add(asyncio.create_task(self._work(), context=Context()))
        return await mine.posted or await post_entry(self._pool, entry, self._clock)

    async def _work(self) -> None:
        """Post group after group. It is no lane any more in the step in which it sees that nobody waits: who comes next starts another."""
        group: list[_Waiting] = []
        try:
            while group := self._next_group():
                try:
                    _tell(group, await self._post(group))
                except Exception as error:
                    self._failed(group, error)
        finally:
            self._lanes -= 1
            _tell(group, {})
            self._at_work.discard(asyncio.current_task())

    def _failed(self, group: Iterable[_Waiting], error: Exception) -> None:
        # What befalls the ledger befalls all; anything else may be one entry's, and the others are spared it. So is a value that cannot
        # be sent to the server, which is an InterfaceError too.
        if isinstance(error, LEDGER_AWAY) and not isinstance(error, ValueError):
            _tell([*group, *self._waiting], error)  # nobody waits for more than one try
            self._waiting.clear()
        else:
            log.info("entries that came together are posted one by one: %s", type(error).__name__)
            _tell(group, {})

    def _next_group(self) -> list[_Waiting]:
        """The oldest of those who wait, one for each loan and each id."""
        group: list[_Waiting] = []
        later: list[_Waiting] = []
        taken: set[tuple[str, ...]] = set()
        while self._waiting and len(group) < LARGEST:
            one = self._waiting.popleft()
            if one.posted.done():  # whoever asked has gone
                continue
            its = {("loan", *one.entry.key), ("id", *_id(one))}
            (later if its & taken else group).append(one)
            taken |= its
        self._waiting.extendleft(reversed(later))
        return group

    async def _post(self, group: Sequence[_Waiting]) -> dict[_Id, Posted]:
        """What became of those that could be posted together."""
        given = {_id(one): one for one in group}
        async with self._pool.acquire() as conn, conn.transaction():
            locked = [given[r["lender_id"], r["entry_id"]] async for r in POSTING.lock_group(conn, **_columns(group))]
            rows = POSTING.loans_for_posting(conn, **_columns(locked))
            loans = {(r["lender_id"], r["entry_id"]): r async for r in rows}
            plain = [one for one in locked if _is_plain(one.entry, loans[_id(one)])]
            now = await self._clock.now()
            versions = [NextVersion.of(one.entry, loans[_id(one)], now) for one in plain]
            await append(conn, versions, [one.trace for one in plain])
        became = (Posted("new", v.number, v.stands.cured) for v in versions)
        return dict(zip(map(_id, plain), became, strict=True))


def _is_plain(entry: NewEntry, loan: Any) -> bool:
    """Whether posting it is no more than appending it."""
    seen_before = loan["posted"] or loan["kept"] is not None
    return not (seen_before or loan["waiting"] or entry.reverses) and entry.currency == loan["currency"]


def _columns(group: Iterable[_Waiting]) -> dict[str, list[str | None]]:
    return many((one.entry.key, one.entry.entry_id) for one in group)


def _id(one: _Waiting) -> _Id:
    return one.entry.lender_id, one.entry.entry_id


def _tell(group: Iterable[_Waiting], said: Mapping[_Id, Posted] | Exception) -> None:
    """End the waiting of all whose callers have not gone."""
    for one in group:
        if one.posted.done():
            continue
        if isinstance(said, Exception):
            one.posted.set_exception(said)
        else:
            one.posted.set_result(said.get(_id(one)))
