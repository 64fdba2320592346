"""The core system's balances: loans that begin with one, and those whose balance is held against ours."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from domain.clock import Clock
from domain.loan import Entry, EntryKind, EntryStatus, Instalment, LoanKey
from domain.position import Position, position
from ledger import outbox
from ledger.named import queries
from ledger.tape.core import place_hold
from ledger.terms import terms_of_loans

BALANCES, TAPE, AGREED, PROOF = queries("balances"), queries("tape"), queries("agreements"), queries("proof")
STEP = "house-reconcile-balance"
ANSWERED_WITHIN = timedelta(days=7)
LOANS_AT_ONCE = 1000


class _Waiting(NamedTuple):
    """What stands because a balance did not agree: the hold on each loan, and the loans that somebody has a task about."""

    holds: dict[LoanKey, str]
    tasks: set[LoanKey]


async def begin_loans(conn: Any, clock: Clock) -> None:
    """Begin the loans of which the ledger has nothing with what the core says that they owe, in the entries `opening/...`.

    The arrears fall due on their day. The rest is owed and never falls due by itself: its instalments are the tape's to give.
    """
    await BALANCES.balances_came(conn, now=await clock.now())
    await BALANCES.loans_to_begin(conn)
    await BALANCES.begin_in_mid_life(conn)
    await BALANCES.note_begun(conn)


async def give_way_to_schedules(conn: Any) -> None:
    """Take back the rest of the opening balances of loans whose instalments came: the schedule says now when it falls due."""
    if await BALANCES.anybody_began(conn):
        await BALANCES.schedules_came(conn)
        await BALANCES.take_rests_back(conn)
        await BALANCES.note_taken_back(conn)


async def compare(conn: Any, clock: Clock) -> int:
    """Hold the newest balance of each loan of the file against our position on its day; returns how many differ.

    A difference above the lender's `balance_tolerance` holds contact on the loan and asks a person; a balance that agrees ends both.
    """
    now = await clock.now()
    await BALANCES.newest_balances(conn)
    waiting = _Waiting(
        {_key(r): r["hold_id"] async for r in BALANCES.standing_mismatches(conn)},
        {_key(r) async for r in BALANCES.waiting_reconciliations(conn)},
    )
    differing = 0
    async for row, stands in _positions(conn):
        if differs(row, stands):
            differing += 1
            await _question(conn, row, stands, waiting, now)
        elif _key(row) in waiting.holds or _key(row) in waiting.tasks:
            await _agree(conn, _key(row), waiting, now)
    return differing


def differs(balance: Any, stands: Position) -> bool:
    """Whether a balance and our position are further apart than the lender tolerates; a day is compared where both give one."""
    tolerated: Decimal = balance["balance_tolerance"]
    theirs, ours = balance["oldest_due_on"], stands.oldest_due_on
    return (
        abs(balance["outstanding"] - stands.outstanding) > tolerated
        or abs(balance["arrears"] - stands.arrears) > tolerated
        or (theirs is not None and ours is not None and theirs != ours)
    )


async def _positions(conn: Any) -> AsyncIterator[tuple[Any, Position]]:
    """Each balance to compare, with our position at the end of its day."""
    after = 0
    while rows := [r async for r in BALANCES.compared(conn, after=after, most=LOANS_AT_ONCE)]:
        both = [r["lender_id"] for r in rows], [r["loan_id"] for r in rows]
        instalments: dict[LoanKey, list[Instalment]] = {}
        for r in await conn.fetch(PROOF.instalments_of_loans.sql, *both):
            instalments.setdefault(_key(r), []).append(Instalment(*(r[name] for name in Instalment._fields)))
        terms = await terms_of_loans(conn, *both)
        entries: dict[LoanKey, list[Entry]] = {}
        for r in await conn.fetch(PROOF.entries_of_loans.sql, *both):
            values = {name: r[name] for name in Entry._fields}
            values |= {"kind": EntryKind(r["kind"]), "status": EntryStatus(r["status"])}
            entries.setdefault(_key(r), []).append(Entry(**values))
        for row in rows:
            key = _key(row)
            yield row, position(instalments.get(key, ()), entries.get(key, ()), row["as_of"], terms[key])
        after = rows[-1]["place"]


async def _question(conn: Any, row: Any, stands: Position, waiting: _Waiting, now: datetime) -> None:
    """Stop what collects, and ask a person, each once while the difference lasts."""
    key = _key(row)
    data = {
        "as_of": row["as_of"].isoformat(),
        "core": _said(row["outstanding"], row["arrears"], row["oldest_due_on"]),
        "ledger": _said(stands.outstanding, stands.arrears, stands.oldest_due_on),
    }
    if key not in waiting.holds:
        await place_hold(conn, key, "balance_mismatch", now)
        await TAPE.journal_of_feed(conn, **key._asdict(), now=now, kind="balance_differs", data=data)
        await _tell(conn, key, "balance_differs")
    if key in waiting.tasks:
        await BALANCES.update_question(conn, **key._asdict(), data=data)
        return
    place = await BALANCES.place_in_journal(conn, **key._asdict(), step_id=STEP)
    episode, ordinal = place["episode"] or 1, place["tasks"] + 1
    await BALANCES.ask_to_reconcile(
        conn,
        **key._asdict(),
        task_id=key.task_id(episode, STEP, ordinal),
        episode=episode,
        step_id=STEP,
        ordinal=ordinal,
        now=now,
        deadline=now + ANSWERED_WITHIN,
        data=data,
    )


async def _agree(conn: Any, key: LoanKey, waiting: _Waiting, now: datetime) -> None:
    if key in waiting.holds:
        await AGREED.release_hold(conn, hold_id=waiting.holds[key], now=now)
        await TAPE.journal_of_feed(conn, **key._asdict(), now=now, kind="balance_agrees", data={})
    await BALANCES.end_reconciliation(conn, **key._asdict(), now=now)
    await _tell(conn, key, "balance_agrees")


async def _tell(conn: Any, key: LoanKey, about: str) -> None:
    place = await BALANCES.place_in_journal(conn, **key._asdict(), step_id=STEP)
    if place["open"]:
        await outbox.add(conn, key, "ledger_changed", {"about": about})


def _said(outstanding: Decimal, arrears: Decimal, oldest: Any) -> dict[str, str | None]:
    return {
        "outstanding": f"{outstanding:f}",
        "arrears": f"{arrears:f}",
        "oldest_due_on": oldest.isoformat() if oldest else None,
    }


def _key(row: Any) -> LoanKey:
    return LoanKey(row["lender_id"], row["loan_id"])
