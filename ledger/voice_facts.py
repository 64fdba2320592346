"""What a call brings about in the ledger: holds, requests, opt-outs, the step's state, and what its case is told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.calendars import Span
from domain.holds import REASONS
from domain.loan import LoanKey
from domain.money import plain
from domain.voice import Turn, VoiceCall, Wish, step_state
from ledger import outbox
from ledger.facts import Snapshot
from ledger.named import queries

VOICE, CONTACTS, INBOUND = queries("voice"), queries("contacts"), queries("inbound")
AGREED, WORK, CASES = queries("agreements"), queries("work"), queries("cases")
IN_FLIGHT_FOR = Span(count=5, unit="working day")
HOLDS = {Wish.ALREADY_PAID: "payment_in_flight", Wish.DISPUTE: "dispute"}
ASKS_FOR = {
    Wish.CALLBACK: "callback",
    Wish.WRONG_PERSON: "wrong_person",
    Wish.ALREADY_PAID: "already_paid",
    Wish.DISPUTE: "dispute",
}


@dataclass
class Line:
    """One call inside one transaction."""

    conn: Any
    key: LoanKey
    contact: Any
    call: VoiceCall
    snapshot: Snapshot
    now: datetime

    @property
    def this(self) -> dict[str, Any]:
        """The loan's identity, as the named queries take it."""
        return {"lender_id": self.key.lender_id, "loan_id": self.key.loan_id}


async def fulfil(line: Line, wish: Wish) -> None:
    """Write down what somebody asked for by a key."""
    contact_id, value = line.contact["contact_id"], line.contact["contact_value"]
    if wish is Wish.OPT_OUT:
        await INBOUND.suppress_everywhere(
            line.conn, channel="voice", number=value, now=line.now, reason="asked by a key to get no more such calls"
        )
    if wish is Wish.WRONG_PERSON:
        point = {"lender_id": line.key.lender_id, "party_id": line.contact["party_id"], "value": value}
        await CONTACTS.mark_point(line.conn, **point, status="wrong")
    if wish in ASKS_FOR:
        kind = ASKS_FOR[wish]
        await VOICE.ask(line.conn, **line.this, request_id=f"{contact_id}-{kind}", kind=kind, now=line.now)
    if wish in HOLDS:
        await _hold(line, HOLDS[wish])


async def _hold(line: Line, reason: str) -> None:
    row, facts = line.snapshot.row, line.snapshot.facts
    ends = reason == "payment_in_flight"
    await AGREED.place_hold(
        line.conn,
        hold_id=f"{line.contact['contact_id']}-{reason}",
        lender_id=line.key.lender_id,
        subject_kind="loan",
        subject_id=line.key.loan_id,
        reason=reason,
        scopes=sorted(REASONS[reason]),
        since=line.now,
        until=IN_FLIGHT_FOR.after(line.now, row.strategy.calendar, facts.lender_zone) if ends else None,
        source="voice",
    )


async def settle(line: Line, wishes: tuple[Wish, ...]) -> None:
    """The call has an outcome: write what it means for the step, and tell the case."""
    contact, call, outcome = line.contact, line.call, line.call.outcome
    assert outcome is not None
    await WORK.record_step(
        line.conn,
        **line.this,
        episode=contact["episode"],
        step_id=contact["step_id"],
        ordinal=contact["ordinal"],
        state=step_state(outcome),
        result=outcome,
        now=line.now,
    )
    told: dict[str, Any] = {"contact_id": contact["contact_id"], "outcome": outcome}
    await CASES.journal(
        line.conn,
        **line.this,
        episode=contact["episode"],
        at=line.now,
        kind="call_ended",
        message_id=None,
        data=told,
    )
    if outcome == "DISCONNECTED":
        point = {"lender_id": line.key.lender_id, "party_id": contact["party_id"], "value": contact["contact_value"]}
        await CONTACTS.mark_point(line.conn, **point, status="dead")
        await outbox.add(line.conn, line.key, "contact_failed", {**told, "about": "dead_number"})
        return
    about = wishes[0] if wishes else "call_ended"
    told |= {"about": about, "message_id": f"{contact['contact_id']}-{about}"}
    if about is Wish.PROMISE:
        told |= _promise(line, call.turns[-1])
    await outbox.add(line.conn, line.key, "reply_received", told)


def _promise(line: Line, turn: Turn) -> dict[str, str]:
    assert turn.amount is not None
    assert turn.promised_on is not None
    currency = line.snapshot.facts.currency
    return {"amount": plain(turn.amount, currency), "due_on": turn.promised_on.isoformat()}
