"""The stop button: in effect for the next contact, and ordered among the contacts so that this can be proved."""

from datetime import datetime
from typing import Any

from ledger.named import queries

STOPS, CONTACTS = queries("stops"), queries("contacts")


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


async def stop_at_our_fault(conn: Any, *, lender_id: str, channel: str, reason: str, now: datetime) -> None:
    """Stop a lender's channel because the carrier refuses us, and have somebody look; in the transaction that is open.

    Every contact would meet the same end: nobody goes on trying until somebody has looked. Call it with no lock but the loan's.
    """
    await STOPS.wait_for_those_passing(conn)
    why = f"the carrier refuses us: {reason}"
    await STOPS.press(conn, lender_id=lender_id, channel=channel, strategy="*", reason=why)
    about = f"{channel} of lender {lender_id} is stopped: {reason}"
    await CONTACTS.raise_alert(conn, kind="carrier", about=about, now=now)
