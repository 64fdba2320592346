"""The addresses of Twilio's REST API for calls: create, fetch and list."""

from typing import TYPE_CHECKING

from aiohttp import web

from channels.simulator.script import Fault
from channels.simulator.twilio_api import _E164, _page_uri, _Refusal, _TwilioApi, _whole_number
from channels.simulator.voice import Call

if TYPE_CHECKING:
    from channels.simulator.server import Simulator

_PAGE_SIZE = 50
_LARGEST_PAGE = 1000


def add_routes(app: web.Application, simulator: "Simulator") -> None:
    """Let the application take calls as Twilio's API does, and show them under `/_simulator/calls`."""
    api = _VoiceApi(simulator)
    folder = "/2010-04-01/Accounts/{account}/Calls"
    app.router.add_post(folder + ".json", api.create)
    app.router.add_get(folder + ".json", api.list)
    app.router.add_get(folder + "/{sid}.json", api.fetch)
    app.router.add_get("/_simulator/calls", api.show)


class _VoiceApi(_TwilioApi):
    async def create(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        try:
            self._let_in(request)
            call = _checked_call(form)
            fault = self._simulator.fault_for(call.to)
            return await self._take_call(request, call, fault)
        except _Refusal as refusal:
            return refusal.answer()

    async def fetch(self, request: web.Request) -> web.Response:
        try:
            self._let_in(request)
            call = self._simulator.calls.get(request.match_info["sid"])
            if call is None:
                raise _Refusal(404, 20404, f"The requested resource {request.path} was not found")
            trouble = await self._go_wrong(request, self._simulator.fault_for(call.to, "look_up"))
        except _Refusal as refusal:
            return refusal.answer()
        return trouble or web.json_response(call.as_twilio(self._simulator.account_sid))

    async def list(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            self._let_in(request)
            size = min(_whole_number(request, "PageSize", _PAGE_SIZE), _LARGEST_PAGE)
            page = _whole_number(request, "Page", 0)
            trouble = await self._go_wrong(request, self._simulator.fault_for(query.get("To", ""), "look_up"))
        except _Refusal as refusal:
            return refusal.answer()
        if trouble is not None:
            return trouble
        found = [
            each
            for each in self._simulator.calls
            if query.get("To", each.to) == each.to and query.get("From", each.sender) == each.sender
        ]
        found.reverse()  # newest first
        start = page * size
        shown = found[start : start + size]
        return web.json_response(
            {
                "calls": [each.as_twilio(self._simulator.account_sid) for each in shown],
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

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response({"calls": [each.model_dump(mode="json") for each in self._simulator.calls]})

    async def _take_call(self, request: web.Request, call: Call, fault: Fault | None) -> web.Response:
        if fault is None or fault.taken or fault.kind in {"lost", "slow"}:
            self._simulator.ring(call)
        trouble = await self._go_wrong(request, fault)
        return trouble or web.json_response(call.as_twilio(self._simulator.account_sid), status=201)


def _checked_call(form: dict[str, str]) -> Call:
    to, sender, url = form.get("To", ""), form.get("From", ""), form.get("Url", "")
    if not to:
        raise _Refusal(400, 21201, "No 'To' number is specified")
    if not _E164.fullmatch(to):
        raise _Refusal(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if not _E164.fullmatch(sender):
        raise _Refusal(400, 21212, f"Invalid 'From' Phone Number: {sender}")
    if not url.startswith(("http://", "https://")):
        raise _Refusal(400, 21205, "Url is not a valid URL")
    return Call(
        to=to,
        sender=sender,
        url=url,
        callback=form.get("StatusCallback"),
        detects_machines=form.get("MachineDetection") in {"Enable", "DetectMessageEnd"},
    )
