"""The noodle shop's own part: the owner agrees to weekly instalments, pays them, and is let off the late fees."""

import asyncio
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import asyncpg

from arrears.demo.feed import Feed
from arrears.demo.people import People
from arrears.demo.story import AGREED_ON, BUSINESS, FIRST_PAYMENT, Row, entries, plan_days
from domain.clock import Clock
from domain.messages import AgreePlan, PlanPayment

A_WEEK = timedelta(weeks=1)
MORNING = datetime.combine(AGREED_ON, time(10, 0), tzinfo=ZoneInfo("Asia/Shanghai"))


class Shop:
    """Waits for the letter, comes to an agreement on both loans, and keeps it."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, people: People, feed: Feed) -> None:
        self._pool, self._clock, self._people, self._feed = pool, clock, people, feed

    async def run(self) -> None:
        """Play the part; ends when everything that follows is on its way."""
        while True:
            if await self._comes():
                break
            await asyncio.sleep(0.2)
        today = (await self._clock.now()).date()
        days = plan_days(max(FIRST_PAYMENT, today + A_WEEK))  # a slow machine comes late to the agreement
        for loan_id in BUSINESS:
            agreed = tuple(PlanPayment(due_on=d.due_on, amount=d.amount) for d in days if d.loan_id == loan_id)
            await self._people.tell(loan_id, "agree_plan", AgreePlan(by="collector-1", instalments=agreed))
        for day in days:
            payment_id = f"PAY-{day.loan_id}-W{day.due_on:%m%d}"
            self._feed.add(entry(payment_id, day.loan_id, "payment", day.amount, day.due_on))
        waived_on = days[-1].due_on + timedelta(days=1)
        for fee in entries():
            if fee["loan_id"] in BUSINESS and fee["kind"] == "late_fee":
                waiver_id, amount = f"WAIVE-{fee['entry_id']}", Decimal(fee["amount"])
                self._feed.add({**entry(waiver_id, fee["loan_id"], "waiver", amount, waived_on), "reason": "plan_kept"})

    async def _comes(self) -> bool:
        """A week after the letter the owner walks in."""
        if await self._clock.now() < MORNING:
            return False
        async with self._pool.acquire() as conn:
            came: bool = await conn.fetchval(
                "select exists (select from contacts where loan_id = any($1) and channel = 'letter' and state = 'sent')",
                list(BUSINESS),
            )
        return came


def entry(entry_id: str, loan_id: str, kind: str, amount: Decimal, day: date) -> Row:
    """An entry of the shop's, as the API takes it."""
    return {
        "entry_id": entry_id,
        "loan_id": loan_id,
        "kind": kind,
        "amount": str(amount),
        "currency": "CNY",
        "value_date": day.isoformat(),
    }
