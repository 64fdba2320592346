"""Reminds of what falls due, on loans without a case: through the same gate and the same way as every contact."""

import secrets
import uuid
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity

from activities.case_in_hand import CASES, CaseInHand, this_and
from activities.contact import Contact
from activities.contracts import REMIND, SweepRequest, SweepResult
from activities.gate import CONTACTS
from activities.opening import furthest, furthest_date
from activities.reaching import ALPHABET, ASKED_BEFORE, Kind, addressee, meant_for, settled_as, value_of
from activities.walking import place, walk
from activities.words import language_of, text
from channels.carrier import Accepted, AnswerLost, Refused, SmsRequest
from domain.clock import business_date
from domain.gate import Defer, Forbid, Permit
from domain.loan import LoanKey
from domain.reminder import Reminder, reminder
from domain.strategy import Strategy
from ledger.locks import lock_loan
from ledger.money import money_of
from ledger.named import queries
from ledger.strategies import pinned, strategy_for

SWEEP = queries("sweep")
ONLY = 1  # a reminder is tried once
Answer = Accepted | Refused | AnswerLost


class Reminding:
    """Texts before the due date. A page of them is one activity, so that each text waits for its turn in `pace`."""

    def __init__(self, contact: Contact, pace: AbstractAsyncContextManager[None] | None = None) -> None:
        self.contact = contact
        self.desk = contact.desk
        self.pace = pace or nullcontext()

    @activity.defn(name=REMIND)
    async def remind(self, request: SweepRequest) -> SweepResult:
        """Remind of what falls due, on one page of loans.

        `again_at` is the real time at which the earliest text that no rule allows yet may be tried again.
        """
        after_lender, after_loan, _ = place(request)
        now = await self.desk.clock.now()
        async with self.desk.pool.acquire() as conn:
            rows = SWEEP.falling_due(
                conn,
                after_lender=after_lender,
                after_loan=after_loan,
                lender=request.lender_id,
                first=business_date(now, "Etc/GMT+12"),  # the earliest date there is; each loan's own decides below
                last=furthest_date(now) + timedelta(days=await furthest(conn)),
                page=request.page,
            )
            found = [LoanKey(r["lender_id"], r["loan_id"]) async for r in rows]
        later: list[datetime] = []

        async def remind(key: LoanKey) -> int:
            if until := await self.remind_of(key):
                later.append(await self.desk.clock.real(until))
            return 0

        await walk(self.desk, found, remind)
        last = found[-1] if len(found) == request.page else None
        return SweepResult(
            started=0, after=(last.lender_id, last.loan_id) if last else None, again_at=min(later, default=None)
        )

    async def remind_of(self, key: LoanKey) -> datetime | None:
        """Remind of a loan's next instalment if that is wanted today; the business time to try again where a rule puts it off."""
        async with self.desk.pool.acquire() as conn, conn.transaction():
            await lock_loan(conn, key)
            known = await self._begin(conn, key)
        if known not in {"new", "reserved", "sending"}:
            return None
        if known != "sending":
            async with self.pace:
                pass  # before the locks and the gate: a payment may come while it waits
        async with self.desk.take(key) as case:
            due, party = await _due_now(case), await addressee(case)
            if due is None or party is None:
                return None
            contact = await self._reserve(case, due, party)
            request = None
            if contact["state"] == "reserved":
                passed = await self._pass_gate(case, contact, due, party)
                if not isinstance(passed, SmsRequest):
                    return passed
                request = passed
            elif contact["state"] != "sending":
                return None
        answer = await self.contact.carrier.send_sms(request) if request else ASKED_BEFORE
        if isinstance(answer, AnswerLost):
            answer = await self.contact.look_up(contact, answer)
        async with self.desk.take(key) as case:
            await self._conclude(case, contact, answer)
        return None

    async def _begin(self, conn: Any, key: LoanKey) -> str | None:
        """The state of the reminder that is wanted today, `new` where there is none yet, with a place for it in the ledger; None: nothing is."""
        now = await self.desk.clock.now()
        place = await SWEEP.strategy_of_place(conn, **key._asdict())
        name, version = place or await strategy_for(conn, key)
        digest = await conn.fetchval("select digest from strategies where name = $1 and version = $2", name, version)
        zone = await conn.fetchval("select timezone from lenders where lender_id = $1", key.lender_id)
        due = await _due(conn, key, await pinned(conn, name, version, digest), business_date(now, zone))
        if due is None:
            return None
        await SWEEP.keep_place(
            conn,
            lender_id=key.lender_id,
            loan_id=key.loan_id,
            workflow_id=key.workflow_id,
            strategy=name,
            strategy_version=version,
            now=now,
        )
        known = await CONTACTS.contact_of_step(conn, **_key_of(key, due))
        return str(known["state"]) if known is not None else "new"

    async def _reserve(self, case: CaseInHand, due: Reminder, party: Any) -> Any:
        """The reminder's row, new or found again."""
        key = _key_of(case.key, due)
        new = await CONTACTS.reserve(
            case.conn,
            **key,
            contact_id=uuid.uuid4().hex,
            channel="sms",
            purpose="reminder",
            party_id=party["party_id"],
            contact_value=value_of(party, "sms"),
            template=due.step.template,
            language=language_of(party["language"]),
            body=None,
            reference="".join(secrets.choice(ALPHABET) for _ in range(8)),
            now=case.facts.now,
        )
        return new or await CONTACTS.contact_of_step(case.conn, **key)

    async def _pass_gate(
        self, case: CaseInHand, contact: Any, due: Reminder, party: Any
    ) -> SmsRequest | datetime | None:
        """The text, committed and ready to go; or when to try again; or None where it is not to be sent."""
        drop, kind = self.contact.drop, Kind("sms", "reminder", contact["template"])
        contact, party = await self.contact.aimed(case, contact, kind)
        words = _words(case, contact, party, due)
        verdict, record = await self.contact.gate.permit(case, meant_for(party, kind))
        match verdict:
            case Permit(shadow=False):
                await self.contact.begin_sending(case, contact, record, words)
                return self.contact.request(contact, words)
            case Permit():
                await drop(case, contact, "shadow", record, "shadow mode", words)
            case Forbid():
                await drop(case, contact, "forbidden", record, ", ".join(verdict.rules))
            case Defer():
                return verdict.until
        return None

    async def _conclude(self, case: CaseInHand, contact: Any, answer: Answer) -> None:
        match answer:
            case Accepted(carrier_id=carrier_id):
                await CONTACTS.settle(case.conn, **settled_as(case, contact, "sent", carrier_id=carrier_id))
                said = f"{contact['step_id']} sent"
            case AnswerLost(reason=reason):
                await CONTACTS.settle(case.conn, **settled_as(case, contact, "unknown", reason=reason))
                said = f"{contact['step_id']}: the carrier's answer is lost; it counts and is not sent again"
            case Refused():
                await self.contact.refused(case, contact, answer)
                said = f"{contact['step_id']} refused by the carrier: {answer.kind.replace('_', ' ')}"
        kind = "contact_failed" if isinstance(answer, Refused) else "contacted"
        told = {**this_and(case), "episode": 0}
        data = {"contact_id": contact["contact_id"], "said": said}
        await CASES.journal(case.conn, **told, at=case.facts.now, kind=kind, message_id=None, data=data)


def _key_of(key: LoanKey, due: Reminder) -> dict[str, Any]:
    return {**key._asdict(), "episode": 0, "step_id": due.step_id, "ordinal": ONLY}


async def _due(conn: Any, key: LoanKey, strategy: Strategy, today: Any) -> Reminder | None:
    money = await money_of(conn, key)
    return reminder(money.instalments, money.entries, today, money.terms, strategy)


async def _due_now(case: CaseInHand) -> Reminder | None:
    """What to remind of, on the facts under the lock; nothing once the loan has a case."""
    return None if case.facts.open else await _due(case.conn, case.key, case.row.strategy, case.today)


def _words(case: CaseInHand, contact: Any, party: Any, due: Reminder) -> str:
    return text(
        contact["template"],
        contact["language"],
        party["lender_name"],
        case.facts,
        contact["reference"],
        coming=(due.amount, due.instalment.due_on),
    )
