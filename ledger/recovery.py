"""A ledger that was restored from a backup: stopped, brought to what others know of the time since, and released."""

from datetime import datetime
from typing import Any, NamedTuple

from domain.errors import BadInput
from ledger.named import queries
from ledger.stops import STOPS, press_stop, release_stop

RECOVERY = queries("recovery")
ALL = {"lender_id": "*", "channel": "*", "strategy": "*"}
RECOVERING = "recovery after a restore"


class Recovery(NamedTuple):
    """A recovery under way; times are real. What the ledger lacks came after `lost_since`. `pressed`: the stop is its own."""

    recovery_id: int
    began_at: datetime
    lost_since: datetime
    pressed: bool


async def begin_recovery(conn: Any, since: datetime | None = None) -> Recovery:
    """Stop all contact, and note from when on the ledger lacks something; a recovery under way goes on.

    `since` is when the backup was taken, in real time; without it the newest thing in the ledger tells.
    """
    known = await RECOVERY.under_way(conn)
    if known is None:
        async with conn.transaction():
            await STOPS.wait_for_those_passing(conn)  # `arrears go` may be releasing what is looked at here
            stopped = await RECOVERY.is_stopped(conn)
            await RECOVERY.begin(conn, since=since, pressed=not stopped)
            await press_stop(conn, **ALL, reason=RECOVERING)
        known = await RECOVERY.under_way(conn)
    return Recovery(**known)


async def refuse_while_recovering(conn: Any) -> None:
    """Keep contact stopped while the ledger lacks what others know; no recovery begins before the caller's transaction ends.

    Raises:
        BadInput: a recovery is under way.
    """
    await STOPS.wait_for_those_passing(conn)
    if await RECOVERY.under_way(conn) is not None:
        raise BadInput(
            "the ledger is being recovered after a restore: `arrears recover --release` lets contact go on once nothing is missing."
        )


async def end_recovery(conn: Any) -> int:
    """End it, and release its stop: how many cases were told. A stop that somebody had pressed before stays."""
    known = await RECOVERY.under_way(conn)
    if known is None:
        return 0
    async with conn.transaction():
        await RECOVERY.end(conn)
        return await release_stop(conn, **ALL) if known["pressed"] else 0
