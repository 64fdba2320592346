"""Writes back what was done: contacts, tasks, what people told. Each stands where its evidence says, and is written once."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.absorbing import Absorbing
from activities.case_in_hand import CASES, WORK, CaseInHand, Desk
from activities.contracts import Absorb, CaseRef
from activities.gate import CONTACTS
from activities.office import Office, step_of, task_id_of
from activities.reaching import addressee, value_of
from activities.words import language_of
from channels.carrier import CarrierMessage
from domain.clock import business_date
from domain.decision import Action, Decision
from domain.loan import LoanKey
from domain.reminder import reminder
from ledger.clock import LedgerClock
from ledger.money import money_of
from ledger.recovery import RECOVERY, Recovery
from starters.recovery.carrier import Found
from starters.recovery.histories import Acted, Told, is_text

MADE = frozenset({"sending", "sent", "unknown", "failed", "forbidden", "shadow"})
BACK = "written back after a restore"
HANDED_OUT = " task handed out"
SERVICE = frozenset({Action.THANK_BORROWER, Action.SEND_BOUNCE_NOTICE, Action.REMIND_OF_PROMISE})


def channel_of(action: Action) -> str | None:
    """The channel on which an action reaches a person by itself."""
    if is_text(action):
        return "sms"
    return {Action.PLACE_VOICE_CALL: "voice", Action.SEND_DEMAND_LETTER: "letter"}.get(action)


def went_out(act: Acted) -> bool:
    """Whether the activity said that the contact was made, or may have been."""
    if act.result is None:
        return False
    step, done = act.order.decision.step_id, act.result.done
    return done in {f"{step} sent", "demand letter sent"} or done.startswith(f"{step}: ")


def may_have_gone_out(act: Acted) -> bool:
    """Whether its end tells nothing: it is under way, failed, or found on a second try that all was done."""
    return act.result is None or not any(
        word in act.result.done for word in ("refused", "forbidden", "shadow", "deferred", "the loan has no")
    )


@dataclass
class WritingBack:
    """Writes into the ledger what others know."""

    desk: Desk
    clock: LedgerClock
    office: Office
    absorbing: Absorbing
    recovery: Recovery

    async def is_on_record(self, key: LoanKey, act: Acted) -> bool:
        """Whether the ledger knows the contact as made, or as one that is not made."""
        async with self.desk.pool.acquire() as conn:
            decision, episode = act.order.decision, await self._episode(conn, key, act)
            row = await CONTACTS.contact_of_step(
                conn, **_this(key), episode=episode, step_id=decision.step_id, ordinal=decision.ordinal
            )
        return row is not None and row["state"] in MADE

    async def number_of(self, key: LoanKey, act: Acted) -> str | None:
        """The number that the contact went to, as far as the ledger knows."""
        async with self.desk.take(key) as case:
            party, channel = await _party(case, act.order.decision), channel_of(act.order.decision.action)
            return value_of(party, channel or "sms") if party is not None else None

    async def contact(self, key: LoanKey, act: Acted, found: Found | None) -> bool:
        """Write a contact back; False where the loan has nobody whom it can have reached."""
        decision = act.order.decision
        channel = channel_of(decision.action)
        assert channel is not None
        real = act.began or (found.created_at if found else act.ordered)
        async with self.desk.take(key) as case:
            party = await _party(case, decision)
            if party is None:
                return False
            step = step_of(case, decision.step_id or "")
            sure = found is not None or channel == "letter"
            return await self._write(
                case,
                real,
                episode=await self._episode(case.conn, key, act),
                step_id=decision.step_id,
                ordinal=decision.ordinal,
                channel=channel,
                purpose="service" if decision.action in SERVICE else step.purpose if step else "collect",
                party_id=party["party_id"],
                contact_value=found.to if found else value_of(party, channel),
                state="sent" if sure else "unknown",
                template=step.template if step else None,
                language=language_of(party["language"]),
                body=found.body if isinstance(found, CarrierMessage) else None,
                carrier_id=found.carrier_id if found else None,
                reason=BACK if sure else f"{BACK}; the carrier does not know it",
                recovered={"from": "carrier" if found else "history", **act.evidence},
            )

    async def settle(self, row: Any, message: CarrierMessage) -> None:
        """Note that the carrier has a text of which it was not known."""
        key = LoanKey(row["lender_id"], row["loan_id"])
        async with self.desk.take(key) as case:
            await CONTACTS.settle(
                case.conn,
                contact_id=row["contact_id"],
                state="sent",
                carrier_id=message.carrier_id,
                error_code=None,
                reason=None,
                now=case.facts.now,
            )
            if row["episode"]:  # a reminder is no step of a case
                step = {"state": "done", "result": "sent, found at the carrier", "now": case.facts.now}
                place = {name: row[name] for name in ("episode", "step_id", "ordinal")}
                await WORK.record_step(case.conn, **_this(key), **place, **step)
            await case.journal("recovered", contact_id=row["contact_id"], step=row["step_id"], state="sent")

    async def unexplained(self, message: CarrierMessage) -> bool:
        """Write back a message of which no history tells: a reminder before a case, or a text that a case sent; False for a stranger's."""
        async with self.desk.pool.acquire() as conn:
            rows = [r async for r in RECOVERY.loans_of_number(conn, number=message.to)]
        for row in rows:
            key = LoanKey(row["lender_id"], row["loan_id"])
            if not row["has_case"]:
                await self._keep_place(key)
            async with self.desk.take(key) as case:
                day = business_date((await self.clock.mapping()).business(message.created_at), case.row.lender_zone)
                due = None
                if not row["open"]:
                    money = await money_of(case.conn, key)
                    due = reminder(money.instalments, money.entries, day, money.terms, case.row.strategy)
                    if due is None and row is not rows[-1]:
                        continue
                return await self._write(
                    case,
                    message.created_at,
                    episode=0 if due else row["episode"],
                    step_id=due.step_id if due else f"recovered-{message.carrier_id}",
                    ordinal=1,
                    channel="sms",
                    purpose="reminder" if due else "collect",
                    party_id=row["party_id"],
                    contact_value=message.to,
                    state="sent",
                    template=due.step.template if due else None,
                    language=language_of(row["language"]),
                    body=message.body,
                    carrier_id=message.carrier_id,
                    reason=f"{BACK}; no history tells of it",
                    recovered={"from": "carrier", "heard": []},
                )
        return False

    async def task(self, key: LoanKey, act: Acted) -> bool:
        """Hand out again, under the same id, a task that was handed out; False where the ledger has it."""
        decision = act.order.decision
        if act.result is None or not act.result.done.endswith(HANDED_OUT) or decision.step_id is None:
            return False
        async with self.desk.take(key) as case:
            task_id = task_id_of(case, decision.step_id, decision.ordinal)
            if act.result.standing.episode != case.facts.episode or not case.facts.open:
                return False
            if await WORK.task(case.conn, task_id=task_id) is not None:
                return False
            kind = act.result.done.removesuffix(HANDED_OUT)
            await self.office.open_task(case, kind, decision.step_id, decision.ordinal, None)
            await RECOVERY.mark_task(case.conn, task_id=task_id, recovered={"from": "history", **act.evidence})
            return True

    async def message(self, key: LoanKey, told: Told) -> bool | None:
        """Have a message absorbed again: whether it was taken; None where the ledger has it."""
        async with self.desk.take(key) as case:
            if await CASES.absorbed(case.conn, **case.this, message_id=told.message.message_id) is not None:
                return None
        ref = CaseRef(lender_id=key.lender_id, loan_id=key.loan_id)
        result = await self.absorbing.absorb(Absorb(case=ref, messages=(told.message,)))
        if told.message.kind == "record_outcome":
            await self._date_back(key, told)
        return result.answers[told.message.message_id].accepted

    async def _date_back(self, key: LoanKey, told: Told) -> None:
        async with self.desk.take(key) as case:
            at = (await self.clock.mapping()).business(told.at)
            await RECOVERY.date_back(
                case.conn,
                **_this(key),
                task_id=told.message.body["task_id"],
                began=self.recovery.began_at,
                recovered={"from": "history", **told.evidence},
                version=await self._version(case.conn, key),
                at=at,
                real=told.at,
                business_date=business_date(at, case.row.lender_zone),
            )

    async def _write(self, case: CaseInHand, real: datetime, **values: Any) -> bool:
        """The contact, its step, its line in the journal and, of a letter, its open effect."""
        at = (await self.clock.mapping()).business(real)
        contact_id = await RECOVERY.write_back(
            case.conn,
            **_this(case.key),
            **values,
            contact_id=uuid.uuid4().hex,
            version=await self._version(case.conn, case.key),
            business_date=business_date(at, case.row.lender_zone),
            at=at,
            real=real,
        )
        if contact_id is None:
            return False
        place = {name: values[name] for name in ("episode", "step_id", "ordinal")}
        if values["channel"] == "letter":
            await WORK.open_effect(case.conn, **_this(case.key), **place, kind="letter", task_id=None, now=at)
        if values["purpose"] != "reminder":
            step = {"state": "done", "result": f"{values['state']}, recovered", "now": at}
            await WORK.record_step(case.conn, **_this(case.key), **place, **step)
        await case.journal("recovered", contact_id=contact_id, step=values["step_id"], state=values["state"])
        return True

    async def _version(self, conn: Any, key: LoanKey) -> int:
        """The newest ledger version that was restored with the backup."""
        version: int = await RECOVERY.version_before(conn, **_this(key), at=self.recovery.began_at)
        return version

    async def _episode(self, conn: Any, key: LoanKey, act: Acted) -> int:
        if act.result is not None:
            return act.result.standing.episode
        episode: int = await conn.fetchval("select episode from cases where lender_id = $1 and loan_id = $2", *key)
        return episode

    async def _keep_place(self, key: LoanKey) -> None:
        """A place for the contacts of a loan that had no case, as the reminders give it."""
        from activities.reminding import SWEEP
        from ledger.strategies import strategy_for

        async with self.desk.pool.acquire() as conn, conn.transaction():
            name, version = await strategy_for(conn, key)
            await SWEEP.keep_place(
                conn,
                **_this(key),
                workflow_id=key.workflow_id,
                strategy=name,
                strategy_version=version,
                now=await self.clock.now(),
            )


async def _party(case: CaseInHand, decision: Decision) -> Any:
    step = step_of(case, decision.step_id or "")
    return await addressee(case, step.to if step else "borrower")


def _this(key: LoanKey) -> dict[str, str]:
    return {"lender_id": key.lender_id, "loan_id": key.loan_id}
