"""The activity that has a machine call a person. The call itself is talked in starters/voice.py; here it is meant, permitted, and placed."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.case_in_hand import CaseInHand, Desk
from activities.contracts import Order, Result
from activities.gate import CONTACTS, Gatekeeper
from activities.office import step_of
from activities.reaching import ASKED_BEFORE, Kind, Reaching, settled_as
from channels.carrier import Accepted, AnswerLost, LookUpFailed, Refused
from channels.voice_carrier import VoiceCarrier, VoiceRequest
from channels.voice_words import words_for
from domain.decision import Action
from domain.voice import Asks, Turn
from domain.voice_words import CallBack, Cast, said
from ledger.named import queries

VOICE = queries("voice")
NOT_SET_UP = "no automated calls here: set ARREARS_VOICE_BUSINESS, ARREARS_VOICE_PERSON and ARREARS_VOICE_NUMBER"


class VoiceContact(Reaching):
    """Calls in which a machine speaks."""

    def __init__(
        self,
        desk: Desk,
        gate: Gatekeeper,
        carrier: VoiceCarrier | None,
        sender: str,
        settle_delay: timedelta,
        call_back: CallBack | None,
    ) -> None:
        """Without a carrier, or `call_back`, what the called person is told to call, a step of this kind is impossible."""
        super().__init__(desk, gate)
        self.carrier = carrier
        self.sender = sender
        self.settle_delay = settle_delay
        self.call_back = call_back

    @activity.defn(name=Action.PLACE_VOICE_CALL.value)
    async def place_voice_call(self, order: Order) -> Result:
        """Place one call, once. What it brings is told by the carrier's requests."""
        async with self.desk.take(order.case) as case:
            if self.call_back is None or self.carrier is None:
                return await self._impossible(case, order)
            kind = _kind_of(case, order)
            contact, over = await self._reserve(case, order, kind)
            if over is not None:
                return over
            request = None
            if contact["state"] == "reserved":
                contact, party = await self.aimed(case, contact, kind)
                opening = _opening(party, self.call_back)
                stopped = await self._pass_gate(case, order, contact, kind, party, opening)
                if stopped is not None:
                    return stopped
                request = VoiceRequest(
                    to=contact["contact_value"], sender=self.sender, attempt_id=contact["contact_id"]
                )
        answer = await self.carrier.place_call(request) if request else ASKED_BEFORE
        if isinstance(answer, AnswerLost):
            answer = await self._look_up(contact, answer)
        async with self.desk.take(order.case) as case:
            return await self._conclude(case, contact, answer)

    async def _impossible(self, case: CaseInHand, order: Order) -> Result:
        if case.wants(order.decision):
            await case.record_step(order.decision.step_id or "", order.decision.ordinal, "impossible", NOT_SET_UP)
        return await self.desk.next(case, NOT_SET_UP)

    async def _look_up(self, contact: Any, lost: AnswerLost) -> Accepted | AnswerLost:
        """Ask the carrier whether it has the call: now, and once more after a settle delay. Never placed again.

        A call carries no mark of ours, so only a single one that fits and belongs to no other contact is taken for it.
        """
        assert self.carrier is not None
        for wait in (timedelta(0), self.settle_delay):
            await asyncio.sleep(wait.total_seconds())
            async with self.desk.pool.acquire() as conn:
                row = await CONTACTS.contact(conn, contact_id=contact["contact_id"])
            if row["carrier_id"]:  # a request about the call was faster
                return Accepted(row["carrier_id"])
            try:
                found = await self.carrier.find_calls(row["contact_value"], self.sender, row["sending_real"])
            except LookUpFailed:
                continue
            ids = [call.carrier_id for call in found]
            async with self.desk.pool.acquire() as conn:
                others = VOICE.known_calls(conn, ids=ids, contact_id=contact["contact_id"])
                taken = {r["carrier_id"] async for r in others}
            fitting = [each for each in ids if each not in taken]
            if len(fitting) == 1:
                return Accepted(fitting[0])
        return lost

    async def _conclude(self, case: CaseInHand, contact: Any, answer: Accepted | Refused | AnswerLost) -> Result:
        """Write what the carrier said. A call that is over already has said more, and that stands."""
        contact = await CONTACTS.contact(case.conn, contact_id=contact["contact_id"])
        step_id, ordinal = contact["step_id"], contact["ordinal"]
        match answer:
            case Accepted(carrier_id=carrier_id):
                await CONTACTS.settle(case.conn, **settled_as(case, contact, "sent", carrier_id=carrier_id))
                step, done = "done", f"{step_id}: the call is placed"
            case AnswerLost(reason=reason):
                await CONTACTS.settle(case.conn, **settled_as(case, contact, "unknown", reason=reason))
                step, done = "done", f"{step_id}: the carrier's answer is lost; it counts and is not called again"
            case Refused():
                done = f"{step_id} refused by the carrier: {answer.kind.replace('_', ' ')}"
                step = await self.refused(case, contact, answer)
        if contact["outcome"] is None:
            await case.record_step(step_id, ordinal, step, done, episode=contact["episode"])
        await case.journal(
            "contacted" if step == "done" else "contact_failed", contact_id=contact["contact_id"], said=done
        )
        return await self.desk.next(case, done)


def _kind_of(case: CaseInHand, order: Order) -> Kind:
    step = step_of(case, order.decision.step_id or "")
    return Kind("voice", "collect", None, step.to) if step else Kind("voice", "collect", None)


def _opening(party: Any, call_back: CallBack) -> str:
    """The first words of the call, for whoever reads what would have been said."""
    cast = Cast(
        name=party["name"],
        lender=party["lender_name"],
        currency=party["currency"],
        call_back=call_back,
        time="",
    )
    return " ".join(said(words_for(party["language"]), Turn(lines=("who",), asks=Asks.WHO), cast))
