"""The simulated carrier's memory: what it took and what came back, kept in a file if there is one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import IO, Any, Literal
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, Field

_STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START_WORDS = frozenset({"START", "YES", "UNSTOP"})
_FINAL = frozenset({"delivered", "undelivered", "failed", "received"})


def _now() -> datetime:
    # Twilio's times have whole seconds.
    return datetime.now(UTC).replace(microsecond=0)


class Message(BaseModel):
    """A text message, outbound to a borrower or inbound from one; times are real time in whole seconds."""

    sid: str = Field(default_factory=lambda: f"SM{uuid4().hex}")
    direction: Literal["outbound-api", "outbound-reply", "inbound"]
    to: str
    sender: str
    body: str
    status: str
    created: AwareDatetime = Field(default_factory=_now)
    updated: AwareDatetime = Field(default_factory=_now)
    sent: AwareDatetime | None = None
    callback: str | None = None
    validity_seconds: int | None = None
    error_code: int | None = None

    @property
    def settled(self) -> bool:
        """Whether its status will not change any more."""
        return self.status in _FINAL

    def moved_to(self, status: str, error_code: int | None = None) -> "Message":
        """The same message with a new status, from now on."""
        sent = self.sent or (_now() if status in {"sent", "delivered"} else None)
        return self.model_copy(update={"status": status, "updated": _now(), "sent": sent, "error_code": error_code})

    def as_twilio(self, account_sid: str) -> dict[str, Any]:
        """The message as Twilio's API shows it."""
        uri = f"/2010-04-01/Accounts/{account_sid}/Messages/{self.sid}.json"
        return {
            "account_sid": account_sid,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": format_datetime(self.created),
            "date_sent": format_datetime(self.sent) if self.sent else None,
            "date_updated": format_datetime(self.updated),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": uri.removesuffix(".json") + "/Media.json"},
            "to": self.to,
            "uri": uri,
        }


class MessageLog:
    """All messages by id, oldest first; with a file, one line of JSON per change, read again at the next start."""

    def __init__(self, path: Path | None) -> None:
        """Read what the file holds, if there is one; the folder is made if it is missing."""
        self._messages: dict[str, Message] = {}
        self._path = path
        self._file: IO[str] | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._messages = {each.sid: each for each in _read(path)}
            # Written anew, so that a line torn by a crash does not swallow the next one, and the file does not grow.
            self._open(path)

    def __iter__(self) -> Iterator[Message]:
        return iter(list(self._messages.values()))

    def get(self, sid: str) -> Message | None:
        """The message under this id, if it is known."""
        return self._messages.get(sid)

    def put(self, message: Message) -> None:
        """Take in a message, or its new state; on disk before this returns."""
        self._messages[message.sid] = message
        if self._file is not None:
            self._file.write(message.model_dump_json() + "\n")
            self._file.flush()

    def clear(self) -> None:
        """Forget all messages, in the file too."""
        self._messages.clear()
        if self._path is not None:
            self.close()
            self._open(self._path)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def ordinal(self, message: Message) -> int:
        """Which message for its number this one is; the first is 1."""
        ids = [
            each.sid for each in self._messages.values() if each.direction == "outbound-api" and each.to == message.to
        ]
        return ids.index(message.sid) + 1

    def last_sender_to(self, number: str) -> str | None:
        """Who wrote to this number last."""
        senders = [e.sender for e in self._messages.values() if e.direction == "outbound-api" and e.to == number]
        return senders[-1] if senders else None

    def opted_out(self, number: str, sender: str) -> bool:
        """Whether the person at this number told this sender to stop, and has not taken it back."""
        out = False
        for each in self._messages.values():
            if each.direction == "inbound" and (each.sender, each.to) == (number, sender):
                word = each.body.strip().upper()
                out = word in _STOP_WORDS or (out and word not in _START_WORDS)
        return out

    def _open(self, path: Path) -> None:
        draft = path.with_name(path.name + ".new")
        draft.write_text("".join(each.model_dump_json() + "\n" for each in self._messages.values()), encoding="utf-8")
        draft.replace(path)
        self._file = path.open("a", encoding="utf-8")


def _read(path: Path) -> Iterator[Message]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            content = json.loads(line)
        except json.JSONDecodeError:
            continue  # the last line of a process that was killed while writing it
        yield Message.model_validate(content)
