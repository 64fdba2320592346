"""Two loans of one person, two workers, and a limit of one text a day: each wants to be the one."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from activities.case_in_hand import Desk
from activities.contact import Contact
from activities.contracts import CaseRef, Order
from activities.gate import Gatekeeper
from domain.rulebook import Rulebook
from tests.activities.bench import Bench
from tests.scenario import SENDER

AT_ONCE = 4


def limits_alone(book: Rulebook) -> Rulebook:
    """The rulebook without the rule that would have settled the race before it begins."""
    return book.model_copy(update={"rules": tuple(r for r in book.rules if r.kind == "limit")})


async def race_for_the_limit(bench: Bench, other_pool: Any, rounds: int) -> Counter[int]:
    """How many races ended with so many texts."""
    gate = Gatekeeper({name: limits_alone(book) for name, book in Gatekeeper().known.items()})
    workers = [
        Contact(Desk(pool, bench.clock), gate, bench.carrier, SENDER, timedelta(milliseconds=10))
        for pool in (bench.pool, other_pool)
    ]
    pairs = [await _two_loans(bench, n) for n in range(rounds)]
    decision = (await bench.due(pairs[0][0])).decision  # the same for all
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def one(pair: tuple[CaseRef, CaseRef], number: int) -> None:
        async with turnstile:
            ordered = workers if number % 2 else workers[::-1]
            orders = [Order(case=case, decision=decision) for case in pair]
            await asyncio.gather(*(w.send_sms(o) for w, o in zip(ordered, orders, strict=True)))

    await asyncio.gather(*(one(pair, number) for number, pair in enumerate(pairs)))
    texts = Counter(bench.texts())
    return Counter(texts[_number(n)] for n in range(rounds))


async def _two_loans(bench: Bench, number: int) -> tuple[CaseRef, CaseRef]:
    person, phone = f"P-{number}", _number(number)
    return await bench.case(phone=phone, borrower=person), await bench.case(phone=phone, borrower=person)


def _number(index: int) -> str:
    return f"+1{201 + index // 100}55501{index % 100:02}"
