"""A case whose payloads are sealed: its story is that of any other, Temporal keeps ciphertext of it, and it replays."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

import asyncpg
import pytest
import pytest_asyncio
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from channels.carrier import SmsAnswer, SmsRequest
from channels.twilio_sms import TwilioSms
from domain.errors import BadInput
from tests.case import Case
from tests.scenario import Scene, scene_on
from workers.codec import ENCODING, SEALED, codec, data_converter, make_key
from workers.replaying import replay

# The server indexes the first; the core writes the second for itself: a local activity's type, number and times.
READABLE = {"search_attributes.indexed_fields", "data.payloads"}
PHONE = "+12015550147"


@pytest_asyncio.fixture
async def sealed(
    pool: "asyncpg.Pool[asyncpg.Record]", time_skipping: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """A scene whose client and workers seal what they say."""
    monkeypatch.setenv("ARREARS_CODEC_KEYS", make_key("2026-11"))
    config = time_skipping.client.config()
    config["data_converter"] = data_converter()
    async with scene_on(pool, Client(**config), time_skipping) as it:
        yield it


def fail_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have the first `send_sms` fail, for good, with words that nobody should read; what was said."""
    send, said = TwilioSms.send_sms, list[str]()

    async def failing(self: TwilioSms, request: SmsRequest) -> SmsAnswer:
        if said:
            return await send(self, request)
        said.append(f"cannot write to {request.to}")
        raise BadInput(said[0])  # which is not tried again, so that the workflow itself opens the failure

    monkeypatch.setattr(TwilioSms, "send_sms", failing)
    return said


async def journey(scene: Scene, roll_over_after: int | None) -> Case:
    """A text, a call, a promise, its payment, and the end."""
    case = await scene.loan(phone=PHONE)
    await case.open(roll_over_after)
    await case.until_task("call")
    await case.answer("call", "RPC_PTP", amount="100", due_on=(await scene.day(4)).isoformat())
    await case.pay("100")
    await case.until_closed()
    return case


def payloads(message: Message, *above: str) -> Iterator[tuple[str, Payload]]:
    """Every payload of a message, with the last two names on the way to it."""
    for field, value in message.ListFields():
        for name, each in _members(field.name, value):
            if isinstance(each, Payload):
                yield ".".join((*above, field.name)[-2:]), each
            elif isinstance(each, Message):
                yield from payloads(each, *above, name)


def _members(name: str, value: object) -> list[tuple[str, object]]:
    """What a field holds, be it one, a list or a map: its members go by their keys."""
    if isinstance(value, Mapping):
        return list(value.items())
    return [(name, each) for each in (value if isinstance(value, Iterable) else [value])]


async def opened(found: Iterable[Payload]) -> bytes:
    """What payloads say, for whoever has the key."""
    sealing = codec()
    assert sealing is not None
    return b"\n".join(payload.data for payload in await sealing.decode(list(found)))


@pytest.mark.parametrize("roll_over_after", [None, 12])
async def test_a_sealed_case_replays_and_cannot_be_read(
    sealed: Scene, monkeypatch: pytest.MonkeyPatch, roll_over_after: int | None
) -> None:
    said = fail_once(monkeypatch)
    case = await journey(sealed, roll_over_after)
    assert (await case.told())[0] == "step_failed"
    assert await case.sent() == ["sms sms-1 unknown", "sms sms-2 sent", "call call-1 sent", "sms house-thanks sent"]
    histories = await case.histories()
    assert (len(histories) > 1) == (roll_over_after is not None)
    assert [(await replay(history)).differences for history in histories] == [()] * len(histories)

    events = [event for history in histories for event in history.events]
    found = [each for event in events for each in payloads(event)]
    assert {path for path, payload in found if payload.metadata[ENCODING] != SEALED} == READABLE
    within, kept = await opened(payload for _, payload in found), b"".join(e.SerializeToString() for e in events)
    for words in (said[0], "failing", "sms-1", "RPC_PTP", "outbox-", "the arrears are paid"):
        assert words.encode() in within, f"{words!r} is nowhere in the story"
        assert words.encode() not in kept, f"{words!r} can be read"
