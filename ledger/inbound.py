"""What the carrier tells us: texts that came in, and receipts for those that went out. Hearing it twice changes nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from domain.calendars import Span
from domain.clock import Clock
from domain.holds import REASONS, Scope
from domain.loan import LoanKey
from ledger import outbox
from ledger.locks import lock_loan
from ledger.named import queries
from ledger.stops import stop_at_our_fault

INBOUND, CONTACTS, AGREED = queries("inbound"), queries("contacts"), queries("agreements")
SMS = "sms"
LAST_WORDS = frozenset({"delivered", "undelivered", "failed", "read", "canceled"})
IN_FLIGHT_FOR = Span(count=5, unit="working day")
IN_FLIGHT_WITHOUT_CALENDAR = timedelta(days=7)


class Reply(StrEnum):
    """What a text that came in is about."""

    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    HELP = "help"
    ALREADY_PAID = "already_paid"
    DISPUTE = "dispute"
    WRONG_PERSON = "wrong_person"
    CALLBACK = "callback"
    OTHER = "reply"


# Each of these waits for a person, as a row of `requests`.
ASKED = frozenset({Reply.ALREADY_PAID, Reply.DISPUTE, Reply.WRONG_PERSON, Reply.CALLBACK})
# What is said back: what the text was about, the language, and the lender's name, empty where several lenders have the number.
Answer = Callable[[Reply, str, str], str | None]


class Heard(NamedTuple):
    """What became of a text: whether it is new, and what is said back to it, if anything."""

    new: bool
    answer: str | None = None


class Trouble(StrEnum):
    """What a receipt says beyond its own text: of the number for ever, or of us, whom the carrier refuses."""

    DEAD_NUMBER = "dead_number"
    OPTED_OUT = "opted_out"
    OUR_FAULT = "our_fault"


async def take_reply(
    pool: Any, clock: Clock, *, carrier_id: str, sender: str, body: str, about: Reply, answer: Answer | None = None
) -> Heard:
    """Keep a text that came in, do at once what it asks for, and tell the open cases.

    The text itself stays in `inbound`; the cases learn only what it is about. Who says that they paid, disputes the debt, or is not the
    one we mean, is left in peace from this commit on, by a hold, until the person whom the case asks has looked.

    `answer` gives the words for what is said back: to STOP and START once, when they change something, and to HELP. These are no contacts
    and pass no gate: they stand in the person's own exchange, and the first is what carriers and the law look for
    (47 CFR 64.1200(a)(12), 12 CFR 1006.14(h) allow the one confirmation). A text that comes twice is answered once. Without `answer`
    nothing is said: the carrier did it.
    """
    async with pool.acquire() as conn, conn.transaction():
        # The gate decides under these locks too, so no text leaves after an opt-out was committed.
        async for _ in INBOUND.lock_people_of(conn, number=sender):
            pass
        now = await clock.now()
        kept = await INBOUND.keep_inbound(
            conn, carrier_id=carrier_id, sender=sender, body=body, about=about.value, now=now
        )
        if kept is None:
            return Heard(new=False)
        changed = await _obey(conn, sender, about, now)
        said = await _answer(conn, sender, about, answer) if changed and answer is not None else None
        if said is not None:
            await INBOUND.keep_answer(conn, carrier_id=carrier_id, answer=said)
        cases = [each async for each in INBOUND.open_cases_of(conn, number=sender)]
        for case in cases:
            key = LoanKey(case["lender_id"], case["loan_id"])
            if about in ASKED:
                await _ask(conn, key, case, carrier_id, sender, about, now)
            await outbox.add(conn, key, "reply_received", {"about": about})
    return Heard(new=True, answer=said)


async def _obey(conn: Any, sender: str, about: Reply, now: datetime) -> bool:
    """Stop or resume texts to a number; False where a word of that kind changes nothing."""
    before: bool = await INBOUND.suppressed_anywhere(conn, channel=SMS, number=sender)
    if about is Reply.OPTED_OUT:
        await INBOUND.suppress_everywhere(conn, channel=SMS, number=sender, now=now, reason="asked by text to stop")
        return not before
    if about is Reply.OPTED_IN:
        await INBOUND.unsuppress_everywhere(conn, channel=SMS, number=sender)
        return before
    return True


async def _answer(conn: Any, sender: str, about: Reply, answer: Answer) -> str | None:
    """What is said back, in the language of those who have the number; nothing to a number that nobody has."""
    if about not in {Reply.OPTED_OUT, Reply.OPTED_IN, Reply.HELP}:
        return None
    people = [each async for each in INBOUND.people_of(conn, number=sender)]
    if not people:
        return None
    languages = {each["language"] for each in people}
    lenders = {each["lender_id"]: each["lender_name"] for each in people}
    return answer(
        about,
        languages.pop() if len(languages) == 1 else "en",
        next(iter(lenders.values())) if len(lenders) == 1 else "",
    )


async def _ask(conn: Any, key: LoanKey, case: Any, carrier_id: str, sender: str, about: Reply, now: datetime) -> None:
    """Have a person look, and hold until then what the text speaks against. The same text gives the same ids."""
    this = {"lender_id": key.lender_id, "loan_id": key.loan_id}
    hold = {"lender_id": key.lender_id, "since": now, "until": None, "source": "sms"}
    on_loan = {"hold_id": _id(carrier_id, str(key)), "subject_kind": "loan", "subject_id": key.loan_id}
    match about:
        case Reply.ALREADY_PAID:
            calendar = case["calendar"]
            until = IN_FLIGHT_FOR.after(now, calendar, case["zone"]) if calendar else now + IN_FLIGHT_WITHOUT_CALENDAR
            scopes = sorted(REASONS["payment_in_flight"])
            await AGREED.place_hold(
                conn, **hold | on_loan | {"until": until}, reason="payment_in_flight", scopes=scopes
            )
        case Reply.DISPUTE:
            await AGREED.place_hold(conn, **hold | on_loan, reason="dispute", scopes=sorted(REASONS["dispute"]))
        case Reply.WRONG_PERSON:
            # The number is held and not struck out: whoever says so may be wrong, and a person finds out.
            await AGREED.place_hold(
                conn,
                **hold,
                hold_id=_id(carrier_id, key.lender_id),
                subject_kind="contact_point",
                subject_id=sender,
                reason="data_quality",
                scopes=[Scope.CONTACT],
            )
    await INBOUND.ask(conn, **this, request_id=_id(carrier_id, f"{key} request"), kind=about, channel=SMS, now=now)


def _id(carrier_id: str, what: str) -> str:
    return uuid5(NAMESPACE_URL, f"{carrier_id} {what}").hex


async def take_receipt(
    pool: Any,
    clock: Clock,
    *,
    contact_id: str,
    carrier_id: str,
    status: str,
    error_code: int | None,
    trouble: Trouble | None,
    says: str = "no reason given",
) -> bool:
    """Note what the carrier says of a text that went out; False where there is no such contact.

    A dead number is marked and an opt-out is obeyed at once, and the case is told. A fault of ours stops the channel, and `says` why. A
    receipt that names another text than the contact's raises an alert: one contact may have reached the person twice.
    """
    async with pool.acquire() as conn, conn.transaction():
        contact = await CONTACTS.contact(conn, contact_id=contact_id)
        if contact is None:
            return False
        key = LoanKey(contact["lender_id"], contact["loan_id"])
        if trouble is Trouble.OPTED_OUT:
            async for _ in INBOUND.lock_people_of(conn, number=contact["contact_value"]):
                pass  # whoever shares the number; before the loan, as the order of locks is
        # Also where nothing follows: the contact's row and the log of its loan are written in the order in which activities lock them.
        await lock_loan(conn, key)
        before = await INBOUND.lock_contact(conn, contact_id=contact_id)
        now = await clock.now()
        if before["carrier_id"] not in {None, carrier_id}:
            await CONTACTS.raise_alert(conn, kind="second_message", about=f"{contact_id} {carrier_id}", now=now)
        # Receipts come twice and in any order; the last word stands.
        if before["carrier_status"] == status or before["carrier_status"] in LAST_WORDS:
            return True
        await CONTACTS.carrier_said(
            conn, contact_id=contact_id, status=status, error_code=error_code, carrier_id=carrier_id
        )
        if trouble is Trouble.OUR_FAULT:
            channel = contact["channel"]
            await stop_at_our_fault(conn, lender_id=key.lender_id, channel=channel, reason=says, now=now)
        elif trouble is not None and before["contact_value"] is not None:
            await _obey_receipt(conn, before, trouble, now)
            news = {"message_id": f"{carrier_id}-{status}", "about": trouble, "contact_id": contact_id}
            await outbox.add(conn, key, "contact_failed", news)
    return True


async def _obey_receipt(conn: Any, contact: Any, trouble: Trouble, now: datetime) -> None:
    value = contact["contact_value"]
    if trouble is Trouble.DEAD_NUMBER:
        point = {"lender_id": contact["lender_id"], "party_id": contact["party_id"], "value": value}
        await CONTACTS.mark_point(conn, **point, status="dead")
    else:
        why = "told the carrier to stop"
        await INBOUND.suppress_everywhere(conn, channel=SMS, number=value, now=now, reason=why)
