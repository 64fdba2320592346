"""A small world to tell stories of cases in: a ledger, a carrier, workers, and a clock that a test moves by days.

Business time begins on Monday 2 March 2026 at 07:00 UTC, an hour before texts go out in Rome, whatever the day of the test. `Scene` makes loans
and moves time; `Case` is one loan's case, to be paid, told, and asked.
"""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4
from zlib import crc32

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.registry import World
from channels.carrier import Carrier
from channels.simulator import Simulator
from channels.simulator.script import Behaviour, Fault, Script
from channels.twilio_sms import TwilioSms
from domain.loan import EntryKind, LoanKey
from domain.strategy import Strategy
from ledger.clock import LedgerClock, run_clock
from ledger.proof import prove
from ledger.stops import press_stop, release_stop
from ledger.strategies import publish, publish_shipped
from tests.case import Case
from tests.telephone import CALL_BACK, telephone
from workers import fleet
from workers.relay import Relay

START = datetime(2026, 3, 2, 7, tzinfo=UTC)
SENDER = "+12015550199"
NAME = "Annunziata Esposito"
STREET = "Via dei Tribunali 7, Napoli"
LONGEST_JUMP = 240.0  # seconds of real time, for any length of business time
_numbers = count(1)
log = logging.getLogger(__name__)


def _early_id() -> str:
    """A loan id whose texts go out early in the borrower's day; never the same twice, for servers outlive tests."""
    return next(i for n in _numbers if crc32(f"default/{(i := f'L{n}')}".encode()) % 1024 < 64)


async def add_loan(
    pool: "asyncpg.Pool[asyncpg.Record]",
    today: date,
    *instalments: tuple[int, str],
    phone: str | None = "+12015550101",
    country: str = "IT",
    language: str = "it",
    borrower: str | None = None,
    strategy: str | None = None,
) -> tuple[LoanKey, str]:
    """A loan and its borrower; each instalment is (days past due today, amount), negative days lie ahead. By default 100 EUR, one day."""
    key = LoanKey("default", _early_id())
    party = borrower or f"P-{key.loan_id}"
    points = [("mobile", phone)] if phone else []
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(
            "insert into parties (lender_id, party_id, name, language) values ('default', $1, $2, $3) on conflict do nothing",
            party,
            NAME,
            language,
        )
        for kind, value in [*points, ("address", STREET)]:
            await conn.execute(
                """
                insert into contact_points (lender_id, party_id, kind, value, timezone)
                values ('default', $1, $2, $3, 'Europe/Rome') on conflict do nothing
                """,
                party,
                kind,
                value,
            )
        await conn.execute(
            """
            insert into loans (lender_id, loan_id, borrower_id, country, currency, opened_on, product, strategy, limitation_on)
            values ($1, $2, $3, $4, 'EUR', $5, 'loan', $6, $7)
            """,
            *key,
            party,
            country,
            today - timedelta(days=2000),
            strategy,
            today + timedelta(days=2000),
        )
        for number, (past, amount) in enumerate(instalments or ((1, "100"),), 1):
            due = today - timedelta(days=past)
            await conn.execute(
                "insert into instalments values ($1, $2, $3, $4, $5, 0, 0)", *key, number, due, Decimal(amount)
            )
    return key, party


@dataclass
class Scene:
    """One ledger, one carrier, one clock, and the cases in it."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    client: Client
    env: WorkflowEnvironment | None
    clock: LedgerClock
    simulator: Simulator
    world: World
    cases: list[Case] = field(default_factory=list)
    broken_on_purpose: bool = False

    def __post_init__(self) -> None:
        self._relay = Relay(self.pool, self.client)

    @property
    def carrier(self) -> Carrier:
        return self.world.carrier

    # --- the clock ---

    async def now(self) -> datetime:
        """Business time."""
        return await self.clock.now()

    async def today(self) -> date:
        return (await self.now()).date()

    async def day(self, offset: int) -> date:
        """The date so many days from today."""
        return await self.today() + timedelta(days=offset)

    async def sleep(self, length: timedelta) -> None:
        """Let time pass, and every case come to rest."""
        env = self.env
        assert env is not None, "only a jumping clock can be moved"
        await self.relay()
        until = await env.get_current_time() + length

        end = time.monotonic() + LONGEST_JUMP
        while (left := until - await env.get_current_time()) > timedelta():
            assert time.monotonic() < end, f"gave up waiting: the clock to reach {until}"
            try:
                await env.sleep(left)
            except RPCError as error:
                # This server may hand a task to a worker of the test before, which is gone, and gives it out anew after the task's time;
                # under load it may drop the connection of the one who waits, and then moves its clock no further: it is asked again.
                log.warning("the clock was slow to move: %s", error.message)
        await self.settle()

    async def days(self, number: float) -> None:
        await self.sleep(timedelta(days=number))

    async def settle(self) -> None:
        """Wait until every case has done what is due and taken in what it was told."""
        await self.relay()
        for case in self.cases:
            await case.settle()

    # --- the stop button ---

    async def stop(self, lender_id: str = "*", channel: str = "*", strategy: str = "*") -> None:
        """Press it."""
        async with self.pool.acquire() as conn:
            await press_stop(conn, lender_id=lender_id, channel=channel, strategy=strategy, reason="a test")

    async def go(self, lender_id: str = "*", channel: str = "*", strategy: str = "*") -> int:
        """Release it; how many cases were woken."""
        async with self.pool.acquire() as conn:
            woken = await release_stop(conn, lender_id=lender_id, channel=channel, strategy=strategy)
        await self.settle()
        return woken

    # --- what comes in ---

    async def strategy(self, base: Strategy, **changes: Any) -> str:
        """Publish a variation of a strategy under a name of its own."""
        name = f"s-{uuid4().hex[:8]}"
        async with self.pool.acquire() as conn:
            await publish(conn, base.model_copy(update={"name": name, **changes}))
        return name

    async def loan(self, *instalments: tuple[int, str], fees: str | None = None, **loan: Any) -> Case:
        """A loan, as `add_loan` makes it, without a case."""
        key, party = await add_loan(self.pool, await self.today(), *instalments, **loan)
        case = Case(self, key, party)
        if fees:
            await case.post(EntryKind.LATE_FEE, fees)
        return case

    async def case(self, *instalments: tuple[int, str], **loan: Any) -> Case:
        """A loan, as `loan` makes it, with its case begun and come to rest."""
        case = await self.loan(*instalments, **loan)
        await case.open()
        return case

    async def relay(self) -> None:
        """Deliver the outbox to the cases."""
        while await self._relay.deliver_once():
            pass

    def carrier_does(self, kind: str, **fault: Any) -> None:
        """From now on something goes wrong with every text that is handed over."""
        self.simulator.play(Script(borrowers={"*": Behaviour(fault=Fault.model_validate({"kind": kind, **fault}))}))

    def carrier_is_well(self) -> None:
        self.simulator.play(Script())

    def texts(self) -> list[str]:
        """The bodies of the messages that the carrier took, oldest first."""
        return [m.body for m in self.simulator.messages if m.direction == "outbound-api"]

    async def proof(self) -> dict[str, Any]:
        async with self.pool.acquire() as conn:
            return await prove(conn)


@asynccontextmanager
async def scene_on(
    pool: "asyncpg.Pool[asyncpg.Record]",
    client: Client,
    env: WorkflowEnvironment | None = None,
    *,
    carrier_seconds: float = 5,
    start: datetime = START,
    behind: timedelta = timedelta(0),
    calls: bool = False,
) -> AsyncIterator[Scene]:
    """A scene with its workers running; at the end all its cases are ended and the five promises proven.

    `carrier_seconds` is how long an answer of the carrier is awaited, `behind` how much the workers' clock lags that of the server, `calls`
    whether there is a telephone.
    """
    servers = env.get_current_time if env else _wall_time

    async def real() -> datetime:
        return await servers() - behind

    simulator = Simulator(latency=0)
    base_url = await simulator.start()
    carrier = TwilioSms(simulator.account_sid, simulator.auth_token, "http://127.0.0.1:9", base_url, carrier_seconds)
    async with pool.acquire() as conn:
        await run_clock(conn, await real(), speed=Decimal(1), start=start)
        await publish_shipped(conn)
        await conn.execute("update lenders set mode = 'live'")
    clock = LedgerClock(pool, real)
    scene = Scene(
        pool, client, env, clock, simulator, World(pool, clock, client, carrier, SENDER, timedelta(milliseconds=10))
    )
    try:
        async with AsyncExitStack() as stack:
            if calls:
                line = await stack.enter_async_context(telephone(pool, clock, simulator, base_url))
                scene.world = replace(scene.world, calls=line, call_back=CALL_BACK)
            await stack.enter_async_context(fleet.running(fleet.build(client, scene.world)))
            yield scene
            await _end_all(scene)
    finally:
        await _end_all(scene)  # a sweep that was under way may have begun one anew
        await carrier.close()
        await simulator.stop()
    proof = await scene.proof()
    assert proof["ok"] or scene.broken_on_purpose, [c["violations"] for c in proof["checks"]]


async def _end_all(scene: Scene) -> None:
    """End every case: a worker of the next test would look for its loan in another ledger, and never come to an end."""
    for row in await scene.pool.fetch("select workflow_id from cases order by workflow_id"):
        with suppress(RPCError):  # it is closed
            await scene.client.get_workflow_handle(row["workflow_id"]).terminate()


async def _wall_time() -> datetime:
    return datetime.now(UTC)
