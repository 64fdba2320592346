"""What a test, the demonstration or a person at a desk asks of the simulator, under `/_simulator`."""

from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.simulator.messages import Message
from channels.simulator.script import Script

if TYPE_CHECKING:
    from channels.simulator.server import Simulator


class _ReplyOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: str = Field(alias="from")
    to: str | None = None
    text: str


def add_routes(app: web.Application, simulator: "Simulator") -> None:
    """Let the application be steered: messages, reply, script, reset."""
    control = _Control(simulator)
    app.router.add_get("/_simulator/messages", control.messages)
    app.router.add_post("/_simulator/reply", control.reply)
    app.router.add_get("/_simulator/script", control.script)
    app.router.add_post("/_simulator/script", control.play)
    app.router.add_post("/_simulator/reset", control.reset)


class _Control:
    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator

    async def messages(self, request: web.Request) -> web.Response:
        direction = request.query.get("direction", "outbound-api")
        found = [_shown(each) for each in self._simulator.messages if each.direction == direction]
        return web.json_response({"messages": found})

    async def reply(self, request: web.Request) -> web.Response:
        try:
            order = _ReplyOrder.model_validate_json(await request.read())
        except ValidationError as error:
            return _wrong(error)
        to = order.to or self._simulator.messages.last_sender_to(order.number)
        if to is None:
            return web.json_response(
                {"error": "nobody has written to this number; name the recipient in 'to'"}, status=400
            )
        message = self._simulator.receive(order.number, to, order.text)
        return web.json_response({"sid": message.sid}, status=202)

    async def script(self, request: web.Request) -> web.Response:
        return web.json_response(self._simulator.script.model_dump(mode="json"))

    async def play(self, request: web.Request) -> web.Response:
        try:
            script = Script.model_validate_json(await request.read())
        except ValidationError as error:
            return _wrong(error)
        self._simulator.play(script)
        return web.json_response({"borrowers": len(script.borrowers)})

    async def reset(self, request: web.Request) -> web.Response:
        self._simulator.reset()
        return web.json_response({})


def _shown(message: Message) -> dict[str, object]:
    return {
        "sid": message.sid,
        "to": message.to,
        "from": message.sender,
        "body": message.body,
        "status": message.status,
        "created": message.created.isoformat(),
        "status_callback": message.callback,
        "validity_seconds": message.validity_seconds,
        "error_code": message.error_code,
    }


def _wrong(error: ValidationError) -> web.Response:
    first = error.errors()[0]
    place = ".".join(str(each) for each in first["loc"]) or "the body"
    return web.json_response({"error": f"{place}: {first['msg']}"}, status=400)
