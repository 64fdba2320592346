"""A chaos run: workers that are killed at every line, a carrier that fails in every way, and payments that come meanwhile."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import uvicorn

from activities.contracts import CaseRef, Order
from channels.simulator import Behaviour, Fault, Receipts, Script, Simulator
from channels.twilio_sms import TwilioSms
from domain.decision import Action
from ledger.strategies import publish_shipped
from starters.api import create_app
from tests.activities.bench import NOON, Bench, Clock
from tests.chaos import orders
from tests.chaos.count import count
from tests.chaos.deaths import executable_lines
from tests.chaos.switches import KEY, Switch
from tests.chaos.worker import Life, live
from tests.forks import FORKS

PORTION = 24  # loans at a time
PAID_SHARE, SECOND_LOAN_SHARE = 0.3, 0.2
LAST_RECEIPT_WITHIN = 5.0  # seconds after the one before
LONGEST_LIFE = 120.0  # seconds of one worker; more is a failure of the run
FAULTS = (
    Fault(kind="lost", share=0.08),
    Fault(kind="drop", share=0.04),
    Fault(kind="drop", taken=True, share=0.03),
    Fault(kind="error500", share=0.04),
    Fault(kind="error500", status=503, taken=True, share=0.03),
    Fault(kind="hang", share=0.02),
    Fault(kind="hang", taken=True, share=0.03),
    Fault(kind="slow", seconds=0.1, share=0.05),
    Fault(kind="refuse", code=20429, status=429, retry_after=30, share=0.04),
    Fault(kind="refuse", code=20429, status=429, retry_after=90, retry_after_date=True, share=0.02),
    Fault(kind="refuse", code=30007, share=0.02),
    Fault(kind="error500", at="look_up", share=0.2),
    Fault(kind="refuse", code=20429, status=429, at="look_up", share=0.1),
)


@dataclass
class Plan:
    """What is to happen.

    Attributes:
        kills: How many workers are killed, at least; more where some line is left at which none was.
        intended: How many contacts must be meant, at least.
        sweep: Kill at every line once before any line is hit twice.
        chance: Of dying at one of the lines where the fewest died, each time it is reached; a text goes through some 400.
        days: Business days, four apart, over which the kills are spread.
        seed: Draws faults, payments and deaths.
        alone: Silence what stands behind the three mechanisms; see switches.py.
        without: The mechanism that is taken away.
    """

    kills: int = 300
    intended: int = 500
    sweep: bool = True
    chance: float = 0.003
    days: int = 2
    seed: int = 1
    alone: bool = False
    without: Switch | None = None


@dataclass
class World:
    """A ledger, a carrier, and the API that the carrier reports to, all in this process, which nobody kills."""

    bench: Bench
    life: Life
    seen: set[str] = field(default_factory=set)
    died_at: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    cases: list[CaseRef] = field(default_factory=list)
    to_pay: set[str] = field(default_factory=set)
    _read: int = 0

    def read_log(self) -> None:
        """What workers wrote down before they died."""
        if not self.life.log.exists():
            return
        with self.life.log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        whole = text.rpartition(b"\n")[0]
        self._read += len(whole) + 1 if whole else 0
        for line in whole.decode().splitlines():
            kind, _, what = line.partition(" ")
            if kind == "died":
                self.died_at[what] += 1
            elif kind == "error":
                self.errors[what] += 1
            if kind != "error":
                self.seen.add(what)


@asynccontextmanager
async def world(
    pool: "asyncpg.Pool[asyncpg.Record]", database_url: str, folder: Path, plan: Plan
) -> AsyncIterator[World]:
    """The world of one run, on an empty ledger."""
    async with AsyncExitStack() as stack:
        async with pool.acquire() as conn:
            await publish_shipped(conn)
            await conn.execute("update lenders set mode = 'live'")
            await orders.make_table(conn)
            if plan.without == "unique-key":
                await conn.execute(f"alter table contacts drop constraint {KEY}")
        receipts = Receipts(repeat=2, order="shuffled", early=True, lost=0.1)
        script = Script(borrowers={"*": Behaviour(faults=FAULTS, receipts=receipts)}, seed=plan.seed)
        simulator = Simulator(latency=0.01, script=script)
        carrier_url = await simulator.start()
        stack.push_async_callback(simulator.stop)
        clock = Clock()
        callback_url = await stack.enter_async_context(_api(pool, clock, simulator))
        carrier = TwilioSms(simulator.account_sid, simulator.auth_token, callback_url, carrier_url)
        stack.push_async_callback(carrier.close)
        yield World(
            Bench(pool, clock, simulator, carrier),
            Life(
                database_url,
                carrier_url,
                callback_url,
                (simulator.account_sid, simulator.auth_token),
                NOON,
                folder / "lines.log",
                alone=plan.alone,
                without=plan.without,
            ),
        )


@asynccontextmanager
async def _api(pool: Any, clock: Clock, simulator: Simulator) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(pool, clock, secrets=[], twilio_token=simulator.auth_token, public_url=url)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", access_log=False))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # they are the caller's
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            assert not serving.done()
            await asyncio.sleep(0.01)
        yield url
        server.should_exit = True
        await serving


async def chaos(pool: "asyncpg.Pool[asyncpg.Record]", database_url: str, folder: Path, plan: Plan) -> dict[str, Any]:
    """Run it, and count.

    Raises:
        RuntimeError: a worker hangs, or an order never ends.
    """
    async with world(pool, database_url, folder, plan) as scene:
        chance = Random(f"{plan.seed}/payments")
        paying = asyncio.create_task(_pay_meanwhile(scene, chance))
        for day in range(plan.days):
            await _begin_day(scene, day)
            part = (day + 1) / plan.days
            while sum(scene.died_at.values()) < plan.kills * part:
                await _keep_busy(scene, chance)
                await _one_life(scene, plan, plan.chance)
            while not await _one_life(scene, plan, 0) or await _intended(pool) < plan.intended * part:
                await _keep_busy(scene, chance)
        await _end(paying)
        await _receipts_are_in(scene)
        result = await count(pool, scene.bench.simulator.messages, limits=not plan.alone)
        paid = await pool.fetchval("select count(*) from entries")
    lines = executable_lines(scene.seen)
    return {
        "kills": sum(scene.died_at.values()),
        "lines executed": len(scene.seen),
        "lines killed at": len(scene.died_at),
        "lines never executed": sorted(lines - scene.seen, key=_by_place),
        "payments": paid,
        **result,
        "errors": dict(scene.errors),
    }


def _by_place(line: str) -> tuple[str, int]:
    name, _, number = line.rpartition(":")
    return name, int(number)


async def _one_life(scene: World, plan: Plan, chance: float) -> bool:
    """One worker, until it dies or has nothing left to do; whether it lived."""
    life = replace(
        scene.life,
        now=scene.bench.clock.at,
        died_at=dict(scene.died_at),
        sweep=plan.sweep,
        chance=chance,
        seed=f"{plan.seed}/{sum(scene.died_at.values())}",
    )
    process = FORKS.Process(target=live, args=(life,), daemon=True)
    process.start()
    await asyncio.to_thread(process.join, LONGEST_LIFE)
    if process.is_alive():
        process.kill()
        raise RuntimeError(f"a worker hung for {LONGEST_LIFE} seconds")
    scene.read_log()
    if process.exitcode not in {0, -9}:
        raise RuntimeError(f"a worker ended with {process.exitcode}")
    if process.exitcode == 0 and await orders.how_many_wait(scene.bench.pool):
        raise RuntimeError(f"an order never came to its end: {dict(scene.errors)}")
    return process.exitcode == 0


async def _intended(pool: Any) -> int:
    """Contacts that somebody meant to make."""
    count: int = await pool.fetchval("select count(distinct (loan_id, episode, step_id)) from contacts")
    return count


async def _begin_day(scene: World, day: int) -> None:
    """Four days pass at a time; what the cases then mean to do becomes orders."""
    scene.bench.clock.at = NOON + timedelta(days=4 * day)
    await orders.forget_all(scene.bench.pool)
    for case in scene.cases:
        await _order(scene, case)


async def _order(scene: World, case: CaseRef) -> None:
    decision = (await scene.bench.decide(case)).decision
    if decision.action is Action.SEND_SMS and decision.at is not None and decision.at <= scene.bench.clock.at:
        await orders.give(scene.bench.pool, Order(case=case, decision=decision))


async def _keep_busy(scene: World, chance: Random) -> None:
    if await orders.how_many_wait(scene.bench.pool) < PORTION // 2:
        await _more_loans(scene, chance)


async def _more_loans(scene: World, chance: Random) -> None:
    """New loans with their cases and orders; some persons have two, some will pay."""
    made = []
    for _ in range(PORTION):
        index = len(scene.cases)
        person = f"P-{index}"
        loans = 2 if chance.random() < SECOND_LOAN_SHARE else 1
        made += [await scene.bench.case(phone=_number(index), borrower=person) for _ in range(loans)]
        scene.cases += made[-loans:]
    scene.to_pay |= {case.loan_id for case in made if chance.random() < PAID_SHARE}
    for case in made:
        await _order(scene, case)


def _number(index: int) -> str:
    return f"+1{201 + index // 100}55501{index % 100:02}"


async def _pay_meanwhile(scene: World, chance: Random) -> None:
    """Payments that cure, for loans that a worker is just busy with."""
    while True:
        await asyncio.sleep(chance.random() * 0.04)
        busy = sorted(scene.to_pay.intersection(await orders.begun(scene.bench.pool)))
        if busy:
            loan = chance.choice(busy)
            scene.to_pay.discard(loan)
            await scene.bench.pay(CaseRef(lender_id="default", loan_id=loan))


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _receipts_are_in(scene: World) -> None:
    """Until the carrier has nothing more to report; of some messages it never says what became of them."""
    simulator = scene.bench.simulator
    open_, since = -1, time.monotonic()
    while time.monotonic() - since < LAST_RECEIPT_WITHIN:
        left = sum(not message.settled for message in simulator.messages)
        if left == 0:
            break
        if left != open_:
            open_, since = left, time.monotonic()
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
