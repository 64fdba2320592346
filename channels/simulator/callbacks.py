"""What the simulated carrier tells Arrears by itself: signed, tried a few times, and given up without a fuss."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

_log = logging.getLogger(__name__)

# Enough for a short restart of the other side, not for an outage.
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
_AT_ONCE = 20


class Callbacks:
    """Posts forms with Twilio's signature, and looks after everything that the simulator does in the background."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._turnstile = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[object]] = set()
        self._given_up = False

    def in_background(self, work: Coroutine[Any, Any, object]) -> None:
        """Do this by and by; it is cancelled when the simulator stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def post(self, url: str, form: Mapping[str, str]) -> str | None:
        """What the other side answers once it takes the form; None where it does not. It is not asked again after a 4xx."""
        headers = {"X-Twilio-Signature": self._validator.compute_signature(url, form)}
        for pause in (*_PAUSES, None):
            async with self._turnstile:
                status, answer = await self._post_once(url, form, headers)
            if status is not None and status < 500:
                return answer if status < 400 else None
            if pause is not None:
                await asyncio.sleep(pause)
        if not self._given_up:  # where one is not taken, mostly none is
            self._given_up = True
            _log.warning(
                "nobody takes callbacks at %s: they are given up after %d tries", URL(url).origin(), len(_PAUSES) + 1
            )
        return None

    async def ask(self, url: str, form: Mapping[str, str]) -> str | None:
        """What the other side answers to a form; None where it answers no 2xx. Not tried again: somebody is on the line."""
        headers = {"X-Twilio-Signature": self._validator.compute_signature(url, form)}
        try:
            async with self._session.post(URL(url, encoded=True), data=form, headers=headers) as answer:
                return await answer.text() if answer.ok else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None

    async def _post_once(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int | None, str | None]:
        try:
            # The address is signed as it stands, so it must also go out as it stands.
            async with self._session.post(URL(url, encoded=True), data=form, headers=headers) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None, None

    async def close(self) -> None:
        """Stop all that is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()
