"""Activities that reach a person. Each contact is meant, permitted and committed in the ledger before the carrier hears of it.

Two transactions (design.md 4): the first reserves the attempt under its unique key; the second locks again, asks the gate on facts read
after the locks, and moves `reserved` to `sending`. That commit is the contact: a row in `sending` is never sent again, only looked up.
"""

import asyncio
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.case_in_hand import WORK, CaseInHand, Desk, this_and
from activities.contracts import Order, Result
from activities.gate import CONTACTS, Gatekeeper
from activities.letter import letter
from activities.office import step_of
from activities.reckoning import NOT_ANY_MORE
from activities.words import language_of, text
from channels.carrier import Accepted, AnswerLost, Carrier, LookUpFailed, Refused, SmsRequest
from domain.decision import Action
from domain.facts import Promise
from domain.gate import Defer, Forbid, Permit

VALIDITY = timedelta(hours=4)  # how long a text may wait at the carrier: short, since a payment may come meanwhile
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no letter that reads as a figure


@dataclass(frozen=True)
class Text:
    """A kind of text: its purpose, its template, and whether a promise is spoken of."""

    purpose: str
    template: str
    promise: Promise | None = None


class Contact:
    """Texts and letters."""

    def __init__(self, desk: Desk, gate: Gatekeeper, carrier: Carrier, sender: str, settle_delay: timedelta) -> None:
        self.desk = desk
        self.gate = gate
        self.carrier = carrier
        self.sender = sender
        self.settle_delay = settle_delay

    @activity.defn(name=Action.SEND_SMS.value)
    async def send_sms(self, order: Order) -> Result:
        """A text of the strategy."""
        return await self._send_text(order)

    @activity.defn(name=Action.THANK_BORROWER.value)
    async def thank_borrower(self, order: Order) -> Result:
        """Thanks, once, when nothing is past due any more."""
        return await self._send_text(order)

    @activity.defn(name=Action.SEND_BOUNCE_NOTICE.value)
    async def send_bounce_notice(self, order: Order) -> Result:
        """The one notice that a payment was returned."""
        return await self._send_text(order)

    @activity.defn(name=Action.REMIND_OF_PROMISE.value)
    async def remind_of_promise(self, order: Order) -> Result:
        """The one reminder, the day before a promise is due."""
        return await self._send_text(order)

    @activity.defn(name=Action.SEND_DEMAND_LETTER.value)
    async def send_demand_letter(self, order: Order) -> Result:
        """The lawyer's letter, as a PDF in the ledger, with its open effect."""
        async with self.desk.take(order.case) as case:
            contact, over = await self._reserve(case, order, "letter", "collect")
            if over is not None:
                return over
        async with self.desk.take(order.case) as case:
            contact = await _aimed(case, contact)
            stopped = await self._pass_gate(case, order, contact, None)
            if stopped is not None:
                return stopped
            await letter(case, contact)
            key = {
                **this_and(case),
                "step_id": contact["step_id"],
                "ordinal": contact["ordinal"],
                "now": case.facts.now,
            }
            await WORK.open_effect(case.conn, **key, kind="letter", task_id=None)
            await CONTACTS.settle(case.conn, **_settled(case, contact, "sent"))
            await case.record_step(contact["step_id"], contact["ordinal"], "done", "sent")
            await case.journal("letter_sent", contact_id=contact["contact_id"], template=contact["template"])
            return await self.desk.next(case, "demand letter sent")

    # --- a text, in its two transactions ---

    async def _send_text(self, order: Order) -> Result:
        async with self.desk.take(order.case) as case:
            contact, over = await self._reserve(case, order, "sms", _text_of(case, order).purpose)
            if over is not None:
                return over
        if contact["state"] == "reserved":
            async with self.desk.take(order.case) as case:
                contact = await _aimed(case, contact)
                words = await self._words(case, order, contact)
                stopped = await self._pass_gate(case, order, contact, words)
                if stopped is not None:
                    return stopped
            answer = await self.carrier.send_sms(_request(contact, self.sender, words))
        else:
            answer = AnswerLost("a worker stopped between the commit and the carrier's answer")
        if isinstance(answer, AnswerLost):
            answer = await self._look_up(contact, answer)
        async with self.desk.take(order.case) as case:
            return await self._conclude(case, contact, answer)

    async def _reserve(self, case: CaseInHand, order: Order, channel: str, purpose: str) -> tuple[Any, Result | None]:
        """The attempt's row, new or found again; a result where there is nothing left to do."""
        decision = order.decision
        key = {**this_and(case), "step_id": decision.step_id, "ordinal": decision.ordinal}
        known = await CONTACTS.contact_of_step(case.conn, **key)
        if known is not None and known["state"] == "sending":
            return known, None
        if known is not None and known["state"] == "cancelled" and case.wants(decision):
            await CONTACTS.revive(case.conn, contact_id=known["contact_id"])
            known = await CONTACTS.contact_of_step(case.conn, **key)
        if not case.wants(decision) or (known is not None and known["state"] != "reserved"):
            if known is not None and known["state"] == "reserved" and not case.means(decision):
                await self._drop(case, known, "cancelled", None, NOT_ANY_MORE)
            return known, await self.desk.next(case, NOT_ANY_MORE)
        if known is None:
            borrower = await CONTACTS.borrower(case.conn, **case.this)
            words = _text_of(case, order)
            await CONTACTS.reserve(
                case.conn,
                **key,
                contact_id=uuid.uuid4().hex,
                channel=channel,
                purpose=purpose,
                party_id=borrower["party_id"],
                contact_value=_value(borrower, channel),
                template=words.template,
                language=language_of(borrower["language"]),
                body=None,
                reference="".join(secrets.choice(ALPHABET) for _ in range(8)),
                now=case.facts.now,
            )
            known = await CONTACTS.contact_of_step(case.conn, **key)
        return known, None

    async def _pass_gate(self, case: CaseInHand, order: Order, contact: Any, words: str | None) -> Result | None:
        """Ask the gate and commit the contact; a result where it may not be made now."""
        if not case.wants(order.decision):
            if not case.means(order.decision):
                await self._drop(case, contact, "cancelled", None, NOT_ANY_MORE)
            return await self.desk.next(case, NOT_ANY_MORE)
        verdict, record = await self.gate.permit(case, contact["channel"], contact["purpose"], contact["contact_value"])
        match verdict:
            case Permit(shadow=False):
                begun = await CONTACTS.begin_sending(
                    case.conn,
                    contact_id=contact["contact_id"],
                    permit=record,
                    version=case.row.ledger_version,
                    business_date=case.today,
                    now=case.facts.now,
                    body=words,
                )
                if begun is None:
                    return await self.desk.next(case, NOT_ANY_MORE)
                await case.record_step(contact["step_id"], contact["ordinal"], "open")
                return None
            case Permit():
                await self._drop(case, contact, "shadow", record, "shadow mode")
                await case.record_step(contact["step_id"], contact["ordinal"], "done", "shadow")
                return await self.desk.next(case, "only written down: shadow mode")
            case Forbid():
                said = ", ".join(verdict.rules)
                await self._drop(case, contact, "forbidden", record, said)
                await case.record_step(contact["step_id"], contact["ordinal"], "forbidden", said)
                return await self.desk.next(case, f"forbidden: {said}")
            case Defer():
                return await self.desk.later(case, order, verdict)

    async def _drop(
        self, case: CaseInHand, contact: Any, state: str, record: dict[str, Any] | None, reason: str
    ) -> None:
        await CONTACTS.drop(
            case.conn,
            contact_id=contact["contact_id"],
            state=state,
            permit=record,
            reason=reason,
            now=case.facts.now,
            version=case.row.ledger_version,
        )
        await case.journal(f"contact_{state}", contact_id=contact["contact_id"], step=contact["step_id"], why=reason)

    async def _words(self, case: CaseInHand, order: Order, contact: Any) -> str:
        borrower = await CONTACTS.borrower(case.conn, **case.this)
        kind = _text_of(case, order)
        return text(
            kind.template, contact["language"], borrower["lender_name"], case.facts, contact["reference"], kind.promise
        )

    async def _look_up(self, contact: Any, lost: AnswerLost) -> Accepted | AnswerLost:
        """Ask the carrier whether it has the message: now, and once more after a settle delay. Never sent again."""
        for wait in (timedelta(0), self.settle_delay):
            await asyncio.sleep(wait.total_seconds())
            async with self.desk.pool.acquire() as conn:
                row = await CONTACTS.contact(conn, contact_id=contact["contact_id"])
            if row["carrier_id"]:  # a status callback was faster
                return Accepted(row["carrier_id"])
            since = row["sending_real"] - timedelta(minutes=1)
            try:
                found = await self.carrier.find_sms(row["contact_value"], self.sender, since, row["reference"])
            except LookUpFailed:
                continue
            if found:
                return Accepted(found[0].carrier_id)
        return lost

    async def _conclude(self, case: CaseInHand, contact: Any, answer: Accepted | Refused | AnswerLost) -> Result:
        """Write what the carrier said, and what it means for the step."""
        step_id, ordinal = contact["step_id"], contact["ordinal"]
        match answer:
            case Accepted(carrier_id=carrier_id):
                await CONTACTS.settle(case.conn, **_settled(case, contact, "sent", carrier_id=carrier_id))
                step, done = "done", f"{step_id} sent"
            case AnswerLost(reason=reason):
                await CONTACTS.settle(case.conn, **_settled(case, contact, "unknown", reason=reason))
                step, done = "done", f"{step_id}: the carrier's answer is lost; it counts and is not sent again"
            case Refused():
                reason = answer.reason
                await CONTACTS.settle(
                    case.conn, **_settled(case, contact, "failed", error_code=answer.code, reason=reason)
                )
                step = {"dead_number": "impossible", "opted_out": "forbidden"}.get(answer.kind, "failed")
                done = f"{step_id} refused by the carrier: {answer.kind.replace('_', ' ')}"
                await self._remember_refusal(case, contact, answer)
        await case.record_step(step_id, ordinal, step, done, episode=contact["episode"])
        await case.journal(
            "contacted" if step == "done" else "contact_failed", contact_id=contact["contact_id"], said=done
        )
        return await self.desk.next(case, done)

    async def _remember_refusal(self, case: CaseInHand, contact: Any, answer: Refused) -> None:
        point = {"lender_id": case.key.lender_id, "value": contact["contact_value"]}
        if answer.kind == "dead_number":
            await CONTACTS.mark_point(case.conn, **point, party_id=contact["party_id"], status="dead")
        if answer.kind == "opted_out":
            await CONTACTS.suppress(
                case.conn, **point, channel="sms", since=case.facts.now, reason="told the carrier to stop"
            )


def _value(borrower: Any, channel: str) -> str | None:
    value: str | None = borrower["mobile"] if channel == "sms" else borrower["address"]
    return value


async def _aimed(case: CaseInHand, contact: Any) -> Any:
    """The contact, at the number or address that counts now: it may have been put off for days."""
    value = _value(await CONTACTS.borrower(case.conn, **case.this), contact["channel"])
    if value == contact["contact_value"]:
        return contact
    await CONTACTS.aim(case.conn, contact_id=contact["contact_id"], value=value)
    return {**contact, "contact_value": value}


def _text_of(case: CaseInHand, order: Order) -> Text:
    """What a text is for and which template it takes."""
    strategy, decision = case.row.strategy, order.decision
    match decision.action:
        case Action.THANK_BORROWER:
            return Text("service", strategy.thanks or "thanks")
        case Action.SEND_BOUNCE_NOTICE:
            return Text("service", strategy.bounce.notice or "bounced")
        case Action.REMIND_OF_PROMISE:
            promise = next((p for p in case.facts.promises if p.promise_id == decision.subject_id), None)
            return Text("service", strategy.promise.reminder or "promise", promise)
        case _:
            step = step_of(case, decision.step_id or "")
            return Text("collect", (step.template if step else None) or "")


def _request(contact: Any, sender: str, words: str) -> SmsRequest:
    return SmsRequest(
        to=contact["contact_value"],
        sender=sender,
        body=words,
        attempt_id=contact["contact_id"],
        reference=contact["reference"],
        validity_seconds=int(VALIDITY.total_seconds()),
    )


def _settled(case: CaseInHand, contact: Any, state: str, **more: Any) -> dict[str, Any]:
    return {
        "contact_id": contact["contact_id"],
        "state": state,
        "carrier_id": None,
        "error_code": None,
        "reason": None,
        "now": case.facts.now,
        **more,
    }
