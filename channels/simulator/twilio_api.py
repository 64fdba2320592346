"""The addresses of Twilio's REST API that Arrears calls: create, fetch and list messages."""

import asyncio
import hmac
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import encode_basic_auth, web

from channels.simulator.messages import Message
from channels.simulator.script import Fault

if TYPE_CHECKING:
    from channels.simulator.server import Simulator

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_LONGEST_BODY = 1600
_PAGE_SIZE = 50
_LARGEST_PAGE = 1000


def add_routes(app: web.Application, simulator: "Simulator") -> None:
    """Let the application answer as Twilio's API does, for this simulator."""
    api = _TwilioApi(simulator)
    folder = "/2010-04-01/Accounts/{account}/Messages"
    app.router.add_post(folder + ".json", api.create)
    app.router.add_get(folder + ".json", api.list)
    app.router.add_get(folder + "/{sid}.json", api.fetch)


class _Refusal(Exception):
    """Answered in Twilio's form of an error."""

    def __init__(self, status: int, code: int, message: str, retry_after: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after

    def answer(self) -> web.Response:
        body = {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        return web.json_response(body, status=self.status, headers=headers)


class _TwilioApi:
    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator

    async def create(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        try:
            self._let_in(request)
            message = self._checked(form)
            fault = self._simulator.fault_for(message.to)
            return await self._take(request, message, fault)
        except _Refusal as refusal:
            return refusal.answer()

    async def fetch(self, request: web.Request) -> web.Response:
        try:
            self._let_in(request)
            message = self._simulator.messages.get(request.match_info["sid"])
            if message is None:
                raise _Refusal(404, 20404, f"The requested resource {request.path} was not found")
            trouble = await self._go_wrong(request, self._simulator.fault_for(message.to, "look_up"))
        except _Refusal as refusal:
            return refusal.answer()
        return trouble or web.json_response(message.as_twilio(self._simulator.account_sid))

    async def list(self, request: web.Request) -> web.Response:
        try:
            self._let_in(request)
            size = min(_whole_number(request, "PageSize", _PAGE_SIZE), _LARGEST_PAGE)
            page = _whole_number(request, "Page", 0)
            found = [each for each in self._simulator.messages if _asked_for(each, request)]
            trouble = await self._go_wrong(request, self._simulator.fault_for(request.query.get("To", ""), "look_up"))
        except _Refusal as refusal:
            return refusal.answer()
        if trouble is not None:
            return trouble
        found.reverse()  # newest first
        start = page * size
        shown = found[start : start + size]
        return web.json_response(
            {
                "messages": [each.as_twilio(self._simulator.account_sid) for each in shown],
                "page": page,
                "page_size": size,
                "start": start,
                "end": start + max(len(shown) - 1, 0),
                "uri": str(request.rel_url),
                "first_page_uri": _page_uri(request, 0, size),
                "previous_page_uri": _page_uri(request, page - 1, size) if page else None,
                "next_page_uri": _page_uri(request, page + 1, size) if start + size < len(found) else None,
            }
        )

    def _let_in(self, request: web.Request) -> None:
        simulator = self._simulator
        expected = encode_basic_auth(simulator.account_sid, simulator.auth_token)
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
            raise _Refusal(401, 20003, "Authenticate")
        if request.match_info["account"] != simulator.account_sid:
            raise _Refusal(404, 20404, f"The requested resource {request.path} was not found")

    def _checked(self, form: dict[str, str]) -> Message:
        to, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
        if not to:
            raise _Refusal(400, 21604, "A 'To' phone number is required.")
        if not _E164.fullmatch(to):
            raise _Refusal(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not sender:
            raise _Refusal(400, 21603, "A 'From' phone number is required.")
        if not body:
            raise _Refusal(400, 21602, "Message body is required.")
        if len(body) > _LONGEST_BODY:
            raise _Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if self._simulator.messages.opted_out(to, sender):
            raise _Refusal(400, 21610, "Attempt to send to unsubscribed recipient")
        validity = form.get("ValidityPeriod")
        if validity is not None and not (validity.isdecimal() and 1 <= int(validity) <= 36000):
            raise _Refusal(400, 20001, "ValidityPeriod must be between 1 and 36000 seconds")
        return Message(
            direction="outbound-api",
            to=to,
            sender=sender,
            body=body,
            status="queued",
            callback=form.get("StatusCallback"),
            validity_seconds=int(validity) if validity else None,
        )

    async def _take(self, request: web.Request, message: Message, fault: Fault | None) -> web.Response:
        if fault is None or fault.taken or fault.kind in {"lost", "slow"}:
            await self._simulator.accept(message)
        trouble = await self._go_wrong(request, fault)
        return trouble or web.json_response(message.as_twilio(self._simulator.account_sid), status=201)

    async def _go_wrong(self, request: web.Request, fault: Fault | None) -> web.Response | None:
        """What comes in the answer's place; None where the request is answered after all."""
        match fault and fault.kind:
            case "refuse":
                assert fault
                raise _Refusal(fault.status or 400, fault.code, "Refused by the script", _retry_after(fault))
            case "error500":
                assert fault
                raise _Refusal(fault.status or 500, 20500, "An internal server error has occurred")
            case "hang":
                await self._simulator.stopped()
                return _hung_up(request)
            case "drop" | "lost":
                return _hung_up(request)
            case "slow":
                assert fault
                await asyncio.sleep(fault.seconds)
        return None


def _retry_after(fault: Fault) -> str | None:
    if fault.retry_after is None:
        return None
    if fault.retry_after_date:
        return format_datetime(datetime.now(UTC) + timedelta(seconds=fault.retry_after), usegmt=True)
    return str(fault.retry_after)


def _hung_up(request: web.Request) -> web.Response:
    """Close the connection under the request; the answer returned here reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _asked_for(message: Message, request: web.Request) -> bool:
    query = request.query
    if query.get("To", message.to) != message.to or query.get("From", message.sender) != message.sender:
        return False
    asked = {name: _moment(query[name]) for name in ("DateSent", "DateSent<", "DateSent>") if name in query}
    if not asked:
        return True
    sent = message.sent
    return (
        sent is not None
        and ("DateSent" not in asked or sent.date() == asked["DateSent"].date())
        and ("DateSent<" not in asked or sent <= asked["DateSent<"])
        and ("DateSent>" not in asked or sent >= asked["DateSent>"])
    )


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _Refusal(400, 20001, "DateSent must be a date") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _whole_number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isdecimal() or (name == "PageSize" and int(text) == 0):
        raise _Refusal(400, 20001, f"{name} must be a whole number")
    return int(text)


def _page_uri(request: web.Request, page: int, size: int) -> str:
    query = {**request.query, "PageSize": str(size), "Page": str(page)}
    return f"{request.path}?{urlencode(query)}"
