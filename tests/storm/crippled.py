"""The command `arrears` with one mechanism taken away: the storm must then find failures. `python -m tests.storm.crippled SWITCH ...`."""

import asyncio
import sys
from dataclasses import replace
from typing import Any, Literal
from uuid import uuid4

from ledger import outbox
from ledger.posting import Posted
from starters import entries

Switch = Literal["commit", "unique", "outbox"]
SWITCHES: tuple[Switch, ...] = ("commit", "unique", "outbox")
AGAIN = "~"  # between a sender's id and what makes it another
_post = entries._post
_later: set["asyncio.Task[Any]"] = set()


def cripple(switch: str) -> None:
    """In this process."""
    match switch:
        case "commit":
            entries._post = _answer_first
        case "unique":
            entries._post = _take_each
        case "outbox":
            outbox.add = _tell_nobody  # type: ignore[assignment]
        case _:
            raise AssertionError(switch)


async def _answer_first(pool: Any, entry: Any, clock: Any) -> Any:
    """2xx before the commit."""

    async def commit() -> None:
        await asyncio.sleep(0.5)
        await _post(pool, entry, clock)

    task = asyncio.create_task(commit())
    _later.add(task)
    task.add_done_callback(_later.discard)
    return Posted("new", 1, False)


async def _take_each(pool: Any, entry: Any, clock: Any) -> Any:
    """The sender's id makes nothing the same."""
    posted = await _post(pool, entry, clock)
    if posted.status != "known":
        return posted
    return await _post(pool, replace(entry, entry_id=f"{entry.entry_id}{AGAIN}{uuid4()}"), clock)


async def _tell_nobody(*_: object) -> None:
    """The entry is committed without a message to its case."""


if __name__ == "__main__":
    from arrears.cli import main

    cripple(sys.argv.pop(1))
    main()
