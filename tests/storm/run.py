"""The storm: payments from fifty senders, while every part of the system is killed and comes back."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

from temporalio.client import Client

from domain.clock import business_date
from ledger.clock import LedgerClock
from ledger.pool import open_pool
from ledger.stranded import lag
from ledger.strategies import publish_shipped
from ledger.tape import TapeFiles, take_in
from starters.sweeps import start_sweep
from tests.storm.count import count, unheard
from tests.storm.crippled import Switch
from tests.storm.parts import PARTS, System, running_system, unasked
from tests.storm.portfolio import Portfolio, make, shuffled
from tests.storm.sending import Sending
from workers.codec import data_converter

SETTLES_WITHIN = 600.0  # seconds after the last entry until every case has heard
LONGEST = 3600.0  # seconds of the whole storm


@dataclass
class Plan:
    """What is to happen.

    Attributes:
        sends: Entries that are sent, a fifth of them a second time or more.
        kills: How often each part is killed.
        seed: Draws portfolio, order and kills.
        without: The mechanism that is taken away.
    """

    sends: int = 20_000
    kills: int = 5
    seed: int = 1
    without: Switch | None = None


async def storm(folder: Path, plan: Plan) -> dict[str, Any]:
    """Run it, and count.

    Raises:
        TimeoutError: it did not come to its end.
    """
    began = time.monotonic()
    async with asyncio.timeout(LONGEST), running_system(folder, plan.seed, plan.without) as system:
        first = business_date(datetime.now(UTC), "UTC")
        portfolio = make(folder, plan.sends, plan.seed, first)
        client = await Client.connect(system.temporal, data_converter=data_converter())
        swept = await _open_cases(system, client, portfolio)
        blowing = time.monotonic()
        sending = Sending(system.api, deque(shuffled(portfolio, plan.sends, plan.seed)), plan.seed)
        await asyncio.gather(sending.run(), _kill(system, sending, plan))
        stilled = time.monotonic()
        settled, result = await _count(system, client, portfolio, sending, first)
        ended = {name: list(part.last_words) for name, part in system.parts.items()}
        result["failures"]["unasked"] = [said for name, words in ended.items() for said in unasked(name, words)]
        return {
            "kills": {name: part.kills for name, part in system.parts.items()},
            "ended by themselves": {name: len(words) for name, words in ended.items() if words},
            "sent": sending.done,
            "cases opened by the sweep": swept,
            **result,
            "seconds": {
                "before": round(blowing - began),
                "storm": round(stilled - blowing),
                "until all had heard": settled,
            },
        }


async def _open_cases(system: System, client: Client, portfolio: Portfolio) -> int:
    """Take the loans in, and sweep."""
    async with await open_pool(system.database_url) as pool:
        async with pool.acquire() as conn:
            await publish_shipped(conn)
        files = TapeFiles(loans=portfolio.loans, instalments=portfolio.instalments)
        await take_in(pool, files, clock=LedgerClock(pool))
        await pool.execute("update lenders set mode = 'live'")
    swept: int = await client.get_workflow_handle(await start_sweep(client)).result()
    return swept


async def _kill(system: System, sending: Sending, plan: Plan) -> None:
    """Kill the parts in mixed order, each kill in the middle of its share of the entries."""
    doomed = list(PARTS) * plan.kills
    Random(f"{plan.seed}/kills").shuffle(doomed)
    share = plan.sends / (len(doomed) + 1)
    for n, name in enumerate(doomed):
        sending.allowed = (n + 1) * share
        while sending.done < (n + 0.5) * share:  # noqa: ASYNC110 - a count, not an event
            await asyncio.sleep(0.01)
        await system.parts[name].kill()
    sending.allowed = plan.sends


async def _count(
    system: System, client: Client, portfolio: Portfolio, sending: Sending, first: date
) -> tuple[int, dict[str, Any]]:
    """Wait until every case has heard, and count."""
    async with await open_pool(system.database_url) as pool:
        began = time.monotonic()
        while time.monotonic() < began + SETTLES_WITHIN and not await _settled(pool):  # noqa: ASYNC110 - asked anew
            await asyncio.sleep(0.2)
        settled = round(time.monotonic() - began)
        now = await LedgerClock(pool).now()
        result = await count(pool, client, portfolio, sending, now, {first, business_date(now, "UTC")})
        return settled, result


async def _settled(pool: Any) -> bool:
    async with pool.acquire() as conn:
        return not (await lag(conn)).waiting and not await unheard(conn)
