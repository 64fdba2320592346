"""Starts cases: the row first, under the loan's lock; then the workflow, which may exist already."""

from datetime import date, datetime
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.case_in_hand import Desk, standing
from activities.contracts import CASES as CASES_QUEUE
from activities.contracts import SWEEP, CaseRef, SweepRequest, SweepResult
from activities.contracts.attributes import at_start
from activities.contracts.state import CaseState
from activities.walking import place, walk
from domain.clock import business_date
from domain.loan import LoanKey
from domain.plan import plan
from domain.reminder import days_ahead
from ledger.locks import lock_loan
from ledger.money import position_of
from ledger.named import queries
from ledger.strategies import pinned, strategy_for
from ledger.suspense import match_each

CASES, WALKS = queries("cases"), queries("sweep")


class Opening:
    """Finds loans that are past due and have no case, and gives them one."""

    def __init__(self, desk: Desk, client: Client) -> None:
        self.desk = desk
        self.client = client

    @activity.defn(name=SWEEP)
    async def start_due_cases(self, request: SweepRequest) -> SweepResult:
        """Start the cases that are due, on one page of loans. A page done twice starts nothing twice; a broken one goes on where it was."""
        after_lender, after_loan, started = place(request)
        now = await self.desk.clock.now()
        if request.after is None:
            await match_each(self.desk.pool, self.desk.clock)  # money that came before its loan
        async with self.desk.pool.acquire() as conn:
            rows = CASES.due_loans(
                conn,
                after_lender=after_lender,
                after_loan=after_loan,
                lender=request.lender_id,
                loan=request.loan_id,
                today=furthest_date(now),  # each loan's own decides below
                page=request.page,
            )
            found = [(LoanKey(r["lender_id"], r["loan_id"]), r["has_case"]) async for r in rows]
        has_case = dict(found)

        async def begin(key: LoanKey) -> int:
            if not has_case[key]:
                return await self.open(key)
            await self.start(
                key
            )  # whoever opened it may have died before the start; a workflow that runs is left alone
            return 0

        started = await walk(self.desk, list(has_case), begin, started)
        last = found[-1][0] if len(found) == request.page else None
        if last is not None:
            return SweepResult(started=started, after=(last.lender_id, last.loan_id))
        async with self.desk.pool.acquire() as conn:
            whole = request.loan_id is None
            return SweepResult(
                started=started,
                charges=whole and await WALKS.anybody_charges(conn, lender=request.lender_id),
                reminds=whole and await furthest(conn) > 0,
            )

    async def open(self, key: LoanKey) -> bool:
        """Open the case of a loan that is past due; False where there is nothing to collect, or a case already."""
        async with self.desk.pool.acquire() as conn, conn.transaction():
            await lock_loan(conn, key)
            if not await self._due(conn, key):
                return False
            name, version = await strategy_for(conn, key)
            await CASES.open_case(
                conn,
                lender_id=key.lender_id,
                loan_id=key.loan_id,
                workflow_id=key.workflow_id,
                strategy=name,
                strategy_version=version,
                now=await self.desk.clock.now(),
            )
        await self.start(key)
        return True

    async def _due(self, conn: Any, key: LoanKey) -> bool:
        row = await conn.fetchrow(
            """
            select coalesce(c.open, false) as open, l.status, b.timezone,
                case when c.closing is not null and c.cured_at is null then c.closed_at end as left_alone_at
            from loans l join lenders b using (lender_id)
            left join cases c using (lender_id, loan_id) where l.lender_id = $1 and l.loan_id = $2
            """,
            *key,
        )
        if row is None or row["open"] or row["status"] != "active":
            return False
        stands = await position_of(conn, key, business_date(await self.desk.clock.now(), row["timezone"]))
        if stands.cured or row["left_alone_at"] is None:
            return not stands.cured
        # Somebody closed the case over what was past due then: that is not chased again, only what fell due since, once the rest is paid.
        closed_on = business_date(row["left_alone_at"], row["timezone"])
        return stands.oldest_due_on is not None and stands.oldest_due_on > closed_on

    async def start(self, key: LoanKey) -> None:
        """Start the workflow of a case that has its row; a running one is left alone."""
        async with self.desk.take(key) as case:
            attributes = at_start(key.lender_id, standing(case, plan(case.facts, case.row.strategy)))
        await self.client.start_workflow(
            "CollectionCase",
            CaseState(case=CaseRef(lender_id=key.lender_id, loan_id=key.loan_id)),
            id=key.workflow_id,
            task_queue=CASES_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=attributes,
            static_summary=f"Loan {key}",
            static_details=f"Collects loan `{key.loan_id}` of lender `{key.lender_id}`. Names and numbers stay in the ledger.",
        )


def furthest_date(now: datetime) -> date:
    """The latest date that it is anywhere."""
    return business_date(now, "Pacific/Kiritimati")


async def furthest(conn: Any) -> int:
    """How many days before a due date any strategy speaks of it that loans without an open case keep to or would get; 0 where none does."""
    rows = [r async for r in WALKS.reminding_strategies(conn)]
    return max([days_ahead(await pinned(conn, r["name"], r["version"], r["digest"])) for r in rows], default=0)
