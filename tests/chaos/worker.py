"""The worker of a chaos run, a process that is killed: it carries out orders to their end, as Temporal would have it do."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

from activities.case_in_hand import Desk
from activities.contact import Contact
from activities.contracts import Order, Result
from activities.gate import Gatekeeper
from channels.twilio_sms import TwilioSms
from domain.decision import Action
from ledger.pool import open_pool
from tests.activities.bench import Clock
from tests.chaos import orders, switches
from tests.chaos.deaths import Deaths, contact_under_way
from tests.scenario import SENDER

AT_ONCE = 4
TWICE_IN = 5  # one order in so many is carried out by two at once, as when Temporal has given up one who lives
MOST_TRIES = 30  # of one worker; more is an order that never ends
WRITES = frozenset({Action.SEND_SMS, Action.THANK_BORROWER})


@dataclass(frozen=True)
class Life:
    """What one worker is told at its birth."""

    database_url: str
    carrier_url: str
    callback_url: str
    account: tuple[str, str]
    now: datetime
    log: Path
    died_at: Mapping[str, int] = field(default_factory=dict)
    sweep: bool = False
    chance: float = 0
    seed: str = ""
    alone: bool = False
    without: switches.Switch | None = None


def live(life: Life) -> None:
    """Work until no order waits, or until death."""
    logging.disable(logging.CRITICAL)
    if life.alone:
        switches.alone()
    if life.without:
        switches.switch_off(life.without)
    asyncio.run(_live(life))


async def _live(life: Life) -> None:
    gate = Gatekeeper()
    if life.alone:
        gate = Gatekeeper({name: switches.without_limits(book) for name, book in gate.known.items()})
    pool = await open_pool(life.database_url, size=2 * AT_ONCE)
    carrier = TwilioSms(*life.account, life.callback_url, life.carrier_url, timeout_seconds=0.4)
    contact = Contact(Desk(pool, Clock(life.now)), gate, carrier, SENDER, timedelta(milliseconds=10))
    deaths = Deaths(life.log, life.died_at, sweep=life.sweep, chance=life.chance, seed=life.seed)
    deaths.begin()
    tries: Counter[str] = Counter()
    while found := await orders.waiting(pool, 6 * AT_ONCE):
        turnstile = asyncio.Semaphore(AT_ONCE)
        tries.update(order.case.loan_id for order in found)
        await asyncio.gather(*(_in_turn(life, turnstile, pool, contact, order) for order in found))
        if max(tries.values()) > MOST_TRIES:
            break  # the parent sees an order that never ends
    await carrier.close()
    await pool.close()


async def _in_turn(life: Life, turnstile: asyncio.Semaphore, pool: Any, contact: Contact, order: Order) -> None:
    async with turnstile:
        await orders.begin(pool, order)
        try:
            result = await _carried_out(contact, order)
        except Exception as error:  # whatever it is, Temporal has it tried again
            with life.log.open("a") as log:
                log.write(f"error {type(error).__name__}: {error}".splitlines()[0] + "\n")
            return
        next_order = Order(case=order.case, decision=result.decision)
        at = result.decision.at
        if result.decision.action in WRITES and at is not None and at <= life.now and not result.closed:
            await orders.give(pool, next_order)
        else:
            await orders.done(pool, order)


async def _carried_out(contact: Contact, order: Order) -> Result:
    act = contact.thank_borrower if order.decision.action is Action.THANK_BORROWER else contact.send_sms
    with contact_under_way():
        if crc32(order.case.loan_id.encode()) % TWICE_IN:
            return await act(order)
        first, second = await asyncio.gather(act(order), act(order))
        return second if second.decision.at else first
