"""Calls in which a machine speaks, as the carrier tells of them: each answer becomes facts at once, and the same request twice changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_time

from domain.agreements import check_promise
from domain.clock import Clock, business_date
from domain.errors import BadInput
from domain.holds import Scope, scopes_held
from domain.loan import LoanKey
from domain.outcomes import CALL
from domain.voice import (
    SILENCE,
    Asks,
    Known,
    Stance,
    Turn,
    VoiceCall,
    Wish,
    fact_of,
    hung_up,
    not_reached,
    picked_up,
    pressed,
)
from domain.voice_words import CallBack, Cast, Words, said
from ledger.facts import load_case
from ledger.locks import lock_loan
from ledger.named import queries
from ledger.voice_facts import Line, fulfil, settle

VOICE, CONTACTS, INBOUND = queries("voice"), queries("contacts"), queries("inbound")
LAST_WORDS = {
    "completed": None,
    "busy": "BUSY",
    "no-answer": "NO_ANSWER",
    "canceled": "NO_ANSWER",
    "failed": "NO_ANSWER",
}
MADE = frozenset({"sending", "sent", "unknown"})


@dataclass(frozen=True)
class Heard:
    """What the carrier tells of a call: nothing yet but that it was answered (`step` 0), or the keys pressed after that turn."""

    contact_id: str
    carrier_id: str
    step: int
    keys: str = ""
    answered_by: str = "human"


@dataclass(frozen=True)
class Speech:
    """What to say now, and whether an answer is awaited; `step` names the turn that it would answer."""

    words: Words
    sentences: tuple[str, ...]
    asks: Asks | None
    step: int


class VoiceDesk:
    """Takes in what the carrier tells of calls."""

    def __init__(self, pool: Any, clock: Clock, call_back: CallBack, words_for: Callable[[str], Words]) -> None:
        """`call_back` is how the lender is reached, `words_for` finds the words of a language."""
        self.pool = pool
        self.clock = clock
        self.call_back = call_back
        self.words_for = words_for

    async def turn(self, heard: Heard) -> Speech | None:
        """What to say to that; None where there is no such call.

        A step that was taken before gets the same answer again. One that was never reached, or that another call of the carrier's
        claims, gets silence.
        """
        async with self.pool.acquire() as conn, conn.transaction():
            line = await self._take(conn, heard.contact_id, heard.carrier_id, opting_out=heard.keys == "9")
            if line is None:
                return None
            if not _is_theirs(line, heard.carrier_id) or heard.step > len(line.call.turns):
                return await self._speech(line, SILENCE, heard.step)
            if heard.step < len(line.call.turns):
                return await self._speech(line, line.call.turns[heard.step], heard.step + 1)
            if heard.step and line.call.asks is None:
                return await self._speech(line, SILENCE, heard.step)
            known = await self._known(line)
            wishes: tuple[Wish, ...] = ()
            if heard.step == 0:
                line.call = picked_up(line.call, heard.answered_by, known)
            else:
                line.call, wishes = pressed(line.call, heard.keys, known)
            for wish in wishes:
                await fulfil(line, wish)
            await self._keep(line, heard.carrier_id)
            if line.call.asks is None:
                await settle(line, wishes)
            return await self._speech(line, line.call.turns[-1], len(line.call.turns))

    async def status(
        self,
        contact_id: str,
        carrier_id: str,
        status: str,
        *,
        seconds: int | None = None,
        answered_by: str | None = None,
        dead_number: bool = False,
        error_code: int | None = None,
    ) -> bool:
        """What became of a call; False where there is no such contact. The first last word stands."""
        async with self.pool.acquire() as conn, conn.transaction():
            line = await self._take(conn, contact_id, carrier_id)
            if line is None:
                return False
            if not _is_theirs(line, carrier_id) or line.contact["carrier_status"] in LAST_WORDS:
                return True
            minutes = (Decimal(seconds) / 60).quantize(Decimal("0.01")) if seconds is not None else None
            await VOICE.close_contact(
                conn, contact_id=contact_id, status=status, minutes=minutes, error_code=error_code
            )
            settled = line.call.outcome is not None
            if status in LAST_WORDS:
                missed = "DISCONNECTED" if dead_number and status == "failed" else LAST_WORDS[status]
                line.call = not_reached(line.call, missed) if missed else hung_up(line.call, answered_by)
            await self._keep(line, carrier_id)
            if line.call.outcome is not None and not settled:
                await settle(line, ())
        return True

    async def _take(self, conn: Any, contact_id: str, carrier_id: str, *, opting_out: bool = False) -> Line | None:
        """The call under its locks: person and loan, then the call itself. Everybody with the number is locked where it may opt out."""
        contact = await CONTACTS.contact(conn, contact_id=contact_id)
        if contact is None or contact["channel"] != "voice":
            return None
        key = LoanKey(contact["lender_id"], contact["loan_id"])
        if opting_out:
            async for _ in INBOUND.lock_people_of(conn, number=contact["contact_value"]):
                pass
        await lock_loan(conn, key)
        contact = await CONTACTS.contact(conn, contact_id=contact_id)
        if contact["state"] not in MADE:
            return None
        await VOICE.begin_call(conn, contact_id=contact_id, carrier_id=carrier_id)
        row = await VOICE.lock_call(conn, contact_id=contact_id)
        now = await self.clock.now()
        snapshot = await load_case(conn, key, now)
        assert snapshot is not None  # a contact has a case
        contact = {**dict(contact), "call_id": row["carrier_id"]}
        return Line(conn, key, contact, VoiceCall.model_validate(row["state"]), snapshot, now)

    async def _known(self, line: Line) -> Known:
        """Everything the dialogue depends on, read under the locks."""
        facts, strategy = line.snapshot.facts, line.snapshot.row.strategy
        party = {"lender_id": line.key.lender_id, "party_id": line.contact["party_id"]}
        whom = await self._whom(line)
        postcodes = [r["postcode"] async for r in VOICE.postcodes(line.conn, **party)]
        arrears = facts.position.arrears
        try:
            check_promise(arrears, 1, facts, strategy)
            max_days = strategy.promise.max_days
        except BadInput:
            max_days = 0
        return Known(
            stance=_stance(line),
            facts=frozenset(f for f in map(fact_of, postcodes) if f is not None),
            amount=arrears,
            since=facts.position.oldest_due_on,
            today=business_date(line.now, facts.lender_zone),
            max_days=max_days,
            collector=whom["creditor_role"] in {"agency", "buyer"},
            voicemail=bool(self.words_for(whom["language"]).lines.voicemail),
        )

    async def _keep(self, line: Line, carrier_id: str) -> None:
        call = line.call
        whom = await self._whom(line)
        spoken = [" ".join(self._sentences(line, whom, turn)) for turn in call.turns]
        await VOICE.keep_call(
            line.conn, contact_id=line.contact["contact_id"], state=call.model_dump(mode="json", exclude_defaults=True)
        )
        await VOICE.mark_contact(
            line.conn,
            contact_id=line.contact["contact_id"],
            carrier_id=carrier_id,
            body="\n".join(s for s in spoken if s) or None,
            outcome=call.outcome,
            connected=call.connected,
            effective=call.effective,
            conversation=call.conversation,
        )

    async def _whom(self, line: Line) -> Any:
        return await VOICE.whom(
            line.conn, **line.this, party_id=line.contact["party_id"], number=line.contact["contact_value"]
        )

    def _sentences(self, line: Line, whom: Any, turn: Turn) -> tuple[str, ...]:
        words = self.words_for(whom["language"])
        spoken_in = words.language.split("-")[0].replace("cmn", "zh")
        time = format_time(
            line.contact["sending_at"] or line.now, "short", tzinfo=ZoneInfo(whom["zone"]), locale=spoken_in
        )
        cast = Cast(
            name=whom["name"],
            lender=whom["lender_name"],
            currency=whom["currency"],
            call_back=self.call_back,
            time=time,
        )
        return said(words, turn, cast)

    async def _speech(self, line: Line, turn: Turn, step: int) -> Speech:
        whom = await self._whom(line)
        return Speech(self.words_for(whom["language"]), self._sentences(line, whom, turn), turn.asks, step)


def _is_theirs(line: Line, carrier_id: str) -> bool:
    """Whether this is the carrier's one call for the contact."""
    return carrier_id in {line.contact["call_id"], line.contact["carrier_id"]} and (
        line.contact["carrier_id"] in {None, carrier_id}
    )


def _stance(line: Line) -> Stance:
    facts = line.snapshot.facts
    if facts.position.cured or facts.position.arrears <= 0:
        return "clear"
    held = Scope.CONTACT in scopes_held(facts.holds, line.now)
    if held or not facts.open or facts.promise() is not None or facts.plan() is not None:
        return "quiet"
    return "ask"


assert set(LAST_WORDS.values()) - {None} <= CALL.keys()
