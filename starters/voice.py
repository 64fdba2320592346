"""The carrier's requests about automated calls: what to say, what was pressed, how a call ended. Twilio's signature is checked first."""

from typing import Annotated
from urllib.parse import quote

import asyncpg
from fastapi import APIRouter, Depends, Query, Response

from channels.twilio_voice import dead_number
from channels.voice_words import silence, twiml, words_for
from domain.clock import Clock
from domain.voice_words import CallBack
from ledger.voice import Heard, VoiceDesk
from starters.callbacks import TWIML, Form, _form, _needed, _proof, _twiml
from starters.problems import Refused, documented

MOST_KEYS = 8
NOT_OURS = "attempt names no call of ours: leave the address as it was given."


def voice_routes(
    pool: "asyncpg.Pool[asyncpg.Record]",
    clock: Clock,
    auth_token: str | None,
    public_url: str,
    call_back: CallBack | None,
) -> APIRouter:
    """The addresses that Twilio asks about calls; without `call_back` no automated call is made, and none is answered for."""
    routes = APIRouter(prefix="/twilio", tags=["twilio"])
    public_url = public_url.rstrip("/")
    proof = Depends(_proof(auth_token, public_url))
    desk = VoiceDesk(pool, clock, call_back, words_for) if call_back is not None else None

    @routes.post(
        "/voice",
        summary="What a call says next; or a call from a borrower",
        response_class=Response,
        responses=TWIML | documented(400, 403, 404, 408, 413, 422, 503),
        openapi_extra=_form("CallSid", "AnsweredBy", "Digits"),
    )
    async def voice(
        form: Annotated[Form, proof], attempt: str | None = None, step: Annotated[int, Query(ge=0, le=1000)] = 0
    ) -> Response:
        """`attempt` is the contact that the call is, `step` the turn that the keys answer; the same step always gets the same words.

        A call without `attempt` comes from somebody who calls this number: it is hung up without a word, so that nobody learns of a debt.
        """
        if attempt is None:
            return _twiml(silence())
        sid, keys = _needed(form, "CallSid"), form.get("Digits", "")
        heard = Heard(
            contact_id=attempt,
            carrier_id=sid,
            step=step,
            keys=keys if len(keys) <= MOST_KEYS and "\x00" not in keys else "",
            answered_by=form.get("AnsweredBy", "human"),
        )
        speech = await desk.turn(heard) if desk is not None else None
        if speech is None:
            raise Refused(404, NOT_OURS)
        answer_url = f"{public_url}/twilio/voice?attempt={quote(attempt, safe='')}&step={speech.step}"
        return _twiml(twiml(speech.words, speech.sentences, speech.asks, answer_url))

    @routes.post(
        "/voice/status",
        status_code=204,
        summary="What became of a call",
        responses=documented(400, 403, 404, 408, 413, 422, 503),
        openapi_extra=_form("CallSid", "CallStatus", "CallDuration", "AnsweredBy", "SipResponseCode", "ErrorCode"),
    )
    async def status(form: Annotated[Form, proof], attempt: str) -> None:
        """`attempt` is the contact that the call was; the same report may come any number of times."""
        code = form.get("ErrorCode", "")
        known = desk is not None and await desk.status(
            attempt,
            _needed(form, "CallSid"),
            _needed(form, "CallStatus"),
            seconds=_number(form.get("CallDuration", "")),
            answered_by=form.get("AnsweredBy"),
            dead_number=dead_number(code, form.get("SipResponseCode", "")),
            error_code=_number(code),
        )
        if not known:
            raise Refused(404, NOT_OURS)

    return routes


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None
