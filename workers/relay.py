"""The relay: carries what the outbox holds to the cases, in order for each loan, at least once.

Any number of relays may run side by side: a loan's messages are in one relay's hands at a time. A message that comes twice is absorbed
once, for it carries an id.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import CASES, SweepRequest
from domain.loan import LoanKey
from domain.messages import LedgerNews
from ledger import outbox
from ledger.notices import listening
from ledger.outbox import OutboxRow
from ledger.pool import LEDGER_AWAY
from ledger.stranded import strand
from ledger.tracing import span, traceparent

log = logging.getLogger(__name__)

LOANS_AT_ONCE = 200  # read from the outbox in one go
SIGNALS_AT_ONCE = 4  # each holds a connection to the ledger while it is under way
CLOSED = "closed"  # how a message to a case that is over ends
OF_THE_LEDGER = frozenset(
    {"payment_received", "payment_reversed", "ledger_changed"}
)  # a case reads the facts of these in the ledger
ENTRIES_AT_ONCE = 500  # in one signal: some 100 kB, where a server takes two million bytes
SIGNAL_TIMEOUT = timedelta(seconds=10)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds of real time
# What is wrong with one loan's message, and not with Temporal.
OF_ONE_LOAN = frozenset(
    {
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.OUT_OF_RANGE,
    }
)


@dataclass
class PutOff:
    """A loan whose messages could not be delivered: when to try again, by the monotonic clock."""

    pause: float
    until: float


class Relay:
    """Delivers the outbox. `run` goes on until it is cancelled; nothing is lost when it is."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", client: Client, *, poll_seconds: float = 1.0) -> None:
        """Nothing is delivered yet.

        Args:
            pool: Connections to the ledger; `run` keeps one of them, and uses a few more while it delivers.
            client: Of the Temporal namespace where the cases are.
            poll_seconds: How often the outbox is looked at without being told; real time.
        """
        self._pool = pool
        self._client = client
        self._poll = poll_seconds
        self._put_off: dict[LoanKey, PutOff] = {}
        self._turnstile = asyncio.Semaphore(SIGNALS_AT_ONCE)

    async def run(self) -> None:
        """Deliver whenever there is something, until cancelled. A part that is away is waited for, longer each time."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with listening(self._pool, "outbox") as notices:
                    while True:
                        notices.clear()
                        delivered = await self.deliver_once()
                        pause = FIRST_PAUSE
                        if not delivered:
                            await notices.wait(self._poll)
            except (RPCError, asyncpg.PostgresError, *LEDGER_AWAY) as error:
                part = "Temporal" if isinstance(error, RPCError) else "the database"
                log.warning("%s does not answer (%s): next try in %.0f s", part, type(error).__name__, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def deliver_once(self) -> int:
        """Deliver what waits now; returns how many messages need no further delivery.

        Raises:
            RPCError: Temporal is away. What it had taken before is noted; the rest waits.
        """
        now = monotonic()
        off = {key for key, put_off in self._put_off.items() if put_off.until > now}
        async with self._pool.acquire() as conn:
            waiting = await outbox.waiting_loans(conn, LOANS_AT_ONCE + len(off))
        ended = await asyncio.gather(*(self._deliver(key) for key in waiting if key not in off), return_exceptions=True)
        for failure in ended:
            if isinstance(failure, BaseException):
                raise failure
        return sum(each for each in ended if isinstance(each, int))

    async def _deliver(self, key: LoanKey) -> int:
        """Deliver one loan's messages, each run of one kind as one signal."""
        failure: RPCError | None = None
        done = 0
        async with self._turnstile, self._pool.acquire() as conn, conn.transaction():
            for rows in _runs(await outbox.take(conn, key)):
                try:
                    result = await self._signal(conn, key, rows)
                except RPCError as error:
                    failure = error
                    if error.status in OF_ONE_LOAN:
                        await strand(conn, key, _in_words(error))
                    break
                if result == CLOSED:
                    await self._reopen(key)
                await outbox.delivered(conn, [row.id for row in rows], result)
                done += len(rows)
        if failure is None:
            self._put_off.pop(key, None)
        elif failure.status in OF_ONE_LOAN:
            self._later(key, failure)
        else:
            raise failure
        return done

    async def _signal(self, conn: Any, key: LoanKey, rows: list[OutboxRow]) -> str:
        """Signal the case; returns how it ended."""
        handle = self._client.get_workflow_handle(key.workflow_id)
        try:
            with span(f"signal {rows[0].message}", rows[-1].trace, workflow_id=key.workflow_id):
                await handle.signal(rows[0].message, _news(rows), rpc_timeout=SIGNAL_TIMEOUT)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            is_open = await conn.fetchval("select open from cases where lender_id = $1 and loan_id = $2", *key)
            if is_open:
                raise
            return "no case" if is_open is None else CLOSED
        return "signalled"

    async def _reopen(self, key: LoanKey) -> None:
        """Have a sweep look at this one loan: if it is past due again, its case begins a new episode."""
        await self._client.start_workflow(
            "DelinquencySweep",
            SweepRequest(lender_id=key.lender_id, loan_id=key.loan_id),
            id=f"sweep-{key.workflow_id}",
            task_queue=CASES,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="Opens a closed case again where it is past due",
            rpc_timeout=SIGNAL_TIMEOUT,
        )

    def _later(self, key: LoanKey, error: RPCError) -> None:
        """Leave a loan alone for a while: its workflow is about to start, or somebody has to look."""
        known = self._put_off.get(key)
        pause = min(known.pause * 2, LONGEST_PAUSE) if known else FIRST_PAUSE
        self._put_off[key] = PutOff(pause, monotonic() + pause)
        if pause >= LONGEST_PAUSE:
            what = _in_words(error)
            log.error(
                "workflow %s of an open case cannot be told anything (%s): `arrears rebuild %s`",
                key.workflow_id,
                what,
                key,
            )


def _in_words(error: RPCError) -> str:
    return "no workflow" if error.status == RPCStatusCode.NOT_FOUND else error.status.name.lower().replace("_", " ")


def _runs(rows: list[OutboxRow]) -> Iterator[list[OutboxRow]]:
    """The rows in order, each run of one kind together as long as one signal can carry it; what somebody said goes alone."""
    run: list[OutboxRow] = []
    carried = 0
    for row in rows:
        entries = len(row.payload.get("entries", (row,)))
        fits = row.message in OF_THE_LEDGER and run and run[0].message == row.message
        if run and not (fits and carried + entries <= ENTRIES_AT_ONCE):
            yield run
            run, carried = [], 0
        run.append(row)
        carried += entries
    if run:
        yield run


def _news(rows: list[OutboxRow]) -> LedgerNews:
    """What the signal carries: one row's own content, or the list of many. A burst is one signal, for a case can drown in them."""
    named = {"message_id": f"outbox-{rows[-1].id}"}
    if (trace := traceparent()) is not None:
        named["traceparent"] = trace
    if len(rows) == 1:
        return LedgerNews.model_validate(named | rows[0].payload)
    entries = [entry for row in rows for entry in row.payload.get("entries", (row.payload,))]
    return LedgerNews.model_validate(named | {"entries": entries})
