"""What the carrier knows and the ledger does not, each message given to one contact at most."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.carrier import CarrierLog, CarrierMessage
from channels.voice_carrier import CarrierCall, VoiceCarrier
from ledger.recovery import RECOVERY

CLOCKS_DIFFER = timedelta(minutes=1)
Found = CarrierMessage | CarrierCall


@dataclass
class Unclaimed:
    """Messages that the carrier took and no contact names, by the number they went to, oldest first."""

    sender: str
    calls: VoiceCarrier
    texts: dict[str, list[CarrierMessage]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    async def read(cls, conn: Any, log: CarrierLog, calls: VoiceCarrier, sender: str, since: datetime) -> "Unclaimed":
        """Ask the carrier for everything since a moment.

        Raises:
            LookUpFailed: the carrier did not answer.
        """
        found = cls(sender, calls)
        messages = await log.sent_since(sender, since)
        claimed = await _claimed(conn, [m.carrier_id for m in messages])
        for message in messages:
            if message.carrier_id not in claimed:
                found.texts[message.to].append(message)
        return found

    def text(self, number: str | None, first: datetime, last: datetime) -> CarrierMessage | None:
        """Take the oldest text to a number that fits between two moments; a minute is allowed for clocks that differ."""
        waiting = self.texts.get(number or "", [])
        for message in waiting:
            if first - CLOCKS_DIFFER <= message.created_at <= last + CLOCKS_DIFFER:
                waiting.remove(message)
                return message
        return None

    def referred(self, number: str | None, reference: str) -> CarrierMessage | None:
        """Take the text to a number in which a contact's reference is printed."""
        waiting = self.texts.get(number or "", [])
        mark = re.compile(rf"(?<![0-9A-Za-z]){re.escape(reference)}(?![0-9A-Za-z])")
        found = next((message for message in waiting if mark.search(message.body)), None)
        if found is not None:
            waiting.remove(found)
        return found

    async def call(self, conn: Any, number: str | None, first: datetime, last: datetime) -> CarrierCall | None:
        """The one call to a number that fits between two moments and no contact names."""
        if number is None:
            return None
        found = await self.calls.find_calls(number, self.sender, first)
        claimed = await _claimed(conn, [c.carrier_id for c in found])
        fitting = [c for c in found if c.carrier_id not in claimed and c.created_at <= last + CLOCKS_DIFFER]
        return fitting[0] if len(fitting) == 1 else None

    def rest(self) -> list[CarrierMessage]:
        """What nobody took."""
        return [message for waiting in self.texts.values() for message in waiting]


async def _claimed(conn: Any, ids: list[str]) -> set[str]:
    return {row["carrier_id"] async for row in RECOVERY.claimed(conn, ids=ids)}
