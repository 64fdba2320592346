"""The outside world of the demo that brings money: each entry comes on its own day, signed, through the HTTP API."""

import asyncio
import heapq
import itertools
import json
import logging
from datetime import UTC, date, datetime, timedelta
from zlib import crc32

import httpx

from arrears.demo.story import Row
from domain.clock import Clock
from starters.signature import HEADER, sign

CHARGED_AT = timedelta(minutes=30)  # charges are posted just after midnight, payments in the afternoon
BANK_OPENS, BANK_MINUTES = timedelta(hours=15), 240
log = logging.getLogger(__name__)


def arrives_at(entry: Row) -> datetime:
    """The business time at which an entry comes in, on its own value date."""
    day = date.fromisoformat(entry["value_date"])
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if entry["kind"] != "payment":
        return midnight + CHARGED_AT
    return midnight + BANK_OPENS + timedelta(minutes=crc32(entry["entry_id"].encode()) % BANK_MINUTES)


class Feed:
    """Posts entries as their time comes. An entry counts as posted when the API answered 2xx, and is sent again until then."""

    def __init__(self, api: str, secret: str, clock: Clock) -> None:
        self.posted = 0
        self._api, self._secret, self._clock = api, secret, clock
        self._order = itertools.count()
        self._due: list[tuple[datetime, int, Row]] = []

    def add(self, entry: Row) -> None:
        """Have an entry come in on its value date."""
        heapq.heappush(self._due, (arrives_at(entry), next(self._order), entry))

    async def run(self) -> None:
        """Feed until cancelled."""
        async with httpx.AsyncClient(base_url=self._api, timeout=10.0) as http:
            while True:
                now = await self._clock.now()
                while self._due and self._due[0][0] <= now:
                    if await self._post(http, self._due[0][2]):
                        heapq.heappop(self._due)
                        self.posted += 1
                await asyncio.sleep(0.05)

    async def _post(self, http: httpx.AsyncClient, entry: Row) -> bool:
        body = json.dumps(entry).encode()
        header = {HEADER: sign(self._secret, body), "Content-Type": "application/json"}
        try:
            answer = await http.post("/v1/entries", content=body, headers=header)
        except httpx.TransportError as error:
            log.warning("Entry %s is sent again: %s", entry["entry_id"], type(error).__name__)
            return False
        if answer.is_success:
            return True
        if answer.is_server_error:
            log.warning("Entry %s is sent again: status %s", entry["entry_id"], answer.status_code)
            return False
        raise RuntimeError(f"The API refused entry {entry['entry_id']}: {answer.text:.300}")
