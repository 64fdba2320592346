"""Where nobody takes what the simulated carrier tells, it says so once."""

import asyncio

import pytest

from channels.simulator import callbacks
from tests.channels.far_side import Receiver


async def test_callbacks_that_nobody_takes_are_given_up_with_one_line(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(callbacks, "_PAUSES", (0.0,))
    receiver.answers = [503] * 20
    told = callbacks.Callbacks("token")
    url = f"{receiver.base_url}/twilio/status?attempt=a1"
    said = await asyncio.gather(*(told.post(url, {"MessageStatus": "sent"}) for _ in range(10)))
    await told.close()
    assert said == [None] * 10
    assert len(receiver.got) == 20
    said_so = [r.getMessage() for r in caplog.records if r.name == callbacks.__name__]
    assert said_so == [f"nobody takes callbacks at {receiver.base_url}: they are given up after 2 tries"]
