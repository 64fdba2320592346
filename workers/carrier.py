"""Which carrier a worker speaks to: Twilio where it has credentials, else the simulator, and it says so."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from channels.simulator import Simulator
from channels.twilio_sms import TwilioSms
from channels.twilio_voice import TwilioVoice
from channels.voice_carrier import VoiceCarrier
from channels.voice_words import read_call_back
from domain.clock import BusinessClock
from domain.errors import BadInput
from domain.voice_words import CallBack
from workers.settings import Settings, TwilioSettings


@dataclass(frozen=True)
class Line:
    """A carrier of texts and calls, the number that they come from, and what called people are told to call."""

    texts: TwilioSms
    calls: VoiceCarrier
    sender: str
    call_back: CallBack | None


FICTIONAL = "+12015550199"
log = logging.getLogger(__name__)


@asynccontextmanager
async def open_carrier(settings: Settings, clock: BusinessClock) -> AsyncIterator[Line]:
    """The carrier of texts and calls, and the number that they come from.

    Raises:
        BadInput: Twilio itself would be reached from a fast business clock, or its settings are incomplete.
    """
    twilio = TwilioSettings()
    if twilio.account_sid and twilio.auth_token:
        if clock.fast and not settings.twilio_base_url:
            raise BadInput(
                "the business clock runs fast and Twilio is real: unset TWILIO_ACCOUNT_SID, or run the clock at speed 1."
            )
        if not twilio.sender:
            raise BadInput("TWILIO_FROM is not set: give the number or sender that texts come from.")
        async with _line(
            twilio.account_sid, twilio.auth_token, settings, settings.twilio_base_url, twilio.sender
        ) as line:
            yield line
        return
    log.warning("There are no Twilio credentials: texts go to the simulator and reach nobody.")
    simulator = Simulator(inbound_url=f"{settings.public_url}/twilio/sms")
    base_url = await simulator.start()
    try:
        account, sender = (simulator.account_sid, simulator.auth_token), twilio.sender or FICTIONAL
        async with _line(*account, settings, base_url, sender) as line:
            yield line
    finally:
        await simulator.stop()


@asynccontextmanager
async def _line(
    account_sid: str, auth_token: str, settings: Settings, base_url: str | None, sender: str
) -> AsyncIterator[Line]:
    texts = TwilioSms(account_sid, auth_token, settings.public_url, base_url)
    calls = TwilioVoice(account_sid, auth_token, settings.public_url, base_url)
    try:
        yield Line(texts, calls, sender, call_back(settings))
    finally:
        await texts.close()
        await calls.close()


def call_back(settings: Settings) -> CallBack | None:
    """What an automated call tells people to call; None where the lender set nothing, and then no such call is made.

    Raises:
        BadInput: a part is missing, or cannot be used.
    """
    given = {
        "ARREARS_VOICE_BUSINESS": settings.voice_business,
        "ARREARS_VOICE_PERSON": settings.voice_person,
        "ARREARS_VOICE_NUMBER": settings.voice_number,
    }
    if not any(given.values()):
        return None
    for name, value in given.items():
        if not value:
            raise BadInput(
                f"{name} is not set: automated calls need all of {', '.join(given)}, or none for no such calls."
            )
    return read_call_back(*(value or "" for value in given.values()))
