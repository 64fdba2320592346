"""Activities that touch nothing but the ledger: decide, judge, begin an episode, close."""

from temporalio import activity

from activities.case_in_hand import CASES, WORK, CaseInHand, Desk
from activities.contracts import DECIDE, CaseRef, Order, Result
from activities.gate import CONTACTS
from domain.acts import LASTING
from domain.calendars import Span
from domain.decision import Action

NOT_ANY_MORE = "overtaken by events"
LASTING_DEADLINE = Span(count=5, unit="working day")


class Reckoning:
    """Decisions and judgements; they run as local activities, one event each."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @activity.defn(name=DECIDE)
    async def decide(self, ref: CaseRef) -> Result:
        """The first decision of a case. Where a workflow was lost, nobody waits any more for what it had on its way."""
        async with self.desk.take(ref) as case:
            await _give_up_waiting(case)
            return await self.desk.next(case, "case opened")

    @activity.defn(name=Action.RECONSIDER.value)
    async def reconsider(self, order: Order) -> Result:
        """Time has brought something: look again."""
        async with self.desk.take(order.case) as case:
            return await self.desk.next(case, "looked again")

    @activity.defn(name=Action.JUDGE_PROMISE.value)
    async def judge_promise(self, order: Order) -> Result:
        """A promise's day and grace are over. Taking the case in hand has judged it."""
        async with self.desk.take(order.case) as case:
            verdict = next((p.status for p in case.facts.promises if p.promise_id == order.decision.subject_id), "gone")
            return await self.desk.next(case, f"promise {verdict.replace('_', '-')}")

    @activity.defn(name=Action.JUDGE_PLAN.value)
    async def judge_plan(self, order: Order) -> Result:
        """A plan's date and grace are over. Taking the case in hand has judged it."""
        async with self.desk.take(order.case) as case:
            verdict = next((p.status for p in case.facts.plans if p.plan_id == order.decision.subject_id), "gone")
            return await self.desk.next(case, f"plan {verdict}")

    @activity.defn(name=Action.MISS_DEADLINE.value)
    async def miss_deadline(self, order: Order) -> Result:
        """Nobody answered a task in time. Work that lasts gets a new deadline; other work counts as tried."""
        async with self.desk.take(order.case) as case:
            if not case.wants(order.decision):
                return await self.desk.next(case, NOT_ANY_MORE)
            task = next(t for t in case.facts.tasks if t.task_id == order.decision.subject_id)
            await case.journal("deadline_missed", task_id=task.task_id, task=task.kind)
            if task.kind in LASTING:
                deadline = LASTING_DEADLINE.after(case.facts.now, case.row.strategy.calendar, case.row.lender_zone)
                await WORK.extend_task(case.conn, task_id=task.task_id, deadline=deadline)
            else:
                await WORK.end_task(
                    case.conn, task_id=task.task_id, status="missed", reason="no answer in time", now=case.facts.now
                )
                await WORK.end_effect_of_task(
                    case.conn, **case.this, task_id=task.task_id, reason="missed", now=case.facts.now
                )
                await case.record_step(task.step_id, task.ordinal, "missed", "no answer in time", episode=task.episode)
            return await self.desk.next(case, f"{task.kind} task missed its deadline")

    @activity.defn(name=Action.BEGIN_EPISODE.value)
    async def begin_episode(self, order: Order) -> Result:
        """Past due again after a cure. A returned payment goes on where the case was; new arrears start afresh."""
        async with self.desk.take(order.case) as case:
            if not case.wants(order.decision):
                return await self.desk.next(case, NOT_ANY_MORE)
            relapse = await _why_it_fell_back(case)
            facts = case.facts
            await CASES.begin_episode(
                case.conn,
                **case.this,
                episode=facts.episode + 1,
                chain_from=facts.episode + 1 if relapse == "arrears" else facts.chain_from,
                relapse=relapse,
                now=facts.now,
            )
            await case.journal("episode_began", number=facts.episode + 1, relapse=relapse)
            return await self.desk.next(case, f"episode {facts.episode + 1} began: {relapse}")

    @activity.defn(name=Action.CLOSE_CASE.value)
    async def close_case(self, order: Order) -> Result:
        """The end: nothing is past due, the probation is over, nothing stands open."""
        async with self.desk.take(order.case) as case:
            if not case.wants(order.decision):
                return await self.desk.next(case, NOT_ANY_MORE)
            await CASES.close_case(case.conn, **case.this, now=case.facts.now)
            await case.journal("closed", why=order.decision.why)
            return await self.desk.next(case, "case closed")


async def _give_up_waiting(case: CaseInHand) -> None:
    """A contact whose answer never came counts, and is not sent again."""
    for contact in [r async for r in CONTACTS.on_their_way(case.conn, **case.this)]:
        await CONTACTS.settle(
            case.conn,
            contact_id=contact["contact_id"],
            state="unknown",
            carrier_id=None,
            error_code=None,
            reason="the workflow that waited for the answer is gone",
            now=case.facts.now,
        )
        await case.record_step(contact["step_id"], contact["ordinal"], "done", "unknown", episode=contact["episode"])


async def _why_it_fell_back(case: CaseInHand) -> str:
    """`bounce` or `misposted` where a payment that stood at the cure was reversed since, else new `arrears`."""
    version = await case.conn.fetchval(
        "select coalesce(cured_version, 0) from cases where lender_id = $1 and loan_id = $2", *case.key
    )
    reason: str | None = await CASES.reversal_reason(case.conn, **case.this, version=version, today=case.today)
    return reason or "arrears"
