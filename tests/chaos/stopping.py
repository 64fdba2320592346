"""A portfolio in shadow, then let go, then stopped in the middle of a burst of texts."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from activities.contracts import CaseRef, Order
from domain.decision import Action
from ledger.stops import press_stop, release_stop
from tests.activities.bench import NOON, Bench

AT_ONCE = 8
BUTTON = {"lender_id": "default", "channel": "*", "strategy": "*"}


@dataclass(frozen=True)
class Burst:
    """What became of it.

    Attributes:
        shadowed: Contacts that were only written down, with the texts they would have been.
        heard_in_shadow: Messages that the carrier took in shadow mode.
        presses: How often the button was pressed.
        sent: Messages that the carrier took after `go`.
        put_off: Contacts that waited at the button.
        after_stop: Contacts whose commit to `sending` came after a stop's commit, and before it was released.
    """

    shadowed: int
    heard_in_shadow: int
    presses: int
    sent: int
    put_off: int
    after_stop: int

    @property
    def failures(self) -> dict[str, int]:
        """What must not be."""
        return {name: n for name, n in asdict(self).items() if name in {"heard_in_shadow", "after_stop"} and n}


async def burst(bench: Bench, loans: int, presses: int = 1) -> Burst:
    """The button is pressed each time a part of the texts is out; the last press stays."""
    pool = bench.pool
    cases = [await bench.case(phone=f"+1{201 + n // 100}55501{n % 100:02}") for n in range(loans)]
    await pool.execute("update lenders set mode = 'shadow'")
    await _send_all(bench, cases)
    shadowed = await pool.fetchval("select count(*) from contacts where state = 'shadow' and body is not null")
    heard = len(bench.texts())

    await pool.execute("update lenders set mode = 'live'")
    bench.clock.at = NOON + timedelta(days=4)
    sending = asyncio.create_task(_send_all(bench, cases))
    for number in range(1, presses + 1):
        while len(bench.texts()) - heard < loans * number // (presses + 2) and not sending.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
        async with pool.acquire() as conn:
            await press_stop(conn, **BUTTON, reason="a test")
            if number < presses:
                await asyncio.sleep(0.02)  # so that some come to the button
                await release_stop(conn, **BUTTON)
    await sending
    return Burst(
        shadowed,
        heard,
        await pool.fetchval("select count(*) from stops"),
        len(bench.texts()) - heard,
        await pool.fetchval("select count(*) from case_events where kind = 'deferred'"),
        await pool.fetchval(
            """
            select count(*) from contacts c join stops s on c.commit_order > s.commit_order
                and (s.released_order is null or c.commit_order < s.released_order)
            """
        ),
    )


async def _send_all(bench: Bench, cases: list[CaseRef]) -> None:
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def one(case: CaseRef) -> Any:
        async with turnstile:
            decision = (await bench.decide(case)).decision
            assert decision.action is Action.SEND_SMS
            await bench.contact.send_sms(Order(case=case, decision=decision))

    await asyncio.gather(*(one(case) for case in cases))
