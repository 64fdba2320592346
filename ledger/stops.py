"""The stop button: in effect for the next contact, and ordered among the contacts so that this can be proved."""

from typing import Any

from ledger.named import queries

STOPS = queries("stops")


async def press_stop(conn: Any, *, lender_id: str, channel: str, strategy: str, reason: str | None) -> None:
    """Stop contacts; `*` is all. Contacts that are passing the gate at this moment are waited for, none passes after this returns."""
    async with conn.transaction():
        await STOPS.wait_for_those_passing(conn)
        await STOPS.press(conn, lender_id=lender_id, channel=channel, strategy=strategy, reason=reason)


async def release_stop(conn: Any, *, lender_id: str, channel: str, strategy: str) -> int:
    """Release the same stop and wake the cases that waited at it; how many were told."""
    async with conn.transaction():
        await STOPS.wait_for_those_passing(conn)
        await STOPS.release(conn, lender_id=lender_id, channel=channel, strategy=strategy)
        return len([r async for r in STOPS.wake(conn, lender_id=lender_id, strategy=strategy)])
