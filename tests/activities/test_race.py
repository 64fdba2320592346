"""Promise 1 under race: a payment that cures, and a text that is due, for the same loan at the same time, on real PostgreSQL."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from activities.contracts import CaseRef, Order
from domain.loan import LoanKey
from ledger.pool import open_pool
from tests.activities.bench import Bench
from tests.chaos.racing import race_for_the_limit

ROUNDS, AT_ONCE = 500, 8
LIMIT_ROUNDS = 100


def number(index: int) -> str:
    return f"+1{201 + index // 100}55501{index % 100:02}"


async def after_turns(turns: int, work: Any) -> Any:
    """Begin a little later, in turns of the event loop, so that the two meet everywhere on their way."""
    for _ in range(turns):
        await asyncio.sleep(0)
    return await work


async def race(bench: Bench, order: Order, index: int) -> None:
    """One begins so many turns before the other, or both at once: then who is second to the lock waits for it."""
    send, pay = bench.contact.send_sms(order), bench.pay(order.case)
    turns = index * 7 % 120
    match index % 4:
        case 0:
            pair = [send, after_turns(turns, pay)]
        case 1:
            pair = [pay, after_turns(turns, send)]
        case 2:
            pair = [send, pay]
        case _:
            pair = [pay, send]
    await asyncio.gather(*pair)


async def race_all(bench: Bench, rounds: int) -> list[CaseRef]:
    cases = [await bench.case(phone=number(index)) for index in range(rounds)]
    decision = (await bench.due(cases[0])).decision  # the same for all
    orders = [Order(case=case, decision=decision) for case in cases]
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def one(index: int) -> None:
        async with turnstile:
            await race(bench, orders[index], index)

    await asyncio.gather(*(one(index) for index in range(rounds)))
    return cases


async def verdicts(bench: Bench, cases: list[CaseRef]) -> Counter[str]:
    """How each race ended: `sent`, `not sent`, or what must not be."""
    ended: Counter[str] = Counter()
    texts = Counter(bench.texts())
    for index, case in enumerate(cases):
        paid: Any = await bench.pool.fetchrow(
            "select ledger_version, commit_order from entries where loan_id = $1", case.loan_id
        )
        made = [c for c in await bench.contacts(case) if c["commit_order"] is not None]
        if len(made) != texts[number(index)] or len(made) > 1:
            ended["the carrier knows otherwise"] += 1
        elif not made:
            ended["not sent"] += 1
        elif made[0]["ledger_version"] < paid["ledger_version"] and made[0]["commit_order"] < paid["commit_order"]:
            ended["sent"] += 1
        else:
            ended["sent after the payment"] += 1
    return ended


async def test_a_text_either_came_before_the_payment_or_not_at_all(bench: Bench) -> None:
    ended = await verdicts(bench, await race_all(bench, ROUNDS))
    print(f"\n{ROUNDS} races of a text and the payment that cures: {dict(ended)}")
    assert set(ended) == {"sent", "not sent"}  # each wins at times, and nothing else ever happens
    assert await bench.violations() == []


async def test_without_the_locks_the_race_is_lost_and_the_proof_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unlocked(*_: Any) -> bool:
        return True

    async def unlocked_posting(conn: Any, *, loan_id: str, **_: Any) -> dict[str, Any]:
        return {"loan_id": loan_id, "known": True}

    monkeypatch.setattr("activities.case_in_hand.lock_loan", unlocked)
    monkeypatch.setattr("ledger.posting.POSTING.lock_for_posting", unlocked_posting)
    ended = await verdicts(bench, await race_all(bench, ROUNDS // 2))
    print(f"\n{ROUNDS // 2} races without locks: {dict(ended)}")
    assert ended["sent after the payment"] > 0
    assert ("quiet", "saw_old_ledger") in await bench.violations()


async def test_of_two_loans_of_one_person_one_gets_the_only_text(bench: Bench, database_url: str) -> None:
    """Two workers, each with connections of its own; `make chaos` has 1,000 of these races."""
    async with await open_pool(database_url) as other:
        ended = await race_for_the_limit(bench, other, LIMIT_ROUNDS)
    assert ended == {1: LIMIT_ROUNDS}
    assert await bench.violations() == []


async def test_without_the_lock_on_the_person_both_get_it(
    bench: Bench, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def the_loan_alone(conn: Any, key: LoanKey) -> None:
        await conn.execute("select from loans where lender_id = $1 and loan_id = $2 for no key update", *key)

    monkeypatch.setattr("activities.case_in_hand.lock_loan", the_loan_alone)
    async with await open_pool(database_url) as other:
        ended = await race_for_the_limit(bench, other, LIMIT_ROUNDS // 4)
    assert ended[2] > 0
