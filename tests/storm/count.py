"""Holds the ledger and the cases against the files and against what the senders were told."""

import asyncio
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from domain.loan import Entry, Instalment, LoanKey
from domain.money import plain
from ledger.case_view import case_view
from ledger.proof import prove
from ledger.stranded import lag
from tests.storm.arithmetic import Standing, stands
from tests.storm.entries import kept, wrong
from tests.storm.portfolio import CURRENCY, Portfolio
from tests.storm.sending import Sending

FIGURES = ("arrears", "outstanding", "overpaid")
AT_ONCE = 20  # cases asked
# When a case heard of each message: a message absorbed stands for those of its loan that were delivered with it.
UNHEARD = """
select count(*) from (
    select lender_id, loan_id, max(id) as last from outbox where result = 'signalled' group by 1, 2
) o where not exists (
    select from case_events v
    where v.lender_id = o.lender_id and v.loan_id = o.loan_id and v.message_id = 'outbox-' || o.last)
"""
HEARD = """
select e.entry_id, extract(epoch from min(v.recorded_at))::float as heard
from outbox o
join lateral (select o.payload ->> 'entry_id' as entry_id) e on e.entry_id is not null
join case_events v on v.lender_id = o.lender_id and v.loan_id = o.loan_id and v.message_id ~ '^outbox-[0-9]+$'
where o.result = 'signalled' and substr(v.message_id, 8)::bigint >= o.id
group by 1
"""


async def unheard(conn: Any) -> int:
    """Cases that have not absorbed the last message that was delivered to them."""
    count: int = await conn.fetchval(UNHEARD)
    return count


async def count(
    pool: Any, client: Client, portfolio: Portfolio, sending: Sending, now: datetime, days: set[date]
) -> dict[str, Any]:
    """What was sent, and every failure: a list of sentences under the name of each kind.

    `days` are the business days over which the run went; a case that slept since may have last looked on any of them.
    """
    schedule, money = portfolio.schedule(), portfolio.money()
    async with pool.acquire() as conn:
        found = await kept(conn)
        cases = await conn.fetch("select loan_id from cases where open order by 1")
        left, deaf = await lag(conn), await unheard(conn)
        heard = {r["entry_id"]: r["heard"] for r in await conn.fetch(HEARD)}
        shown = {loan: await case_view(conn, LoanKey("default", loan), now) for loan in schedule}
        proof = await prove(conn)
    known = {loan: [e for e in money.get(loan, []) if e.entry_id in sending.taken] for loan in schedule}
    failures = {
        "refused": sending.refused,
        "given up": sending.given_up,
        **wrong(found, portfolio, sending.taken),
        "positions": _positions(schedule, known, shown, now.date()),
        "cases": await _cases(client, [c["loan_id"] for c in cases], schedule, known, days),
        "unheard": [f"{deaf} cases have not absorbed what was delivered to them"] if deaf else [],
        "untold": [f"no case was told of {e['entry_id']}" for e in found.ledger if e["entry_id"] not in heard],
        "outbox": [f"{left.waiting} messages wait, {left.stranded} of them stranded"] if left.waiting else [],
        "proof": [
            f"{c['name']}: {v['kind']} {v['id']}: {v['detail']}" for c in proof["checks"] for v in c["violations"]
        ],
    }
    waits = sorted(heard[e] - at for e, at in sending.taken.items() if e in heard)
    return {
        "answers": dict(sending.answers),
        "acknowledged": len(sending.taken),
        "in the ledger": len(found.ledger),
        "in suspense": len(found.suspense),
        "open cases": len(cases),
        "entries told to cases": len(heard),
        "acknowledged to heard, median": round(median(waits), 2) if waits else None,
        "acknowledged to heard, longest": round(waits[-1], 2) if waits else None,
        "failures": failures,
    }


def _positions(
    schedule: dict[str, list[Instalment]], known: dict[str, list[Entry]], shown: dict[str, Any], today: date
) -> list[str]:
    """What `arrears case` shows, against the files alone."""
    found = []
    for loan, view in shown.items():
        sums = stands(schedule[loan], known[loan], today)
        right: dict[str, Any] = {name: plain(getattr(sums, name), CURRENCY) for name in FIGURES}
        right |= {"days_past_due": sums.days_past_due, "oldest_due_on": sums.oldest_due_on}
        found += [f"{loan}: {k} is {view[k]}, and {v} by the files" for k, v in right.items() if view[k] != v]
    return found


async def _cases(
    client: Client,
    loans: list[str],
    schedule: dict[str, list[Instalment]],
    known: dict[str, list[Entry]],
    days: set[date],
) -> list[str]:
    """What each workflow decided from last, against the files alone."""
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def ask(loan: str) -> str | None:
        async with turnstile:
            try:
                status = await client.get_workflow_handle(LoanKey("default", loan).workflow_id).query("status")
            except RPCError as error:
                return f"{loan}: its case does not answer ({error.message:.100})"
        right = [stands(schedule[loan], known[loan], day) for day in days]
        return _seen(loan, status, right)

    return [said for said in await asyncio.gather(*map(ask, loans)) if said]


def _seen(loan: str, status: Any, right: list[Standing]) -> str | None:
    if status["waiting"]:
        return f"{loan}: {status['waiting']} messages wait in its inbox"
    saw = status["latest"]["standing"]
    seen = tuple(plain(Decimal(saw[name]), CURRENCY) for name in ("arrears", "outstanding"))
    figures = [(plain(p.arrears, CURRENCY), plain(p.outstanding, CURRENCY)) for p in right]
    return None if seen in figures else f"{loan}: its case decided from {seen}, and {figures} by the files"
