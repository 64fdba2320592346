"""What the carrier tells us: texts that came in, and receipts for those that went out. Hearing it twice changes nothing."""

from enum import StrEnum
from typing import Any

from domain.clock import Clock
from domain.loan import LoanKey
from ledger import outbox
from ledger.locks import lock_loan
from ledger.named import queries

INBOUND, CONTACTS = queries("inbound"), queries("contacts")
SMS = "sms"
LAST_WORDS = frozenset({"delivered", "undelivered", "failed", "read", "canceled"})


class Reply(StrEnum):
    """What a text that came in is about."""

    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    OTHER = "reply"


class Trouble(StrEnum):
    """What a receipt says of the number for ever."""

    DEAD_NUMBER = "dead_number"
    OPTED_OUT = "opted_out"


async def take_reply(pool: Any, clock: Clock, *, carrier_id: str, sender: str, body: str, about: Reply) -> bool:
    """Keep a text that came in, do at once what it asks for, and tell the open cases; False where it came before.

    The text itself stays in `inbound`; the cases learn only what it is about.
    """
    async with pool.acquire() as conn, conn.transaction():
        # The gate decides under these locks too, so no text leaves after an opt-out was committed.
        async for _ in INBOUND.lock_people_of(conn, number=sender):
            pass
        now = await clock.now()
        kept = await INBOUND.keep_inbound(conn, carrier_id=carrier_id, sender=sender, body=body, now=now)
        if kept is None:
            return False
        if about is Reply.OPTED_OUT:
            await INBOUND.suppress_everywhere(conn, channel=SMS, number=sender, now=now, reason="asked by text to stop")
        elif about is Reply.OPTED_IN:
            await INBOUND.unsuppress_everywhere(conn, channel=SMS, number=sender)
        cases = [LoanKey(r["lender_id"], r["loan_id"]) async for r in INBOUND.open_cases_of(conn, number=sender)]
        for key in cases:
            await outbox.add(conn, key, "reply_received", {"about": about})
    return True


async def take_receipt(
    pool: Any,
    clock: Clock,
    *,
    contact_id: str,
    carrier_id: str,
    status: str,
    error_code: int | None,
    trouble: Trouble | None,
) -> bool:
    """Note what the carrier says of a text that went out; False where there is no such contact.

    A dead number is marked and an opt-out is obeyed at once, and the case is told.
    """
    async with pool.acquire() as conn, conn.transaction():
        contact = await CONTACTS.contact(conn, contact_id=contact_id)
        if contact is None:
            return False
        key = LoanKey(contact["lender_id"], contact["loan_id"])
        if trouble is not None:
            await lock_loan(conn, key)
        before = await INBOUND.lock_contact(conn, contact_id=contact_id)
        # Receipts come twice and in any order; the last word stands.
        if before["carrier_status"] == status or before["carrier_status"] in LAST_WORDS:
            return True
        said = await CONTACTS.carrier_said(
            conn, contact_id=contact_id, status=status, error_code=error_code, carrier_id=carrier_id
        )
        if trouble is None or said["contact_value"] is None:
            return True
        if trouble is Trouble.DEAD_NUMBER:
            point = {"lender_id": said["lender_id"], "party_id": said["party_id"], "value": said["contact_value"]}
            await CONTACTS.mark_point(conn, **point, status="dead")
        else:
            now = await clock.now()
            await INBOUND.suppress_everywhere(
                conn, channel=SMS, number=said["contact_value"], now=now, reason="told the carrier to stop"
            )
        news = {"message_id": f"{carrier_id}-{status}", "about": trouble, "contact_id": contact_id}
        await outbox.add(conn, key, "contact_failed", news)
    return True
