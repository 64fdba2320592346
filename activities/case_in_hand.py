"""A case taken in hand: its loan locked, its facts read, what follows from them noted, and at the end the next decision planned.

Every activity that acts on a case does it inside `Desk.take`; so the rules of the house hold in one place.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
from temporalio.exceptions import ApplicationError

from activities.contracts import Agreed, CaseRef, Made, Order, Result, Standing
from domain.acts import CALLBACK, NOTICE, REMINDER, REST, THANKS
from domain.agreed import next_checkpoint
from domain.agreements import judge_plan, judge_promise
from domain.clock import Clock, business_date, start_of
from domain.decision import Decision
from domain.facts import CaseFacts
from domain.gate import STOPPED, Defer
from domain.holds import scopes_held
from domain.ladder import REACHES_PEOPLE, in_send_window
from domain.loan import LoanKey
from domain.plan import plan
from domain.strategy import Strategy
from ledger.facts import CaseRow, load_case
from ledger.locks import lock_loan
from ledger.named import queries
from ledger.next_version import settle_cured

CASES, WORK, AGREED = queries("cases"), queries("work"), queries("agreements")


LONGEST_TASK = timedelta(seconds=30)
# The release wakes a case that waits at the stop button; each look before it costs a timer and an activity, and only sees what time brought.
AT_THE_STOP = timedelta(days=1)
HOUSE_CONTACTS = (THANKS, NOTICE, REMINDER, REST, CALLBACK)
SHOWN_CONTACTS = 3


@dataclass
class CaseInHand:
    """One case inside one transaction."""

    conn: Any
    key: LoanKey
    row: CaseRow
    facts: CaseFacts

    @property
    def this(self) -> dict[str, Any]:
        """The loan's identity, as the named queries take it."""
        return {"lender_id": self.key.lender_id, "loan_id": self.key.loan_id}

    @property
    def today(self) -> Any:
        """The lender's business date."""
        return business_date(self.facts.now, self.row.lender_zone)

    def wants(self, decision: Decision) -> bool:
        """Whether the planner, on the facts under the lock, still says so, and now.

        What was due at its planned time stays due when the send window has closed since: the window spreads what is planned, the
        gate holds the hours. Else an act planned near the window's end would be put off day after day.
        """
        planned = plan(self.facts, self.row.strategy)
        if not planned.same_step(decision) or planned.at is None:
            return False
        if planned.at <= self.facts.now or decision.at is None or decision.at > self.facts.now:
            return planned.at <= self.facts.now
        then = plan(self.facts.model_copy(update={"now": decision.at}), self.row.strategy)
        return then.same_step(decision) and then.at is not None and then.at <= decision.at

    def means(self, decision: Decision) -> bool:
        """Whether the planner still means that act, though perhaps later."""
        return plan(self.facts, self.row.strategy).same_step(decision)

    async def journal(self, kind: str, message_id: str | None = None, **data: Any) -> None:
        """Write one line of the case's story."""
        await CASES.journal(self.conn, **this_and(self), at=self.facts.now, kind=kind, message_id=message_id, data=data)

    async def record_step(
        self, step_id: str, ordinal: int, state: str, result: str | None = None, *, episode: int | None = None
    ) -> None:
        """Write what became of one attempt at a step; of this episode, unless another is named."""
        await WORK.record_step(
            self.conn,
            **self.this,
            episode=episode or self.facts.episode,
            step_id=step_id,
            ordinal=ordinal,
            state=state,
            result=result,
            now=self.facts.now,
        )

    async def reread(self) -> None:
        """Read the facts again after they changed, and note what follows from them."""
        self.row, self.facts = await _read(self.conn, self.key, self.facts.now)
        await self._note_what_follows()

    async def _note_what_follows(self) -> None:
        """A cure, a kept promise, a broken plan: they follow from the facts, whoever looks first writes them down."""
        facts, strategy = self.facts, self.row.strategy
        noted = False
        if facts.open and facts.position.cured and facts.cured_at is None:
            await CASES.note_cure(self.conn, **self.this, now=facts.now, version=self.row.ledger_version)
            await settle_cured(self.conn, self.key, facts.position, facts.now)  # a dated payment has no posting today
            await self.journal("cured", ledger_version=self.row.ledger_version)
            noted = True
        promise, agreed = facts.promise(), facts.plan()
        if promise is not None and (verdict := judge_promise(promise, facts, strategy)):
            await AGREED.end_promise(self.conn, promise_id=promise.promise_id, status=verdict, now=facts.now)
            await self.journal(f"promise_{verdict}", promise_id=promise.promise_id)
            noted = True
        if agreed is not None and (judged := judge_plan(agreed, facts, strategy)):
            await AGREED.end_plan(self.conn, plan_id=agreed.plan_id, status=judged, now=facts.now)
            await self.journal(f"plan_{judged}", plan_id=agreed.plan_id)
            noted = True
        if noted:
            self.row, self.facts = await _read(self.conn, self.key, facts.now)


def this_and(case: CaseInHand) -> dict[str, Any]:
    """The loan's identity and the episode, as most named queries take them."""
    return {**case.this, "episode": case.facts.episode}


@dataclass(frozen=True)
class Desk:
    """What activities work with: the ledger and the business clock."""

    pool: asyncpg.Pool
    clock: Clock

    @asynccontextmanager
    async def take(self, ref: CaseRef | LoanKey) -> AsyncIterator[CaseInHand]:
        """Take a case in hand for one transaction: person and loan are locked, the clock is read after that.

        Raises:
            ApplicationError: there is no such case.
        """
        key = ref if isinstance(ref, LoanKey) else ref.key
        async with self.pool.acquire() as conn, conn.transaction():
            await lock_loan(conn, key)
            case = CaseInHand(conn, key, *await _read(conn, key, await self.clock.now()))
            await case._note_what_follows()
            yield case

    async def next(self, case: CaseInHand, done: str, **more: Any) -> Result:
        """Plan from the facts just written, put the decision on record, and hand it to the workflow."""
        await case.reread()
        decision = plan(case.facts, case.row.strategy)
        closed = not case.facts.open
        wake_at = await self._record(case, decision)
        return Result(
            done=done, decision=decision, wake_at=wake_at, standing=standing(case, decision), closed=closed, **more
        )

    async def _record(self, case: CaseInHand, decision: Decision) -> datetime | None:
        """Put a decision on record, as operators read it; the real time it is for."""
        closed = not case.facts.open
        shown = None if closed else {"what": decision.action, "at": _iso(decision.at), "why": decision.why}
        await CASES.record_decision(
            case.conn, **case.this, stage="closed" if closed else decision.stage, next_step=shown
        )
        if decision.at is None:
            return None
        at = await self.clock.real(decision.at)
        # A workflow's clock stands where its task began, before this activity: what is due now must be due there, without a timer.
        return at - LONGEST_TASK if decision.at <= case.facts.now else at

    async def later(self, case: CaseInHand, order: Order, verdict: Defer, record: dict[str, Any]) -> Result:
        """The same decision, put off to the earliest time that every rule allows; the stop button keeps it until its release."""
        said = ", ".join(verdict.rules)
        until, because = verdict.until, f"{said} allows it from {verdict.until:%Y-%m-%d %H:%M} UTC"
        if STOPPED in verdict.rules:
            until, because = max(until, case.facts.now + AT_THE_STOP), f"{said} holds it until the button is released"
        until = in_send_window(case.facts.model_copy(update={"now": until}), case.row.strategy, until)
        await case.journal(
            "deferred", step=order.decision.step_id, rules=list(verdict.rules), until=_iso(until), permit=record
        )
        result = await self.next(case, f"deferred by {said}")
        return await self.put_off(case, result, order.decision, until, because)

    async def put_off(self, case: CaseInHand, result: Result, act: Decision, until: datetime, because: str) -> Result:
        """The result with its decision not before `until`, where it is that act; any other decision stands."""
        decision = result.decision
        if result.closed or not decision.same_step(act) or (decision.at is not None and decision.at >= until):
            return result
        later = decision.model_copy(update={"at": until, "why": f"{decision.why}; {because}"})
        return result.model_copy(update={"decision": later, "wake_at": await self._record(case, later)})


async def _read(conn: Any, key: LoanKey, now: datetime) -> tuple[CaseRow, CaseFacts]:
    snapshot = await load_case(conn, key, now)
    if snapshot is None:
        raise ApplicationError(
            f"loan {key} has no case in the ledger: start it with `arrears sweep`.", non_retryable=True
        )
    return snapshot.row, snapshot.facts


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def standing(case: CaseInHand, decision: Decision) -> Standing:
    """How the case stands, for operators."""
    facts, position = case.facts, case.facts.position
    oldest = position.oldest_due_on
    since = start_of(oldest + timedelta(days=1), facts.lender_zone) if oldest and position.days_past_due > 0 else None
    return Standing(
        status=status_of(facts),
        stage=decision.stage if facts.open else "closed",
        strategy=f"{case.row.strategy.name} {case.row.strategy.version}",
        country=case.row.country,
        currency=facts.currency,
        arrears=position.arrears,
        outstanding=position.outstanding,
        days_past_due=position.days_past_due,
        delinquent_since=since,
        hold_scopes=tuple(sorted(scopes_held(facts.holds, facts.now))),
        collector=case.row.collector,
        episode=facts.episode,
        promise=_promise(facts),
        plan=_plan(facts, case.row.strategy),
        contacts=_contacts(facts, case.row.strategy),
    )


def _promise(facts: CaseFacts) -> Agreed | None:
    promise = facts.promise()
    return Agreed(amount=promise.amount, paid=promise.paid, due_on=promise.due_on) if promise else None


def _plan(facts: CaseFacts, strategy: Strategy) -> Agreed | None:
    agreed = facts.plan()
    if agreed is None:
        return None
    amount = sum((i.amount for i in agreed.instalments), Decimal(0))
    return Agreed(amount=amount, paid=agreed.paid, due_on=next_checkpoint(agreed, strategy))


def _contacts(facts: CaseFacts, strategy: Strategy) -> tuple[Made, ...]:
    """The last contacts that were made."""
    reaching = {step.id for stage in strategy.stages for step in stage.steps if step.do in REACHES_PEOPLE | {"letter"}}
    made = [
        s
        for s in facts.steps
        if (s.step_id in reaching or s.step_id.startswith(HOUSE_CONTACTS))
        and s.state in {"done", "attempted"}
        and s.result not in {None, "shadow"}
    ]
    made.sort(key=lambda s: (s.ended_at or s.began_at, s.step_id, s.ordinal), reverse=True)
    return tuple(
        Made(step_id=s.step_id, on=business_date(s.ended_at or s.began_at, facts.lender_zone), result=str(s.result))
        for s in made[:SHOWN_CONTACTS]
    )


def status_of(facts: CaseFacts) -> str:
    """The status of a loan with a case (design.md 9)."""
    position = facts.position
    if position.written_off:
        return "written_off"
    if facts.open:
        return "probation" if position.cured else "delinquent"
    if position.outstanding <= 0:
        return "settled"
    return "closed" if facts.closing else "current" if position.cured else "delinquent"
