"""What every contact goes through: it is meant, permitted and committed in the ledger before the carrier hears of it.

One transaction, right before the call: it takes the locks, reserves the attempt under its unique key, asks the gate on facts read after the
locks, and moves `reserved` to `sending`. That commit is the contact: a row in `sending` is never sent again, only looked up. What the gate
puts off stays `reserved` (docs/case.md says why there are no two transactions).
"""

import secrets
import uuid
from dataclasses import dataclass, replace
from typing import Any

from activities.case_in_hand import CaseInHand, Desk, this_and
from activities.contracts import Order, Result
from activities.gate import CONTACTS, Gatekeeper, Meant
from activities.reckoning import NOT_ANY_MORE
from activities.words import language_of
from channels.carrier import AnswerLost, Refused
from domain.gate import Addressed, Defer, Forbid, Permit
from ledger.stops import stop_at_our_fault

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no letter that reads as a figure
ASKED_BEFORE = AnswerLost("an earlier attempt was committed, and its answer is not known")


@dataclass(frozen=True)
class Kind:
    """A kind of contact: how, what for, whom by role, and in which words."""

    channel: str
    purpose: str
    template: str | None
    role: str = "borrower"
    threatens: bool = False


async def addressee(case: CaseInHand, role: str = "borrower") -> Any:
    """The party who is contacted, with their number and address; None where the loan has nobody of that role."""
    return next((person for person in case.row.people if person["role"] == role), None)


def value_of(party: Any, channel: str) -> str | None:
    """The number or address that a channel goes to."""
    match channel:
        case "sms":
            found = party["mobile"]
        case "call" | "voice":
            found = party["mobile"] or party["landline"]
        case _:
            found = party["address"]
    return str(found) if found is not None else None


def meant_for(party: Any, kind: Kind, *, discloses: bool = True, task_id: str | None = None) -> Meant:
    """The contact with this party, as the gate is asked about it."""
    return Meant(
        channel=kind.channel,
        purpose=kind.purpose,
        party=Addressed(role=party["role"], liable=party["liable"], may_discuss=party["may_discuss"]),
        party_id=party["party_id"],
        value=value_of(party, kind.channel),
        discloses=discloses,
        threatens=kind.threatens,
        task_id=task_id,
    )


class Reaching:
    """The way of a contact up to its commit."""

    def __init__(self, desk: Desk, gate: Gatekeeper) -> None:
        self.desk = desk
        self.gate = gate

    async def _reserve(self, case: CaseInHand, order: Order, kind: Kind) -> tuple[Any, Result | None]:
        """The attempt's row, new or found again; a result where there is nothing left to do."""
        decision, wanted = order.decision, case.wants(order.decision)
        key = {**this_and(case), "step_id": decision.step_id, "ordinal": decision.ordinal}
        new = await self._mean(case, key, kind) if wanted else None
        if new is not None:
            return new, None
        known = await CONTACTS.contact_of_step(case.conn, **key)
        if known is None and wanted:
            return None, await self._nobody_there(case, order, kind)
        if known is not None and known["state"] == "sending":
            return known, None
        if known is not None and known["state"] == "cancelled" and wanted:
            await CONTACTS.revive(case.conn, contact_id=known["contact_id"])
            known = await CONTACTS.contact_of_step(case.conn, **key)
        if not wanted or known["state"] != "reserved":
            if known is not None and known["state"] == "reserved" and not case.means(decision):
                await self.drop(case, known, "cancelled", None, NOT_ANY_MORE)
            return known, await self.desk.next(case, NOT_ANY_MORE)
        return known, None

    async def _mean(self, case: CaseInHand, key: dict[str, Any], kind: Kind) -> Any:
        """A new row for this attempt; None where it has one, or the loan has nobody of that role."""
        party = await addressee(case, kind.role)
        if party is None:
            return None
        return await CONTACTS.reserve(
            case.conn,
            **key,
            contact_id=uuid.uuid4().hex,
            channel=kind.channel,
            purpose=kind.purpose,
            party_id=party["party_id"],
            contact_value=value_of(party, kind.channel),
            template=kind.template,
            language=language_of(party["language"]),
            body=None,
            reference="".join(secrets.choice(ALPHABET) for _ in range(8)),
            now=case.facts.now,
        )

    async def _nobody_there(self, case: CaseInHand, order: Order, kind: Kind) -> Result:
        said = f"the loan has no {kind.role.replace('_', ' ')}"
        await case.record_step(order.decision.step_id or "", order.decision.ordinal, "impossible", said)
        return await self.desk.next(case, said)

    async def _pass_gate(
        self, case: CaseInHand, order: Order, contact: Any, kind: Kind, party: Any, words: str | None = None
    ) -> Result | None:
        """Ask the gate and commit the contact; a result where it may not be made now."""
        meant = replace(meant_for(party, kind), value=contact["contact_value"], contact_id=contact["contact_id"])
        verdict, record = await self.gate.permit(case, meant)
        match verdict:
            case Permit(shadow=False):
                await self.begin_sending(case, contact, record, words)
                await case.record_step(contact["step_id"], contact["ordinal"], "open")
                return None
            case Permit():
                await self.drop(case, contact, "shadow", record, "shadow mode", words)
                await case.record_step(contact["step_id"], contact["ordinal"], "done", "shadow")
                return await self.desk.next(case, "only written down: shadow mode")
            case Forbid():
                said = ", ".join(verdict.rules)
                await self.drop(case, contact, "forbidden", record, said)
                await case.record_step(contact["step_id"], contact["ordinal"], "forbidden", said)
                return await self.desk.next(case, f"forbidden: {said}")
            case Defer():
                return await self.desk.later(case, order, verdict, record)

    async def begin_sending(self, case: CaseInHand, contact: Any, permit: dict[str, Any], words: str | None) -> None:
        """Move `reserved` to `sending`, with the permit and the ledger version that it saw.

        Raises:
            RuntimeError: somebody moved it without the loan's lock; the next try finds what it is now.
        """
        begun = await CONTACTS.begin_sending(
            case.conn,
            contact_id=contact["contact_id"],
            permit=permit,
            version=case.row.ledger_version,
            business_date=case.today,
            now=case.facts.now,
            body=words,
        )
        if begun is None:
            raise RuntimeError(f"contact {contact['contact_id']} was moved beside the lock of loan {case.key}")

    async def drop(
        self,
        case: CaseInHand,
        contact: Any,
        state: str,
        record: dict[str, Any] | None,
        reason: str,
        words: str | None = None,
    ) -> None:
        """Write down that a contact will not be made, and why."""
        await CONTACTS.drop(
            case.conn,
            contact_id=contact["contact_id"],
            state=state,
            permit=record,
            reason=reason,
            now=case.facts.now,
            version=case.row.ledger_version,
            body=words,
        )
        await case.journal(f"contact_{state}", contact_id=contact["contact_id"], step=contact["step_id"], why=reason)

    async def aimed(self, case: CaseInHand, contact: Any, kind: Kind) -> tuple[Any, Any]:
        """The contact, at the number or address that counts now, and its party: it may have been put off for days."""
        party = await addressee(case, kind.role)
        value = value_of(party, kind.channel)
        if value == contact["contact_value"]:
            return contact, party
        await CONTACTS.aim(case.conn, contact_id=contact["contact_id"], value=value)
        return {**contact, "contact_value": value}, party

    async def refused(self, case: CaseInHand, contact: Any, answer: Refused) -> str:
        """Write down that the carrier said no, and what that means; the state of the step."""
        settled = settled_as(case, contact, "failed", error_code=answer.code, reason=answer.reason)
        await CONTACTS.settle(case.conn, **settled)
        point = {"lender_id": case.key.lender_id, "value": contact["contact_value"]}
        match answer.kind:
            case "retry_later":
                return "postponed"
            case "our_fault":
                # Every contact would meet the same end: nobody goes on trying until somebody has looked.
                await stop_at_our_fault(
                    case.conn,
                    lender_id=case.key.lender_id,
                    channel=contact["channel"],
                    reason=answer.reason,
                    now=case.facts.now,
                )
                return "postponed"
            case "dead_number":
                await CONTACTS.mark_point(case.conn, **point, party_id=contact["party_id"], status="dead")
                return "impossible"
            case "opted_out":
                await CONTACTS.suppress(
                    case.conn,
                    **point,
                    channel=contact["channel"],
                    since=case.facts.now,
                    reason="told the carrier to stop",
                )
                return "forbidden"
            case _:
                return "failed"


def settled_as(case: CaseInHand, contact: Any, state: str, **more: Any) -> dict[str, Any]:
    """What `settle` writes of a contact's end."""
    return {
        "contact_id": contact["contact_id"],
        "state": state,
        "carrier_id": None,
        "error_code": None,
        "reason": None,
        "now": case.facts.now,
        **more,
    }
