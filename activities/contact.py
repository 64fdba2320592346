"""Activities that write to a person: texts and letters. Each goes the way of activities/reaching.py."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.case_in_hand import WORK, CaseInHand, Desk, this_and
from activities.contracts import Order, Result
from activities.gate import CONTACTS, Gatekeeper, may_sue
from activities.letter import letter
from activities.office import step_of
from activities.reaching import ASKED_BEFORE, Kind, Reaching, settled_as
from activities.words import text
from channels.carrier import Accepted, AnswerLost, Carrier, LookUpFailed, Refused, SmsRequest
from domain.decision import Action
from domain.facts import Promise

VALIDITY = timedelta(hours=4)  # how long a text may wait at the carrier: short, since a payment may come meanwhile


class Contact(Reaching):
    """Texts and letters."""

    def __init__(self, desk: Desk, gate: Gatekeeper, carrier: Carrier, sender: str, settle_delay: timedelta) -> None:
        super().__init__(desk, gate)
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
            kind = await _letter_of(case, order)
            contact, over = await self._reserve(case, order, kind)
            if over is not None:
                return over
            contact, party = await self.aimed(case, contact, kind)
            stopped = await self._pass_gate(case, order, contact, kind, party)
            if stopped is not None:
                return stopped
            await letter(case, contact, party, may_sue=kind.threatens)
            step = {"step_id": contact["step_id"], "ordinal": contact["ordinal"], "now": case.facts.now}
            await WORK.open_effect(case.conn, **this_and(case), **step, kind="letter", task_id=None)
            await CONTACTS.settle(case.conn, **settled_as(case, contact, "sent"))
            await case.record_step(contact["step_id"], contact["ordinal"], "done", "sent")
            await case.journal("letter_sent", contact_id=contact["contact_id"], template=contact["template"])
            return await self.desk.next(case, "demand letter sent")

    async def _send_text(self, order: Order) -> Result:
        async with self.desk.take(order.case) as case:
            kind = _text_of(case, order)
            contact, over = await self._reserve(case, order, kind)
            if over is not None:
                return over
            request = None
            if contact["state"] == "reserved":
                contact, party = await self.aimed(case, contact, kind)
                words = _words(case, order, contact, party)
                stopped = await self._pass_gate(case, order, contact, kind, party, words)
                if stopped is not None:
                    return stopped
                request = self.request(contact, words)
        answer = await self.carrier.send_sms(request) if request else ASKED_BEFORE
        if isinstance(answer, AnswerLost):
            answer = await self.look_up(contact, answer)
        async with self.desk.take(order.case) as case:
            return await self._conclude(case, contact, answer)

    def request(self, contact: Any, words: str) -> SmsRequest:
        """What the carrier is asked to send, with what finds it again."""
        return SmsRequest(
            to=contact["contact_value"],
            sender=self.sender,
            body=words,
            attempt_id=contact["contact_id"],
            reference=contact["reference"],
            validity_seconds=int(VALIDITY.total_seconds()),
        )

    async def look_up(self, contact: Any, lost: AnswerLost) -> Accepted | AnswerLost:
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
                await CONTACTS.settle(case.conn, **settled_as(case, contact, "sent", carrier_id=carrier_id))
                step, done = "done", f"{step_id} sent"
            case AnswerLost(reason=reason):
                await CONTACTS.settle(case.conn, **settled_as(case, contact, "unknown", reason=reason))
                step, done = "done", f"{step_id}: the carrier's answer is lost; it counts and is not sent again"
            case Refused():
                done = f"{step_id} refused by the carrier: {answer.kind.replace('_', ' ')}"
                step = await self.refused(case, contact, answer)
        await case.record_step(step_id, ordinal, step, done, episode=contact["episode"])
        await case.journal(
            "contacted" if step == "done" else "contact_failed", contact_id=contact["contact_id"], said=done
        )
        return await self.desk.next(case, done)


async def _letter_of(case: CaseInHand, order: Order) -> Kind:
    """Only where the debt can still be sued for does the letter speak of it."""
    step = step_of(case, order.decision.step_id or "")
    template, role, purpose = (step.template, step.to, step.purpose) if step else (None, "borrower", "collect")
    return Kind("letter", purpose, template, role, threatens=await may_sue(case))


def _text_of(case: CaseInHand, order: Order) -> Kind:
    """What a text is for and which template it takes."""
    strategy, decision = case.row.strategy, order.decision
    match decision.action:
        case Action.THANK_BORROWER:
            return Kind("sms", "service", strategy.thanks or "thanks")
        case Action.SEND_BOUNCE_NOTICE:
            return Kind("sms", "service", strategy.bounce.notice or "bounced")
        case Action.REMIND_OF_PROMISE:
            return Kind("sms", "service", strategy.promise.reminder or "promise")
        case _:
            step = step_of(case, decision.step_id or "")
            return Kind("sms", "collect", step.template, step.to) if step else Kind("sms", "collect", "")


def _promise_of(case: CaseInHand, order: Order) -> Promise | None:
    if order.decision.action is not Action.REMIND_OF_PROMISE:
        return None
    return next((p for p in case.facts.promises if p.promise_id == order.decision.subject_id), None)


def _words(case: CaseInHand, order: Order, contact: Any, party: Any) -> str:
    return text(
        contact["template"],
        contact["language"],
        party["lender_name"],
        case.facts,
        contact["reference"],
        _promise_of(case, order),
    )
