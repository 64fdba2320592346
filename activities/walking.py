"""Walks many loans, a few at a time. A loan that cannot be worked on holds up nobody: somebody is told of it, and the walk goes on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from temporalio import activity
from temporalio.service import RPCError

from activities.case_in_hand import Desk
from activities.contracts import SweepRequest
from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.named import queries

log = logging.getLogger(__name__)
CONTACTS = queries("contacts")
AT_ONCE = 4  # each works in a transaction of its own
# What is wrong with a loan's own facts raises these; a part that is away raises others, and the whole page is tried again.
PART_AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, RPCError)
OF_THE_LOAN = (ValueError, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


def place(request: SweepRequest) -> tuple[str, str, int]:
    """The loan after which to go on, and how much was done before: where the page begins, or was broken off."""
    if activity.in_activity() and len(told := activity.info().heartbeat_details) == 3:
        lender_id, loan_id, done = told
        return lender_id, loan_id, done
    return *(request.after or ("", "")), 0


async def walk(desk: Desk, loans: Sequence[LoanKey], act: Callable[[LoanKey], Awaitable[int]], done: int = 0) -> int:
    """Do something with each loan, in their order; returns `done` and what the acts returned, in all.

    Raises:
        Exception: a part is away; what was done stays done.
    """

    async def spared(key: LoanKey) -> int:
        try:
            return await act(key)
        except Exception as error:
            if isinstance(error, PART_AWAY) and not isinstance(error, OF_THE_LOAN):
                raise
            await _tell(desk, key, error)
            return 0

    for first in range(0, len(loans), AT_ONCE):
        few = loans[first : first + AT_ONCE]
        done += sum(await asyncio.gather(*map(spared, few)))
        if activity.in_activity():
            activity.heartbeat(*few[-1], done)
    return done


async def _tell(desk: Desk, key: LoanKey, error: Exception) -> None:
    log.error("the sweep left out loan %s: %s", key, type(error).__name__)
    why = (
        str(error)
        if isinstance(error, BadInput)
        else f"{type(error).__name__}: correct its dates and figures on the tape."
    )
    async with desk.pool.acquire() as conn:
        about = f"the sweep left out loan {key}: {why}"
        await CONTACTS.raise_alert(conn, kind="sweep", about=about, now=await desk.clock.now())
