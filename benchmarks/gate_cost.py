"""What the gate costs: contacts through the activity's transaction up to `sending`, beside a bare reserve-and-commit.

Five ways take turns in blocks on one PostgreSQL whose commits reach the disk:

    bare       the same transaction with the same locks and writes; no fact is read and nothing is decided
    apart      bare, but in two transactions: one reserves, one commits, as the activity did at first
    no gate    the activity's transaction, but its gate permits everything without a look
    gate       the activity's transaction with its gate
    words      the same, and the text is made and its content checked

Run it as `.venv/bin/python benchmarks/gate_cost.py [--contacts N] [--profile]`.
"""

import argparse
import asyncio
import cProfile
import json
import pstats
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from activities.case_in_hand import WORK, Desk
from activities.contact import Contact, _text_of, _words
from activities.contracts import CaseRef, Order
from activities.gate import CONTACTS, Gatekeeper, Meant
from activities.reckoning import Reckoning
from benchmarks.made_up import Pool, StandingClock, add_cases, add_past, ledger
from domain.gate import Permit
from ledger.locks import lock_loan

BLOCK = 20
OTHERS = 4000  # people who are in the ledger besides
BODY = "x" * 160
NO_CARRIER: Any = None  # it is never called
Way = Callable[[Order], Awaitable[None]]


class OpenGate(Gatekeeper):
    """Permits everything, and writes a permit of the usual size."""

    async def permit(self, case: Any, meant: Meant) -> tuple[Permit, dict[str, Any]]:
        return Permit(rules=("benchmark.ALL",)), {"rules": ["x" * 40] * 20}


def activity(pool: Pool, clock: StandingClock, gate: Gatekeeper, words: bool = False) -> Way:
    """A text up to `sending`, as the activity goes there; the carrier is never called."""
    desk = Desk(pool, clock)
    contact = Contact(desk, gate, NO_CARRIER, "+12015550199", timedelta(0))

    async def run(order: Order) -> None:
        async with desk.take(order.case) as case:
            kind = _text_of(case, order)
            meant, over = await contact._reserve(case, order, kind)
            assert over is None, over
            meant, party = await contact.aimed(case, meant, kind)
            body = _words(case, order, meant, party) if words else BODY
            stopped = await contact._pass_gate(case, order, meant, kind, party, body)
            assert stopped is None, stopped

    return run


def bare(pool: Pool, clock: StandingClock, *, apart: bool = False) -> Way:
    """The same writes under the same locks, and nothing else; `apart`, in two transactions."""

    async def run(order: Order) -> None:
        contact_id = uuid4().hex
        async with pool.acquire() as conn, conn.transaction():
            await reserve(conn, order, clock, contact_id)
            if not apart:
                await begin_sending(conn, order, clock, contact_id)
        if apart:
            async with pool.acquire() as conn, conn.transaction():
                await lock_loan(conn, order.case.key)
                await begin_sending(conn, order, clock, contact_id)

    return run


async def reserve(conn: Any, order: Order, clock: StandingClock, contact_id: str) -> None:
    """Lock, and mean a contact."""
    key = order.case.key
    await lock_loan(conn, key)
    await CONTACTS.reserve(
        conn,
        **attempt_of(order),
        contact_id=contact_id,
        channel="sms",
        purpose="collect",
        party_id=f"P{key.loan_id[1:]}",
        contact_value="+12015550100",
        template="gentle",
        language="it",
        body=None,
        reference=contact_id[:8],
        now=clock.at,
    )


async def begin_sending(conn: Any, order: Order, clock: StandingClock, contact_id: str) -> None:
    """Make it a contact, and its step one that is under way."""
    await CONTACTS.begin_sending(
        conn,
        contact_id=contact_id,
        permit={"rules": ["x" * 40] * 20},
        version=0,
        business_date=clock.at.date(),
        now=clock.at,
        body=BODY,
    )
    await WORK.record_step(conn, **attempt_of(order), state="open", result=None, now=clock.at)


def attempt_of(order: Order) -> dict[str, Any]:
    """The attempt's key."""
    return {
        **order.case.key._asdict(),
        "episode": 1,
        "step_id": order.decision.step_id,
        "ordinal": order.decision.ordinal,
    }


async def measure(contacts: int, profile: bool) -> dict[str, Any]:
    async with ledger() as (pool, _):
        clock = StandingClock()
        ways = {
            "bare": bare(pool, clock),
            "apart": bare(pool, clock, apart=True),
            "no gate": activity(pool, clock, OpenGate()),
            "gate": activity(pool, clock, Gatekeeper()),
            "words": activity(pool, clock, Gatekeeper(), words=True),
        }
        count = (contacts + BLOCK) * len(ways)
        await add_cases(pool, 1, count + OTHERS)
        await add_past(pool, count + 1, count + OTHERS)
        orders = await due(pool, clock, count)
        for way in ways.values():  # the first ones fill caches
            await block(way, orders)
        spent: dict[str, list[float]] = {name: [] for name in ways}
        profiler = cProfile.Profile()
        for _ in range(contacts // BLOCK):
            for name, way in ways.items():
                if profile and name == "gate":
                    profiler.enable()
                spent[name].append(await block(way, orders))
                profiler.disable()
        if profile:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
    each = {name: statistics.median(times) / BLOCK * 1000 for name, times in spent.items()}
    # What else runs on the machine weighs on neighbours alike: the ratio of each round, and of these the middle one.
    rounds = list(zip(*(spent[name] for name in ways), strict=True))
    return {
        "contacts": contacts,
        "milliseconds": {name: round(ms, 3) for name, ms in each.items()},
        "ratio": round(statistics.median(gate / bare for bare, _, _, gate, _ in rounds), 2),
        "ratio_to_apart": round(statistics.median(gate / apart for _, apart, _, gate, _ in rounds), 2),
        "ratio_of_the_gate_alone": round(
            statistics.median(1 + (gate - none) / bare for bare, _, none, gate, _ in rounds), 2
        ),
    }


async def due(pool: Pool, clock: StandingClock, count: int) -> list[Order]:
    """What each case does next, at a time at which all of it is due."""
    reckoning = Reckoning(Desk(pool, clock))
    found = []
    for n in range(1, count + 1):
        ref = CaseRef(lender_id="default", loan_id=f"L{n}")
        found.append(Order(case=ref, decision=(await reckoning.decide(ref)).decision))
    clock.at = max(order.decision.at for order in found if order.decision.at is not None)
    return found


async def block(way: Way, orders: list[Order]) -> float:
    """Seconds for a block of contacts, one after the other."""
    mine = [orders.pop() for _ in range(BLOCK)]
    began = time.perf_counter()
    for order in mine:
        await way(order)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contacts", type=int, default=400, help="for each of the five ways")
    parser.add_argument("--profile", action="store_true", help="print where the activity spends its time")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = asyncio.run(measure(given.contacts, given.profile))
    if given.json:
        given.json.write_text(json.dumps(found), encoding="utf-8")
    for name, ms in found["milliseconds"].items():
        print(f"{name:10} {ms:8.3f} ms a contact")
    print(f"gate / bare: {found['ratio']}, beside two transactions {found['ratio_to_apart']}   (aim: at most 2)")
    print(f"(bare + what the gate alone adds) / bare: {found['ratio_of_the_gate_alone']}")


if __name__ == "__main__":
    main()
