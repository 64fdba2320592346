"""Automated calls through Twilio, or through another server that speaks its API. Nothing here logs or repeats a number."""

from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import aiohttp
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.rest import Client

from channels.carrier import Accepted, AnswerLost, RefusalKind, Refused
from channels.twilio_sms import (
    _CLOCKS_DIFFER,
    _NEWEST,
    _UNREADABLE,
    _asked,
    _code,
    _HttpClient,
    _refused_or_lost,
    _Throttled,
)
from channels.voice_carrier import CallAnswer, CarrierCall, VoiceRequest
from domain.errors import BadInput

# Codes that only a call meets; the others mean what twilio_codes.py says.
_CODES: dict[int, RefusalKind] = {
    13223: "dead_number",  # not a number that can be dialled
    13224: "dead_number",  # invalid, or not reachable through Twilio
    10004: "retry_later",  # too many calls at once
    21205: "our_fault",  # our address is none
}
# What the telephone network says of a number that does not exist (SIP: not found, gone, incomplete, nowhere).
_NO_SUCH_NUMBER = frozenset({"404", "410", "484", "604"})


def dead_number(error_code: str, sip_code: str) -> bool:
    """Whether a status callback says that a number does not exist; both codes may be empty."""
    return sip_code in _NO_SUCH_NUMBER or error_code in {"13223", "13224", "21211", "21217"}


class TwilioVoice:
    """A `VoiceCarrier` on the `twilio` SDK; make it inside a running event loop, and close it there."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        public_url: str,
        base_url: str | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        """Nothing is dialled yet.

        Args:
            account_sid: Twilio's `AC...`.
            auth_token: The account's secret.
            public_url: Where Twilio reaches this installation: it asks at `/twilio/voice` below it what to say, and reports to
                `/twilio/voice/status`.
            base_url: Another server that speaks Twilio's API, as scheme, host and port; Twilio itself if None.
            timeout_seconds: How long one request may take in all; afterwards its answer counts as lost.

        Raises:
            BadInput: `base_url` or `public_url` is not a web address.
        """
        for name, url in (("ARREARS_TWILIO_BASE_URL", base_url), ("ARREARS_PUBLIC_URL", public_url)):
            if url is not None and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc):
                raise BadInput(
                    f"{name} is {url!r}, which is no web address; write it as https://host or http://host:port."
                )
        self._public_url = public_url.rstrip("/")
        self._http = _HttpClient(base_url, timeout_seconds)
        self._client = Client(account_sid, auth_token, http_client=self._http)

    async def place_call(self, request: VoiceRequest) -> CallAnswer:
        """Hand over one call, once; see `VoiceCarrier`."""
        attempt = quote(request.attempt_id, safe="")
        try:
            call = await self._client.calls.create_async(
                to=request.to,
                from_=request.sender,
                url=f"{self._public_url}/twilio/voice?attempt={attempt}",
                method="POST",
                status_callback=f"{self._public_url}/twilio/voice/status?attempt={attempt}",
                status_callback_method="POST",
                timeout=request.ring_seconds,
                time_limit=request.longest_seconds,
                # To the end of an announcement, so that what is left on it is not cut off.
                machine_detection="DetectMessageEnd",
            )
        except _Throttled as error:
            return Refused(None, "Twilio asked us to slow down (HTTP 429).", error.retry_after, "retry_later")
        except (TwilioRestException, TwilioServiceException) as error:
            return _for_calls(_refused_or_lost(error.status, _code(error)))
        except aiohttp.ClientConnectorError:
            # No connection came about, so no byte of the request left this machine.
            return Refused(None, "The carrier could not be reached.", None, "retry_later")
        except TimeoutError:
            return AnswerLost("The carrier did not answer in time.")
        except (aiohttp.ClientError, OSError):
            return AnswerLost("The connection to the carrier broke before it answered.")
        except _UNREADABLE:
            return AnswerLost("The carrier's answer could not be read.")
        return Accepted(call.sid) if call.sid else AnswerLost("The carrier's answer named no call.")

    async def find_calls(self, to: str, sender: str, since: datetime) -> list[CarrierCall]:
        """The calls to this person since then, newest first; see `VoiceCarrier`."""
        earliest = since - _CLOCKS_DIFFER
        # Not by Twilio's StartTime: a call still queued there has none, and would look as if it did not exist.
        found = await _asked(self._client.calls.list_async(to=to, from_=sender, limit=_NEWEST))
        # One that is too new to have a time is surely not too old.
        calls = [CarrierCall(c.sid, to, sender, str(c.status), c.date_created or datetime.now(UTC)) for c in found]
        return [each for each in calls if each.created_at >= earliest]

    async def close(self) -> None:
        """Let go of all connections."""
        await self._http.close()


def _for_calls(answer: Refused | AnswerLost) -> Refused | AnswerLost:
    if isinstance(answer, Refused) and answer.code in _CODES:
        return Refused(answer.code, answer.reason, answer.retry_after, _CODES[answer.code])
    return answer
