"""Activities called as functions: no server of Temporal's, a clock that stands until it is moved, the real ledger and carrier."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg

from activities.absorbing import Absorbing
from activities.case_in_hand import CASES, Desk
from activities.contact import Contact
from activities.contracts import Absorb, CaseRef, Message, Order, Result
from activities.gate import Gatekeeper
from activities.office import Office
from activities.reckoning import Reckoning
from channels.carrier import Carrier
from channels.simulator import Simulator
from channels.twilio_sms import TwilioSms
from domain.loan import EntryKind
from ledger.new_entry import NewEntry
from ledger.posting import Posted, post_entry
from ledger.proof import prove
from ledger.strategies import publish_shipped, strategy_for
from tests.scenario import SENDER, add_loan

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday, one o'clock in Rome: texts are due


@dataclass
class Clock:
    """It stands."""

    at: datetime = NOON

    async def now(self) -> datetime:
        return self.at

    async def real(self, at: datetime) -> datetime:
        return at


@dataclass
class Bench:
    """The activities, their ledger, clock and carrier."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    clock: Clock
    simulator: Simulator
    carrier: Carrier

    @property
    def desk(self) -> Desk:
        return Desk(self.pool, self.clock)

    @property
    def contact(self) -> Contact:
        return Contact(self.desk, Gatekeeper(), self.carrier, SENDER, timedelta(milliseconds=10))

    @property
    def office(self) -> Office:
        return Office(self.desk, Gatekeeper())

    async def case(self, *instalments: tuple[int, str], **loan: Any) -> CaseRef:
        """A loan with an open case."""
        key, _ = await add_loan(self.pool, self.clock.at.date(), *instalments, **loan)
        async with self.pool.acquire() as conn:
            name, version = await strategy_for(conn, key)
            await CASES.open_case(
                conn,
                lender_id=key.lender_id,
                loan_id=key.loan_id,
                workflow_id=key.workflow_id,
                strategy=name,
                strategy_version=version,
                now=self.clock.at,
            )
        return CaseRef(lender_id=key.lender_id, loan_id=key.loan_id)

    async def decide(self, ref: CaseRef) -> Result:
        return await Reckoning(self.desk).decide(ref)

    async def due(self, ref: CaseRef) -> Order:
        """What the case does next, its time come."""
        decision = (await self.decide(ref)).decision
        assert decision.at is not None
        self.clock.at = max(self.clock.at, decision.at)
        return Order(case=ref, decision=decision)

    async def tell(self, ref: CaseRef, kind: str, message_id: str | None = None, **body: Any) -> Result:
        message = Message(message_id=message_id or uuid4().hex, kind=kind, body=body)
        return await Absorbing(self.desk).absorb(Absorb(case=ref, messages=(message,)))

    async def pay(self, ref: CaseRef, amount: str = "100", **more: Any) -> Posted:
        values: dict[str, Any] = {"entry_id": uuid4().hex, "value_date": self.clock.at.date(), **more}
        entry = NewEntry(loan_id=ref.loan_id, kind=EntryKind.PAYMENT, amount=Decimal(amount), currency="EUR", **values)
        return await post_entry(self.pool, entry, self.clock)

    async def reverse(self, ref: CaseRef, entry_id: str, amount: str = "100") -> Posted:
        entry = NewEntry(
            entry_id=uuid4().hex,
            loan_id=ref.loan_id,
            kind=EntryKind.REVERSAL,
            amount=Decimal(amount),
            currency="EUR",
            value_date=self.clock.at.date(),
            reverses=entry_id,
            reason="R01",
        )
        return await post_entry(self.pool, entry, self.clock)

    async def carry_out(self, order: Order) -> Result:
        """Have the activity done that the decision names."""
        name = order.decision.action.value
        maker = next(m for m in (Reckoning(self.desk), self.office, self.contact) if hasattr(m, name))
        result: Result = await getattr(maker, name)(order)
        return result

    async def contacts(self, ref: CaseRef) -> list[Any]:
        return list(
            await self.pool.fetch("select * from contacts where loan_id = $1 order by reserved_at", ref.loan_id)
        )

    def texts(self) -> list[str]:
        """The numbers that the carrier took a message for."""
        return [m.to for m in self.simulator.messages if m.direction == "outbound-api"]

    async def violations(self) -> list[tuple[str, str]]:
        """What `arrears verify` finds, as (check, kind)."""
        async with self.pool.acquire() as conn:
            proof = await prove(conn)
        return [(c["name"], v["kind"]) for c in proof["checks"] for v in c["violations"]]

    def with_carrier(self, carrier: Carrier) -> "Bench":
        return replace(self, carrier=carrier)


@asynccontextmanager
async def bench_on(pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[Bench]:
    """A bench on an empty ledger, its lender live, with a carrier of its own."""
    async with pool.acquire() as conn:
        await publish_shipped(conn)
        await conn.execute("update lenders set mode = 'live'")
    simulator = Simulator(latency=0)
    base_url = await simulator.start()
    carrier = TwilioSms(simulator.account_sid, simulator.auth_token, "http://127.0.0.1:9", base_url, 5)
    yield Bench(pool, Clock(), simulator, carrier)
    await carrier.close()
    await simulator.stop()
