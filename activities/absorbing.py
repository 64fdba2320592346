"""Takes messages in: each becomes facts in the ledger, in the order it came, once; then the case decides anew."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import asyncpg
from pydantic import ValidationError
from temporalio import activity

from activities import outcome as outcomes
from activities.case_in_hand import AGREED, CASES, WORK, CaseInHand, Desk
from activities.contracts import ABSORB, Absorb, Message, Result
from activities.gate import CONTACTS
from activities.holding import hold, place_hold, raise_dispute, release_hold, resolve_dispute
from domain import messages as said
from domain.agreements import check_plan, check_promise
from domain.decision import Decision
from domain.errors import BadInput, first_fault
from domain.facts import Plan, PlanInstalment
from domain.ladder import RETRY_FAILED_AFTER
from ledger.tracing import KEY as TRACE
from ledger.tracing import span

# What a value raises that the ledger cannot hold; a ledger that is away raises other errors, and is tried again.
UNKEEPABLE = (ValueError, ArithmeticError, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


class Absorbing:
    """Messages become facts."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @activity.defn(name=ABSORB)
    async def absorb(self, told: Absorb) -> Result:
        """Write what was told, answer who waits, and decide. What is refused changes nothing; the other messages stand."""
        refused: dict[str, str | None] = {}
        async with self.desk.take(told.case) as case:
            for n, message in enumerate(told.messages):
                if n:  # the first finds what was just read, and `next` reads after the last
                    await case.reread()
                with span(f"absorb {message.kind}", message.body.get(TRACE), workflow_id=case.key.workflow_id):
                    refused[message.message_id] = await _absorb_one(case, message)
            result = await self.desk.next(case, _summary(told.messages))
            for message in told.messages:
                if message.kind == "step_failed":
                    act = Decision.model_validate({k: v for k, v in message.body.items() if k != "reason"})
                    until = case.facts.now + RETRY_FAILED_AFTER
                    result = await self.desk.put_off(case, result, act, until, "tried again later")
        decision = result.decision
        next_step = {"what": decision.action, "at": decision.at, "why": decision.why} if not result.closed else None
        answers = {
            m.message_id: said.Answer(
                accepted=refused[m.message_id] is None, reason=refused[m.message_id], next_step=next_step
            )
            for m in told.messages
            if m.kind in said.UPDATES
        }
        return result.model_copy(update={"answers": answers})


def _summary(messages: tuple[Message, ...]) -> str:
    kinds = dict.fromkeys(m.kind.replace("_", " ") for m in messages)
    return f"took in {', '.join(kinds)}"


async def _absorb_one(case: CaseInHand, message: Message) -> str | None:
    """Absorb one message in a transaction of its own; the reason where it is refused."""
    before = await CASES.absorbed(case.conn, **case.this, message_id=message.message_id)
    if before is not None:
        refused: str | None = before.get("refused")
        return refused
    reason: str | None = None
    try:
        async with case.conn.transaction():
            await _handle(case, message)
    except BadInput as error:
        reason = str(error)
    except ValidationError as error:
        field, fault = first_fault(error)
        reason = f"{message.kind}, field {field or 'body'}: {fault}."
    except UNKEEPABLE:
        # Tried for ever it would leave the case deaf.
        reason = f"{message.kind} holds a value that the ledger cannot keep: correct its texts, numbers and dates."
    about = _keepable(
        {"refused": reason, "body": {k: v for k, v in message.body.items() if v is not None and k != TRACE}}
    )
    await case.journal(message.kind, message_id=message.message_id, **about)
    return reason


def _keepable(value: Any) -> Any:
    """The same without the one character that PostgreSQL's JSON refuses."""
    match value:
        case str():
            return value.replace("\x00", "\ufffd")
        case dict():
            return {_keepable(k): _keepable(v) for k, v in value.items()}
        case list() | tuple():
            return [_keepable(v) for v in value]
    return value


async def _handle(case: CaseInHand, message: Message) -> None:
    if message.kind in said.UPDATES:
        if not case.facts.open:
            raise BadInput(f"the case of loan {case.key.loan_id} is closed: nothing more can be told to it.")
        body = said.UPDATES[message.kind].model_validate(message.body)
        await HANDLERS[message.kind](case, _id_of(case, message), body)
    elif message.kind == "step_failed":
        await _step_failed(case, message)
    elif message.kind == "reply_received" and message.body.get("about") == "promise":
        # Said to a machine; it counts within the same limits as one that is said to a person.
        said_so = {"amount": message.body.get("amount"), "due_on": message.body.get("due_on"), "channel": "voice"}
        await promise_to_pay(case, _id_of(case, message), said.PromiseToPay.model_validate(said_so))


def _id_of(case: CaseInHand, message: Message) -> str:
    """The id of what a message brings about. Senders number their messages as they like, so two loans may hear of the same number."""
    return uuid5(NAMESPACE_URL, f"{case.key} {message.message_id}").hex


async def _step_failed(case: CaseInHand, message: Message) -> None:
    """An activity failed for good. A contact that was already committed counts; anything else may be tried again."""
    step_id, ordinal = message.body.get("step_id"), int(message.body.get("ordinal", 1))
    if step_id is None or message.body.get("effect_id") is not None:
        return
    key = {**case.this, "episode": case.facts.episode, "step_id": step_id, "ordinal": ordinal}
    contact = await CONTACTS.contact_of_step(case.conn, **key)
    if contact is not None and contact["state"] == "sending":
        await CONTACTS.settle(
            case.conn,
            contact_id=contact["contact_id"],
            state="unknown",
            carrier_id=None,
            error_code=None,
            reason="the worker did not report",
            now=case.facts.now,
        )
        await case.record_step(step_id, ordinal, "done", "unknown: it counts and is not sent again")
    else:
        await case.record_step(step_id, ordinal, "failed", str(message.body.get("reason")))


# --- what people tell ---


async def promise_to_pay(case: CaseInHand, message_id: str, body: said.PromiseToPay) -> None:
    """A promise, within the strategy's limits; a new one takes the place of the open one."""
    facts = case.facts
    check_promise(body.amount, (body.due_on - case.today).days, facts, case.row.strategy)
    open_one = facts.promise()
    if open_one is not None:
        await AGREED.end_promise(case.conn, promise_id=open_one.promise_id, status="superseded", now=facts.now)
    await AGREED.add_promise(
        case.conn,
        **case.this,
        episode=facts.episode,
        promise_id=message_id,
        amount=body.amount,
        due_on=body.due_on,
        now=facts.now,
        version=case.row.ledger_version,
        captured_by=body.by,
    )


async def agree_plan(case: CaseInHand, message_id: str, body: said.AgreePlan) -> None:
    """A plan, within the strategy's limits; it takes the place of an open promise, and of an earlier plan."""
    facts = case.facts
    dates = tuple(PlanInstalment(due_on=i.due_on, amount=i.amount) for i in body.instalments)
    agreed = Plan(plan_id=message_id, instalments=dates, status="active", agreed_at=facts.now)
    approved = body.by is not None and body.approved_by is not None and body.approved_by != body.by
    check_plan(agreed, facts, case.row.strategy, approved)
    for old in facts.plans:
        await AGREED.end_plan(case.conn, plan_id=old.plan_id, status="superseded", now=facts.now)
    for promise in facts.promises:
        await AGREED.end_promise(case.conn, promise_id=promise.promise_id, status="superseded", now=facts.now)
    await AGREED.add_plan(
        case.conn,
        **case.this,
        episode=facts.episode,
        plan_id=message_id,
        instalments=[i.model_dump(mode="json") for i in dates],
        now=facts.now,
        version=case.row.ledger_version,
        agreed_by=body.by,
        approved_by=body.approved_by,
    )


async def _approve(case: CaseInHand, message_id: str, body: said.Approve) -> None:
    if body.waive is not None:
        stage = case.row.strategy.stage_of(body.waive)
        if stage is None:
            raise BadInput(f"step {body.waive!r} is not in strategy {case.row.strategy.name}: nothing to waive.")
        await case.record_step(body.waive, case.facts.next_ordinal(body.waive), "waived", f"waived by {body.by}")
        return
    task = await WORK.task(case.conn, task_id=body.task_id)
    if task is None or (task["lender_id"], task["loan_id"]) != tuple(case.key) or task["status"] != "answered":
        raise BadInput(f"task {body.task_id!r} of loan {case.key.loan_id} does not wait for an approval.")
    if task["answered_by"] == body.by:
        raise BadInput(f"task {body.task_id} was answered by {body.by}: a second person must approve it.")
    await outcomes.finish(case, task, approved_by=body.by)


async def _reassign(case: CaseInHand, message_id: str, body: said.Reassign) -> None:
    if body.task_id is None:
        await CASES.hand_to(case.conn, **case.this, collector=body.to)
    else:
        await WORK.reassign_task(case.conn, **case.this, task_id=body.task_id, owner=body.to)


async def _close_case(case: CaseInHand, message_id: str, body: said.CloseCase) -> None:
    await CASES.ask_to_close(case.conn, **case.this, reason=body.reason)


async def _record_outcome(case: CaseInHand, message_id: str, body: said.RecordOutcome) -> None:
    await outcomes.record(case, message_id, body, place_hold=hold, promise=promise_to_pay, agree=agree_plan)


Handler = Callable[[CaseInHand, str, Any], Awaitable[None]]
HANDLERS: dict[str, Handler] = {
    "record_outcome": _record_outcome,
    "promise_to_pay": promise_to_pay,
    "agree_plan": agree_plan,
    "place_hold": place_hold,
    "release_hold": release_hold,
    "raise_dispute": raise_dispute,
    "resolve_dispute": resolve_dispute,
    "approve": _approve,
    "reassign": _reassign,
    "close_case": _close_case,
}
