"""Remedy tasks: what a payment or a hold that is known only now made wrong is listed for a person to put right."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from domain.calendars import Span
from domain.clock import business_date
from domain.holds import Scope
from domain.loan import LoanKey
from domain.remedy import STEP, Made, Wrong, held_wrong, made_wrong
from ledger.money import Money
from ledger.named import queries

REMEDIES, WORK, CASES = queries("remedies"), queries("work"), queries("cases")
DEADLINE = Span(count=5, unit="working day")


async def open_remedy(conn: Any, key: LoanKey, money: Money, *, before: int, now: datetime) -> str | None:
    """Open one task for all that the entries after version `before` made wrong; its id, None where nothing was or is to be done.

    Call it once a posting, with the loan locked, in the posting's transaction, for a loan that has a case. `money` is the loan's with
    what was just posted.
    """
    case = await REMEDIES.case_of(conn, **_this(key), step_id=STEP)
    if case is None:
        return None
    today = business_date(now, case["timezone"])
    old, new = money.until(before).entries, [e for e in money.entries if e.version > before]
    since = min((e.value_date for e in new), default=today)
    contacts = [Made(**r) async for r in REMEDIES.contacts_after(conn, **_this(key), day=since)]
    wrong = made_wrong(money.instalments, old, [*old, *new], contacts, money.terms, today)
    because = f"entry {new[0].entry_id}" if len(new) == 1 else f"{len(new)} entries"
    return await _hand_out(conn, key, case, because, wrong, now)


async def open_remedy_of_hold(
    conn: Any,
    key: LoanKey,
    hold_id: str,
    scopes: Iterable[Scope],
    since: datetime,
    now: datetime,
    value: str | None = None,
) -> str | None:
    """Open one task for all that was done on a loan inside a hold before it was known; `value` is the number or address it is on.

    Call it once a hold, with the loan locked. Returns the task's id, None where nothing was done or is to be done.
    """
    case = await REMEDIES.case_of(conn, **_this(key), step_id=STEP)
    if case is None or since >= now:
        return None
    contacts = [Made(**r) async for r in REMEDIES.contacts_since(conn, **_this(key), since=since, value=value)]
    days: dict[str, date] = {
        "first": business_date(since, case["timezone"]),
        "today": business_date(now, case["timezone"]),
    }
    fees = [r["entry_id"] async for r in REMEDIES.fees_since(conn, **_this(key), **days)] if value is None else []
    suits = (
        [r["effect_id"] async for r in REMEDIES.suits_since(conn, **_this(key), since=since)] if value is None else []
    )
    return await _hand_out(conn, key, case, f"hold {hold_id}", held_wrong(scopes, contacts, fees, suits), now)


async def _hand_out(conn: Any, key: LoanKey, case: Any, because: str, wrong: Wrong, now: datetime) -> str | None:
    if not wrong:
        return None
    listed = {name: list(ids) for name, ids in wrong._asdict().items() if ids}
    if not case["open"]:
        ids = "; ".join(f"{name.replace('_', ' ')} {', '.join(each)}" for name, each in listed.items())
        await REMEDIES.alert(conn, about=f"{key}, {because}: {ids}", now=now)
        return None
    task_id = key.task_id(case["episode"], STEP, case["ordinal"])
    step = {**_this(key), "episode": case["episode"], "step_id": STEP, "ordinal": case["ordinal"], "now": now}
    await WORK.open_effect(conn, **step, kind="task", task_id=task_id)
    await WORK.record_step(conn, **step, state="open", result=None)
    await REMEDIES.open_remedy(
        conn,
        **step,
        task_id=task_id,
        owner=case["collector"],
        deadline=DEADLINE.after(now, case["calendar"], case["timezone"]),
        data={"because": because, **listed},
    )
    said = {"task_id": task_id, "task": "remedy"}
    await CASES.journal(
        conn, **_this(key), episode=case["episode"], at=now, kind="task_opened", message_id=None, data=said
    )
    return task_id


def _this(key: LoanKey) -> dict[str, str]:
    return {"lender_id": key.lender_id, "loan_id": key.loan_id}
