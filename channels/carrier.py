"""What Arrears asks of whoever carries its text messages, and the answers it tells apart.

The difference that matters is what an answer proves. `Accepted` proves that the message is with the carrier, `Refused`
proves that it is not, and `AnswerLost` proves nothing: such a message is looked up, and never simply sent again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

RefusalKind = Literal["retry_later", "dead_number", "opted_out", "our_fault", "refused"]
"""Why a carrier said no.

`retry_later`: it is busy or away, and the same message may pass later. `dead_number`: this number will never take a text
message. `opted_out`: the person told the carrier to stop. `our_fault`: account, sender or settings; every message would
meet the same end until someone mends them. `refused`: anything else, for this message alone.
"""


@dataclass(frozen=True, slots=True)
class SmsRequest:
    """One text message to hand over.

    Attributes:
        to: The recipient, E.164.
        sender: The number or name it comes from.
        body: The text, with the reference printed in it.
        attempt_id: The contact attempt in the ledger; comes back with every status callback.
        reference: The short mark by which the message is found again when the carrier's answer is lost.
        validity_seconds: How long the carrier may keep trying before it drops the message.
    """

    to: str
    sender: str
    body: str
    attempt_id: str
    reference: str
    validity_seconds: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier has the message, under this id."""

    carrier_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier does not have the message.

    Attributes:
        code: The carrier's own error code, where it gave one.
        reason: One sentence for the journal, without number or text.
        retry_after: Seconds the carrier asked to be left alone, where it said so.
        kind: What the refusal means for the next attempt.
    """

    code: int | None
    reason: str
    retry_after: float | None
    kind: RefusalKind


@dataclass(frozen=True, slots=True)
class AnswerLost:
    """Whether the carrier has the message is not known; `reason` is one sentence without number or text."""

    reason: str


SmsAnswer = Accepted | Refused | AnswerLost


@dataclass(frozen=True, slots=True)
class CarrierMessage:
    """A message as the carrier knows it.

    Attributes:
        carrier_id: The carrier's id of it.
        to: The recipient, E.164.
        sender: The number or name it came from.
        body: The text.
        status: The carrier's own word, such as `queued`, `sent`, `delivered`, `undelivered` or `failed`.
        created_at: When the carrier took it, by the carrier's clock, whole seconds.
        error_code: The carrier's code where delivery failed.
    """

    carrier_id: str
    to: str
    sender: str
    body: str
    status: str
    created_at: datetime
    error_code: int | None


class LookUpFailed(Exception):
    """The carrier could not say what became of a message; the text is one sentence without number or text message."""


class Carrier(Protocol):
    """Whoever carries text messages."""

    async def send_sms(self, request: SmsRequest) -> SmsAnswer:
        """Hand over one message, once: nothing below this call tries again."""
        ...

    async def find_sms(self, to: str, sender: str, since: datetime, reference: str) -> list[CarrierMessage]:
        """The messages to this recipient, from this sender, taken since that moment, with the reference in their text.

        Args:
            to: The recipient, E.164.
            sender: The number or name it came from.
            since: Real time, aware; a minute is allowed for clocks that differ.
            reference: The mark printed in the text; part of a longer word does not count.

        Raises:
            LookUpFailed: The carrier did not answer, so an absence would prove nothing.
        """
        ...

    async def fetch(self, carrier_id: str) -> CarrierMessage:
        """The message under this id.

        Raises:
            LookUpFailed: The carrier did not answer, or knows no such message.
        """
        ...

    async def close(self) -> None:
        """Let go of all connections; the carrier is of no use afterwards."""
        ...


class CarrierLog(Protocol):
    """What a carrier remembers: whoever has lost their own record asks it."""

    async def sent_since(self, sender: str, since: datetime) -> list[CarrierMessage]:
        """Every message that we handed over from this number since a moment (real time), oldest first; no answers within an exchange.

        Raises:
            LookUpFailed: The carrier did not answer.
        """
        ...

    async def received_since(self, number: str, since: datetime) -> list[CarrierMessage]:
        """Every message that came in to this number since a moment (real time), oldest first.

        Raises:
            LookUpFailed: The carrier did not answer.
        """
        ...
