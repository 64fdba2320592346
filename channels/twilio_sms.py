"""Text messages through Twilio, or through another server that speaks its API.

Nothing here logs or repeats what Twilio says in words: its error texts name the number that was written to.
"""

import re
from asyncio import timeout as time_limit
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels.carrier import (
    Accepted,
    AnswerLost,
    CarrierMessage,
    LookUpFailed,
    RefusalKind,
    Refused,
    SmsAnswer,
    SmsRequest,
)
from channels.twilio_codes import CODES
from domain.errors import BadInput

_CLOCKS_DIFFER = timedelta(minutes=1)
# One person is never sent this many messages while an answer is being looked up.
_NEWEST = 200
_PAGE = 1000

# What the SDK raises over an answer that is not Twilio's: it reads it without looking.
_UNREADABLE = (TwilioException, ValueError, TypeError, AttributeError, KeyError)


def refusal_kind(code: int | None, status: int | None = None) -> RefusalKind:
    """What a Twilio error code means for the next attempt, from an answer or a status callback.

    Args:
        code: Twilio's error code, where there is one.
        status: The HTTP status of the answer, where there was one.
    """
    if status == 429:
        return "retry_later"
    known = CODES.get(code) if code is not None else None
    if known is not None:
        return known.kind
    return "our_fault" if status in {401, 403, 404} else "refused"


def valid_signature(auth_token: str, url: str, params: Mapping[str, str], signature: str) -> bool:
    """Whether a callback is Twilio's own.

    Args:
        auth_token: The account's secret.
        url: The address Twilio was told to call, with its query, as the world sees it.
        params: The posted form.
        signature: The header `X-Twilio-Signature`.
    """
    return bool(RequestValidator(auth_token).validate(url, dict(params), signature))


class _Throttled(Exception):
    """A 429; the SDK's own exception forgets the answer's headers, and with them how long to wait."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


class _HttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK has no py.typed
    """The SDK's client with an address of our choice, a limit on the whole request, and no log of whom we write to."""

    def __init__(self, base_url: str | None, seconds: float) -> None:
        super().__init__(timeout=seconds)
        self._base = urlsplit(base_url) if base_url else None

    def log_request(self, kwargs: Mapping[str, Any]) -> None:
        """Nothing: queries carry numbers."""

    def log_response(self, status_code: int, response: object) -> None:
        """Nothing."""

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """The request, sent once, with body and answer inside the time limit.

        Raises:
            _Throttled: The server answered 429.
            TimeoutError: There was no complete answer in time.
        """
        if self._base is not None:
            url = urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc).geturl()
        # The SDK keeps the timeout it is given and never uses it.
        async with time_limit(self.timeout):
            response = await super().request(method, url, *args, **kwargs)
        if response.status_code == 429:
            raise _Throttled(_seconds_to_wait(response.headers.get("Retry-After")))
        return response


class TwilioSms:
    """A `Carrier` and `CarrierLog` on the `twilio` SDK; make it inside a running event loop, and close it there."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        public_url: str,
        base_url: str | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        """Nothing is sent yet.

        Args:
            account_sid: Twilio's `AC...`.
            auth_token: The account's secret.
            public_url: Where Twilio reaches this installation; status callbacks go to `/twilio/status` below it.
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

    async def send_sms(self, request: SmsRequest) -> SmsAnswer:
        """Hand over one message, once; see `Carrier`."""
        try:
            message = await self._client.messages.create_async(
                to=request.to,
                from_=request.sender,
                body=request.body,
                validity_period=request.validity_seconds,
                status_callback=f"{self._public_url}/twilio/status?attempt={quote(request.attempt_id, safe='')}",
            )
        except _Throttled as error:
            return Refused(None, "Twilio asked us to slow down (HTTP 429).", error.retry_after, "retry_later")
        except (TwilioRestException, TwilioServiceException) as error:
            return _refused_or_lost(error.status, _code(error))
        except aiohttp.ClientConnectorError:
            # No connection came about, so no byte of the message left this machine.
            return Refused(None, "The carrier could not be reached.", None, "retry_later")
        except TimeoutError:
            return AnswerLost("The carrier did not answer in time.")
        except (aiohttp.ClientError, OSError):
            return AnswerLost("The connection to the carrier broke before it answered.")
        except _UNREADABLE:
            return AnswerLost("The carrier's answer could not be read.")
        return Accepted(message.sid) if message.sid else AnswerLost("The carrier's answer named no message.")

    async def find_sms(self, to: str, sender: str, since: datetime, reference: str) -> list[CarrierMessage]:
        """The messages that carry the reference, newest first; see `Carrier`."""
        mark = re.compile(rf"(?<![0-9A-Za-z]){re.escape(reference)}(?![0-9A-Za-z])")
        earliest = since - _CLOCKS_DIFFER
        # Not by Twilio's DateSent: a message still queued there has none, and would look as if it did not exist.
        query = self._client.messages.list_async(to=to, from_=sender, limit=_NEWEST)
        found = [_message(each) for each in await _asked(query)]
        return [each for each in found if each.created_at >= earliest and mark.search(each.body)]

    async def fetch(self, carrier_id: str) -> CarrierMessage:
        """The message under this id; see `Carrier`."""
        return _message(await _asked(self._client.messages(carrier_id).fetch_async()))

    async def sent_since(self, sender: str, since: datetime) -> list[CarrierMessage]:
        """What went out from a number; see `CarrierLog`."""
        return await self._since(since, from_=sender)

    async def received_since(self, number: str, since: datetime) -> list[CarrierMessage]:
        """What came in to a number; see `CarrierLog`."""
        return await self._since(since, to=number)

    async def _since(self, since: datetime, **whose: str) -> list[CarrierMessage]:
        # Newest first, page by page: Twilio filters by DateSent alone, which a message still queued does not have.
        async def read() -> list[CarrierMessage]:
            found: list[CarrierMessage] = []
            async for each in await self._client.messages.stream_async(page_size=_PAGE, **whose):
                message = _message(each)
                if message.created_at < since - _CLOCKS_DIFFER:
                    break
                if each.direction != "outbound-reply":
                    found.append(message)
            return found[::-1]

        found: list[CarrierMessage] = await _asked(read())
        return found

    async def close(self) -> None:
        """Let go of all connections."""
        await self._http.close()


async def _asked(query: Any) -> Any:
    """The answer to a question that changes nothing, or `LookUpFailed`."""
    try:
        return await query
    except _Throttled:
        reason = "Twilio asked us to slow down (HTTP 429)."
    except (TwilioRestException, TwilioServiceException) as error:
        reason = _refusal(error.status, _code(error))
    except TimeoutError:
        reason = "The carrier did not answer in time."
    except (aiohttp.ClientError, OSError):
        reason = "The carrier could not be reached."
    except _UNREADABLE:
        reason = "The carrier's answer could not be read."
    # Raised outside the handlers, so that no cause is chained: the SDK's exceptions repeat numbers and texts.
    raise LookUpFailed(reason)


def _refused_or_lost(status: int, code: int | None) -> Refused | AnswerLost:
    if 400 <= status < 500:
        return Refused(code, _refusal(status, code), None, refusal_kind(code, status))
    return AnswerLost(f"The carrier answered HTTP {status}, which does not say whether it took the message.")


def _refusal(status: int, code: int | None) -> str:
    if code is None:
        return f"Twilio refused with HTTP {status}."
    known = f" {CODES[code].says}" if code in CODES else ""
    return f"Twilio refused with error {code} (HTTP {status}).{known}"


def _code(error: TwilioRestException | TwilioServiceException) -> int | None:
    # Where an answer has no code of Twilio's, the SDK puts the HTTP status in its place.
    return error.code if isinstance(error.code, int) and error.code >= 1000 else None


def _message(found: Any) -> CarrierMessage:
    return CarrierMessage(
        carrier_id=found.sid,
        to=found.to,
        sender=found.from_,
        body=found.body or "",
        status=str(found.status),
        created_at=found.date_created,
        error_code=int(found.error_code) if found.error_code else None,
    )


def _seconds_to_wait(header: str | None) -> float | None:
    """The header `Retry-After`, which is a number of seconds or a date; None where it is neither."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
