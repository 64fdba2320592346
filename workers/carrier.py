"""Which carrier a worker speaks to: Twilio where it has credentials, else the simulator, and it says so."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channels.carrier import Carrier
from channels.simulator import Simulator
from channels.twilio_sms import TwilioSms
from domain.clock import BusinessClock
from domain.errors import BadInput
from workers.settings import Settings, TwilioSettings

FICTIONAL = "+12015550199"
log = logging.getLogger(__name__)


@asynccontextmanager
async def open_carrier(settings: Settings, clock: BusinessClock) -> AsyncIterator[tuple[Carrier, str]]:
    """The carrier and the number that texts come from.

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
        carrier = TwilioSms(twilio.account_sid, twilio.auth_token, settings.public_url, settings.twilio_base_url)
        try:
            yield carrier, twilio.sender
        finally:
            await carrier.close()
        return
    log.warning("There are no Twilio credentials: texts go to the simulator and reach nobody.")
    simulator = Simulator(inbound_url=f"{settings.public_url}/twilio/sms")
    base_url = await simulator.start()
    carrier = TwilioSms(simulator.account_sid, simulator.auth_token, settings.public_url, base_url)
    try:
        yield carrier, twilio.sender or FICTIONAL
    finally:
        await carrier.close()
        await simulator.stop()
