"""What Arrears asks of whoever carries its automated calls. The answers are those of texts: what they prove is in carrier.py."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from channels.carrier import Accepted, AnswerLost, Refused

CallAnswer = Accepted | Refused | AnswerLost


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """One call to place, in which a machine will speak.

    Attributes:
        to: Whom to call, E.164.
        sender: The number it comes from.
        attempt_id: The contact attempt in the ledger; comes back with every request about the call.
        ring_seconds: How long it may ring.
        longest_seconds: How long it may last once answered.
    """

    to: str
    sender: str
    attempt_id: str
    ring_seconds: int = 25
    longest_seconds: int = 600


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """A call as the carrier knows it.

    Attributes:
        carrier_id: The carrier's id of it.
        to: Who was called, E.164.
        sender: The number it came from.
        status: The carrier's own word, such as `queued`, `ringing`, `in-progress`, `completed`, `busy` or `no-answer`.
        created_at: When the carrier took it, by the carrier's clock, whole seconds.
    """

    carrier_id: str
    to: str
    sender: str
    status: str
    created_at: datetime


class VoiceCarrier(Protocol):
    """Whoever carries calls."""

    async def place_call(self, request: VoiceRequest) -> CallAnswer:
        """Hand over one call, once: nothing below this call tries again."""
        ...

    async def find_calls(self, to: str, sender: str, since: datetime) -> list[CarrierCall]:
        """The calls to this person, from this number, taken since that moment. A call carries no reference that would tell more.

        Args:
            to: Who was called, E.164.
            sender: The number it came from.
            since: Real time, aware; a minute is allowed for clocks that differ.

        Raises:
            LookUpFailed: The carrier did not answer, so an absence would prove nothing.
        """
        ...

    async def close(self) -> None:
        """Let go of all connections; the carrier is of no use afterwards."""
        ...
