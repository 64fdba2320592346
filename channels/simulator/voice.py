"""Calls at the simulated carrier: it rings, asks Arrears what to say, listens in the callee's stead, and reports how it ended."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin
from uuid import uuid4
from xml.etree import ElementTree

from pydantic import AwareDatetime, BaseModel, Field

from channels.simulator.callee import Callee

if TYPE_CHECKING:
    from channels.simulator.callbacks import Callbacks
    from channels.simulator.script import Script

_log = logging.getLogger(__name__)
_UNANSWERED = {"no_answer": "no-answer", "busy": "busy", "failed": "failed"}
_ANSWERED_BY = {"human": "human", "machine": "machine_end_beep", "fax": "fax"}
_LONGEST = 200  # answers of ours in one call


class Call(BaseModel):
    """A call; times are real time in whole seconds. `heard` is what the callee heard, sentence by sentence."""

    sid: str = Field(default_factory=lambda: f"CA{uuid4().hex}")
    to: str
    sender: str
    url: str
    callback: str | None = None
    detects_machines: bool = False
    status: str = "queued"
    created: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    answered_by: str | None = None
    seconds: int | None = None
    heard: list[str] = []

    @property
    def over(self) -> bool:
        """Whether its status will not change any more."""
        return self.status in {"completed", "busy", "no-answer", "failed", "canceled"}

    def as_twilio(self, account_sid: str) -> dict[str, Any]:
        """The call as Twilio's API shows it."""
        return {
            "account_sid": account_sid,
            "answered_by": self.answered_by,
            "api_version": "2010-04-01",
            "date_created": format_datetime(self.created),
            "date_updated": format_datetime(self.created),
            "direction": "outbound-api",
            "duration": str(self.seconds) if self.seconds is not None else None,
            "end_time": None,
            "from": self.sender,
            "sid": self.sid,
            "start_time": None,
            "status": self.status,
            "to": self.to,
            "uri": f"/2010-04-01/Accounts/{account_sid}/Calls/{self.sid}.json",
        }


class Switchboard:
    """All calls by id, oldest first, and the clockwork that plays them."""

    def __init__(self, account_sid: str) -> None:
        """No call yet."""
        self._account_sid = account_sid
        self._calls: dict[str, Call] = {}

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls.values()))

    def get(self, sid: str) -> Call | None:
        """The call under this id, if it is known."""
        return self._calls.get(sid)

    def clear(self) -> None:
        """Forget all calls; those under way end without a word."""
        self._calls.clear()

    def place(self, call: Call, script: "Script", callbacks: "Callbacks", latency: float) -> None:
        """Take a call, and play it by and by."""
        self._calls[call.sid] = call
        callee = script.behaviour(call.to).call
        callbacks.in_background(_Playing(self, call, callee, callbacks, latency).play())

    def form(self, call: Call, **more: str) -> dict[str, str]:
        """What every request about a call says."""
        return {
            "AccountSid": self._account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": call.sid,
            "CallStatus": call.status,
            "Direction": "outbound-api",
            "From": call.sender,
            "To": call.to,
            **more,
        }


class _Playing:
    """One call under way."""

    def __init__(self, board: Switchboard, call: Call, callee: Callee, callbacks: "Callbacks", latency: float) -> None:
        self._board = board
        self._call = call
        self._callee = callee
        self._callbacks = callbacks
        self._latency = latency
        self._keys = iter(callee.keys)

    async def play(self) -> None:
        call, callee = self._call, self._callee
        await asyncio.sleep(self._latency)
        call.status = "ringing"
        await asyncio.sleep(self._latency)
        if callee.answers in _UNANSWERED:
            call.status, call.seconds = _UNANSWERED[callee.answers], 0
        else:
            call.status, call.answered_by = "in-progress", _ANSWERED_BY[callee.answers]
            await self._talk()
            call.status, call.seconds = "completed", callee.seconds
        if call.callback is None or self._board.get(call.sid) is None:
            return  # nobody asked to hear of it, or it was forgotten by a reset
        more = {"CallDuration": str(call.seconds)} | self._answered_by()
        if callee.answers == "failed" and callee.sip_code is not None:
            more["SipResponseCode"] = str(callee.sip_code)
        for _ in range(2 if callee.stutters else 1):
            await self._callbacks.post(call.callback, self._board.form(call, **more))

    async def _talk(self) -> None:
        """Do what Arrears says until it hangs up, or the callee does."""
        url, more = self._call.url, self._answered_by()
        for told in range(1, _LONGEST + 1):
            text = await self._ask(url, more)
            if text is None:
                return
            following = self._follow(url, text, gone=told == self._callee.hangs_up_after)
            if following is None:
                return
            url, more = following
            await asyncio.sleep(self._latency)

    async def _ask(self, url: str, more: Mapping[str, str]) -> str | None:
        form = self._board.form(self._call, **more)
        text = await self._callbacks.ask(url, form)
        if self._callee.stutters and await self._callbacks.ask(url, form) != text:
            _log.warning("a request about a call that was sent twice got two different answers")
            return None
        return text

    def _follow(self, url: str, text: str, *, gone: bool) -> tuple[str, dict[str, str]] | None:
        """Play one document; the request that follows from it, or None where the call ends."""
        for verb in ElementTree.fromstring(text):  # noqa: S314 - our own API wrote it
            match verb.tag:
                case "Say":
                    self._call.heard.append(verb.text or "")
                case "Pause":
                    pass
                case "Redirect":
                    return urljoin(url, verb.text or ""), {}
                case "Gather":
                    self._call.heard += [say.text or "" for say in verb.iter("Say")]
                    if gone:
                        return None
                    keys = _fitting(next(self._keys, ""), verb)
                    if keys or verb.get("actionOnEmptyResult") == "true":
                        return urljoin(url, verb.get("action", "")), {"Digits": keys}
                case "Hangup":
                    return None
                case _:
                    _log.warning("the verb %s is not one that the simulator plays", verb.tag)
                    return None
        return None

    def _answered_by(self) -> dict[str, str]:
        known = self._call.detects_machines and self._call.answered_by
        return {"AnsweredBy": known} if known else {}


def _fitting(keys: str, gather: ElementTree.Element) -> str:
    """The keys as far as they are listened to."""
    before, _, _ = keys.partition(gather.get("finishOnKey", "#") or "\x00")
    return before[: int(gather.get("numDigits", "99"))]
