"""The carrier's callbacks: receipts, texts and calls that come in. Twilio's signature is checked before anything is believed."""

import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Request, Response
from twilio.twiml.messaging_response import MessagingResponse

from activities.words import reply_text
from channels.twilio_codes import CODES
from channels.twilio_sms import refusal_kind, valid_signature
from domain.clock import Clock
from domain.errors import BadInput
from ledger.inbound import Reply, Trouble, take_receipt, take_reply
from starters.bodies import parse_form, read_body
from starters.problems import Refused, documented
from starters.replies import about

_log = logging.getLogger(__name__)

Form = dict[str, str]
TROUBLES = {each.value: each for each in Trouble}
TWIML: dict[int | str, dict[str, Any]] = {200: {"description": "TwiML", "content": {"application/xml": {}}}}


def twilio_routes(
    pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, auth_token: str | None, public_url: str
) -> APIRouter:
    """The addresses that Twilio calls."""
    routes = APIRouter(prefix="/twilio", tags=["twilio"])
    proof = Depends(_proof(auth_token, public_url.rstrip("/")))

    @routes.post(
        "/status",
        status_code=204,
        summary="What became of a text",
        responses=documented(400, 403, 404, 408, 413, 422, 503),
        openapi_extra=_form("MessageSid", "MessageStatus", "ErrorCode"),
    )
    async def status(form: Annotated[Form, proof], attempt: str) -> None:
        """`attempt` is the contact that the text was; the same receipt may come any number of times."""
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
            says=_in_words(error_code),
        )
        if not known:
            raise Refused(404, "attempt names no contact of ours: leave the address as it was given.")

    @routes.post(
        "/sms",
        summary="A text from a borrower",
        response_class=Response,
        responses=TWIML | documented(400, 403, 408, 413, 503),
        openapi_extra=_form("MessageSid", "From", "Body", "OptOutType"),
    )
    async def sms(form: Annotated[Form, proof]) -> Response:
        """Who asks to be left alone is, before this answers; STOP, START and HELP are answered, all else is for a person.

        A carrier that reads the word itself (`OptOutType`) has answered it too, and a second confirmation is one too many.
        """
        text, carrier_says = form.get("Body", "").replace("\x00", ""), form.get("OptOutType")
        heard = await take_reply(
            pool,
            clock,
            carrier_id=_needed(form, "MessageSid"),
            sender=_needed(form, "From"),
            body=text,
            about=about(text, carrier_says),
            answer=None if carrier_says else _answer,
        )
        answer = MessagingResponse()
        if heard.answer is not None:
            answer.message(heard.answer)
        return _twiml(str(answer))

    return routes


def _in_words(code: int | None) -> str:
    known = CODES.get(code) if code is not None else None
    return f"Twilio reports error {code}." + (f" {known.says}" if known else "")


def _answer(about: Reply, language: str, lender: str) -> str | None:
    """What is said back. Where the words cannot be sent the wish counts all the same, and nothing is said."""
    try:
        return reply_text(about.value, language, lender)
    except BadInput as error:
        _log.error("a text was not answered: %s", error)
        return None


def _proof(auth_token: str | None, public_url: str) -> Callable[[Request], Awaitable[Form]]:
    """What an address depends on: that is asked before its parameters are looked at, so a forger learns nothing of them."""

    async def proved(request: Request) -> Form:
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
