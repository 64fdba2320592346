"""The carrier's callbacks: receipts, texts and calls that come in. Twilio's signature is checked before anything is believed."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from fastapi import APIRouter, Request, Response
from twilio.twiml.messaging_response import MessagingResponse

from channels.twilio_sms import refusal_kind, valid_signature
from domain.clock import Clock
from ledger.inbound import Trouble, take_receipt, take_reply
from starters.bodies import parse_form, read_body
from starters.problems import Refused, documented
from starters.replies import about

TROUBLES = {"dead_number": Trouble.DEAD_NUMBER, "opted_out": Trouble.OPTED_OUT}
TWIML: dict[int | str, dict[str, Any]] = {200: {"description": "TwiML", "content": {"application/xml": {}}}}


def twilio_routes(
    pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, auth_token: str | None, public_url: str
) -> APIRouter:
    """The addresses that Twilio calls."""
    routes = APIRouter(prefix="/twilio", tags=["twilio"])
    proved = _proof(auth_token, public_url.rstrip("/"))

    @routes.post(
        "/status",
        status_code=204,
        summary="What became of a text",
        responses=documented(400, 403, 404, 413, 422, 503),
        openapi_extra=_form("MessageSid", "MessageStatus", "ErrorCode"),
    )
    async def status(request: Request, attempt: str) -> None:
        """`attempt` is the contact that the text was; the same receipt may come any number of times."""
        form = await proved(request)
        sid, said = _needed(form, "MessageSid"), _needed(form, "MessageStatus")
        code = form.get("ErrorCode", "")
        error_code = int(code) if code.isascii() and code.isdigit() and len(code) <= 6 else None
        known = await take_receipt(
            pool,
            clock,
            contact_id=attempt,
            carrier_id=sid,
            status=said,
            error_code=error_code,
            trouble=TROUBLES.get(refusal_kind(error_code)) if said in {"failed", "undelivered"} else None,
        )
        if not known:
            raise Refused(404, "attempt names no contact of ours: leave the address as it was given.")

    @routes.post(
        "/sms",
        summary="A text from a borrower",
        response_class=Response,
        responses=TWIML | documented(400, 403, 413, 503),
        openapi_extra=_form("MessageSid", "From", "Body", "OptOutType"),
    )
    async def sms(request: Request) -> Response:
        """Who asks to be left alone is, before this answers. Nothing is said back here."""
        form = await proved(request)
        text = form.get("Body", "").replace("\x00", "")
        await take_reply(
            pool,
            clock,
            carrier_id=_needed(form, "MessageSid"),
            sender=_needed(form, "From"),
            body=text,
            about=about(text, form.get("OptOutType")),
        )
        return _twiml(str(MessagingResponse()))

    return routes


def _proof(auth_token: str | None, public_url: str) -> Callable[[Request], Awaitable[dict[str, str]]]:
    async def proved(request: Request) -> dict[str, str]:
        form = parse_form(await read_body(request))
        if not auth_token:
            raise Refused(503, "no carrier is set up here: set TWILIO_AUTH_TOKEN.")
        query = request.scope["query_string"].decode("latin-1")
        url = f"{public_url}{request.scope['path']}" + (f"?{query}" if query else "")
        if not valid_signature(auth_token, url, form, request.headers.get("X-Twilio-Signature", "")):
            raise Refused(403, "X-Twilio-Signature does not fit: check TWILIO_AUTH_TOKEN and ARREARS_PUBLIC_URL.")
        return form

    return proved


def _needed(form: dict[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value or len(value) > 64 or "\x00" in value:
        raise Refused(400, f"field {name} is missing or cannot be used: this is no callback of Twilio's.")
    return value


def _twiml(text: str) -> Response:
    return Response(text, media_type="application/xml")


def _form(*fields: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}}
