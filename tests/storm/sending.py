"""Fifty senders, who behave as a payment system does: sign, send, and send again until it is taken."""

import asyncio
import json
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from starters.signature import sign
from tests.stack.machine import SECRET

SENDERS = 50
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0  # seconds
PATIENCE = 180.0  # seconds for one entry; then the run has failed
TRY_AGAIN = frozenset({408, 425, 429})
Row = dict[str, Any]


@dataclass
class Sending:
    """What is to be sent, how much of it may be by now, and what became of it.

    `taken` is when the first 2xx for an entry came (Unix seconds); `refused` and `given_up` must stay empty.
    """

    url: str
    waiting: deque[Row]
    seed: int
    allowed: float = 0
    sent: int = 0
    done: int = 0
    taken: dict[str, float] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Send all there is."""
        limits = httpx.Limits(max_connections=SENDERS, max_keepalive_connections=SENDERS)
        async with httpx.AsyncClient(base_url=self.url, limits=limits, timeout=10) as client:
            await asyncio.gather(*(self._sender(client, Random(f"{self.seed}/{n}")) for n in range(SENDERS)))

    async def _sender(self, client: httpx.AsyncClient, chance: Random) -> None:
        while self.waiting:
            row = self.waiting[0]
            original = row.get("reverses")
            if self.sent >= self.allowed:
                await asyncio.sleep(0.02)
            elif original is not None and original not in self.taken:
                # A bank returns what it has paid, never before.
                self.waiting.rotate(-1)
                await asyncio.sleep(0)
            else:
                self.waiting.popleft()
                self.sent += 1
                await self._send(client, row, chance)
                self.done += 1

    async def _send(self, client: httpx.AsyncClient, row: Row, chance: Random) -> None:
        body = json.dumps(row).encode()
        pause, end = FIRST_PAUSE, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            headers = {"Arrears-Signature": sign(SECRET, body), "Content-Type": "application/json"}
            try:
                answer = await client.post("/v1/entries", content=body, headers=headers)
            except httpx.TransportError as error:
                self.answers[type(error).__name__] += 1
            else:
                self.answers[str(answer.status_code)] += 1
                if answer.is_success:
                    self.taken.setdefault(row["entry_id"], time.time())
                    return
                if answer.status_code < 500 and answer.status_code not in TRY_AGAIN:
                    self.refused.append(f"{row['entry_id']}: {answer.status_code} {answer.text:.200}")
                    return
            await asyncio.sleep(pause * (0.5 + chance.random()))
            pause = min(pause * 2, LONGEST_PAUSE)
        self.given_up.append(f"{row['entry_id']} was not taken in {PATIENCE:.0f} s")
