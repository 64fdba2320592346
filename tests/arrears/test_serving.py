"""A service ends when it is told to, whatever its parts do with being cancelled."""

import asyncio

import pytest

from arrears.serving import ended


async def test_a_cancellation_that_is_lost_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arrears.serving.CANCEL_AGAIN", 0.05)
    lost = 0

    async def goes_on() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost == 2:
                    raise

    task = asyncio.create_task(goes_on())
    await asyncio.sleep(0)
    await asyncio.wait_for(ended([task]), 10)
    assert task.cancelled()


async def test_what_one_failed_with_is_raised() -> None:
    async def fails() -> None:
        raise KeyError("the relay")

    task, other = asyncio.create_task(fails()), asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    with pytest.raises(KeyError, match="the relay"):
        await ended([task, other])
    assert other.cancelled()
