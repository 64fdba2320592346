"""What a task brought: the contact it was, what it means for its step, and what it sets off."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from activities.case_in_hand import WORK, CaseInHand
from activities.gate import CONTACTS
from activities.office import step_of
from activities.reaching import addressee, value_of
from domain.errors import BadInput
from domain.messages import AgreePlan, PromiseToPay, RecordOutcome, Spent
from domain.outcomes import Consequence, Outcome, codes_of

Sets = Callable[..., Awaitable[None]]
AGREED = frozenset({"amount", "due_on", "instalments"})
PAID, TOLD_OF_MONEY = (
    frozenset({"RPC_PAID_NOW", "CASH_COLLECTED"}),
    frozenset({"amount"}),
)  # kept; it counts once it is posted
REACHES = {"call": "call", "callback": "call", "visit": "visit"}


async def record(
    case: CaseInHand, message_id: str, body: RecordOutcome, *, place_hold: Sets, promise: Sets, agree: Sets
) -> None:
    """Take an outcome in. The dependencies are what it may set off.

    Raises:
        BadInput: the task is not open, the code is none of its kind, or what the code promises is not allowed.
    """
    task = await WORK.task(case.conn, task_id=body.task_id)
    outcome = _checked(case, task, body)
    if outcome.is_attempt and task["kind"] in REACHES:
        await _record_contact(case, task, body, outcome)
    await _agreed(case, message_id, body, outcome, promise, agree)
    await _set_off(case, message_id, task, body, outcome, place_hold)
    answered = {"task_id": task["task_id"], "outcome": body.code, "data": body.data, "answered_by": body.by}
    if task["approval"] and body.code == "APPROVED":
        await WORK.answer_task(case.conn, **answered, status="answered", approved_by=None, now=case.facts.now)
        return
    await WORK.answer_task(case.conn, **answered, status="done", approved_by=None, now=case.facts.now)
    await _end(case, task, body.code, _step_state(outcome))


async def finish(case: CaseInHand, task: Any, approved_by: str) -> None:
    """A second person agreed: the task and its step are done."""
    await WORK.answer_task(
        case.conn,
        task_id=task["task_id"],
        status="done",
        outcome=task["outcome"],
        data=task["data"],
        answered_by=task["answered_by"],
        approved_by=approved_by,
        now=case.facts.now,
    )
    await _end(case, task, task["outcome"], "done")


def _checked(case: CaseInHand, task: Any, body: RecordOutcome) -> Outcome:
    if task is None or (task["lender_id"], task["loan_id"]) != tuple(case.key):
        raise BadInput(
            f"task {body.task_id!r} is not one of loan {case.key.loan_id}: `arrears tasks` lists what is open."
        )
    if task["status"] != "open":
        because = f" ({task['end_reason']})" if task["end_reason"] else ""
        raise BadInput(f"task {body.task_id} is {task['status']}{because}: it takes no outcome any more.")
    if task["approval"] and not body.by:
        raise BadInput(f"task {body.task_id} needs a second person's approval: say in `by` who answers it.")
    codes = codes_of(task["kind"])
    if body.code not in codes:
        raise BadInput(f"{body.code!r} is no outcome of a {task['kind']} task: use one of {', '.join(codes)}.")
    return codes[body.code]


def _step_state(outcome: Outcome) -> str:
    if outcome.consequence in {Consequence.WRONG_NUMBER, Consequence.DEAD_NUMBER}:
        return "impossible"
    return "done" if outcome.ends_step else "attempted"


async def _end(case: CaseInHand, task: Any, code: str, state: str) -> None:
    await WORK.end_effect_of_task(case.conn, **case.this, task_id=task["task_id"], reason=code, now=case.facts.now)
    await case.record_step(task["step_id"], task["ordinal"], state, code, episode=task["episode"])


async def _record_contact(case: CaseInHand, task: Any, body: RecordOutcome, outcome: Outcome) -> None:
    channel = REACHES[task["kind"]]
    step = step_of(case, task["step_id"])
    party = await addressee(case, step.to if step else "borrower") or await addressee(case)
    spent = Spent.model_validate({k: v for k, v in body.data.items() if k in Spent.model_fields})
    await CONTACTS.record_by_hand(
        case.conn,
        **case.this,
        contact_id=uuid.uuid4().hex,
        episode=task["episode"],
        step_id=task["step_id"],
        ordinal=task["ordinal"],
        channel=channel,
        purpose=step.purpose if step else "reply" if task["kind"] == "callback" else "collect",
        party_id=party["party_id"],
        contact_value=value_of(party, channel),
        permit=task["permit"],
        version=case.row.ledger_version,
        business_date=case.today,
        now=case.facts.now,
        outcome=body.code,
        connected=outcome.connected,
        effective=outcome.rpc,
        conversation=outcome.conversation,
        cost=spent.cost,
        minutes=spent.minutes,
    )


async def _agreed(
    case: CaseInHand, message_id: str, body: RecordOutcome, outcome: Outcome, promise: Sets, agree: Sets
) -> None:
    """A promise or a plan. What would be one, or money, under another code is refused: nobody would read it there."""
    terms = {"by": body.by} | {k: v for k, v in body.data.items() if k not in Spent.model_fields}
    match outcome.consequence:
        case Consequence.PROMISE if body.data:
            await promise(case, f"{message_id}-promise", PromiseToPay.model_validate(terms))
        case Consequence.PROMISE:
            raise BadInput(f"{body.code} needs data: the amount promised and due_on, the day it is promised for.")
        case Consequence.PLAN if terms.keys() - {"by"}:
            await agree(case, f"{message_id}-plan", AgreePlan.model_validate(terms))
        case Consequence.PLAN:
            pass  # its instalments are told by agree_plan, or somebody is asked for them
        case _ if unread := sorted((AGREED - (TOLD_OF_MONEY if body.code in PAID else set())) & set(body.data)):
            raise BadInput(
                f"{body.code} reads no {unread[0]}: leave it out; money is posted as a payment, a promise is told by RPC_PTP or"
                " PTP, a plan by RPC_PLAN or agree_plan."
            )


async def _set_off(
    case: CaseInHand, message_id: str, task: Any, body: RecordOutcome, outcome: Outcome, place_hold: Sets
) -> None:
    match outcome.consequence:
        case Consequence.HOLD:
            assert outcome.hold is not None
            await place_hold(case, f"{message_id}-hold", outcome.hold, source=body.by or "outcome")
        case Consequence.WRONG_NUMBER | Consequence.DEAD_NUMBER:
            await _mark_number(case, "wrong" if outcome.consequence is Consequence.WRONG_NUMBER else "dead")
        case Consequence.SUIT_FILED:
            await WORK.open_effect(
                case.conn,
                **case.this,
                episode=task["episode"],
                step_id=task["step_id"],
                ordinal=task["ordinal"],
                kind="suit",
                task_id=None,
                now=case.facts.now,
            )


async def _mark_number(case: CaseInHand, status: str) -> None:
    party = await addressee(case)
    await CONTACTS.mark_point(
        case.conn,
        lender_id=case.key.lender_id,
        party_id=party["party_id"],
        value=value_of(party, "call"),
        status=status,
    )
