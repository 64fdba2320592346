"""The command `arrears` with one mechanism taken away: the storm must then find failures. `python -m tests.storm.crippled SWITCH ...`."""

import asyncio
import sys
from dataclasses import replace
from typing import Any, Literal
from uuid import uuid4

from ledger import posting
from ledger.new_entry import NewEntry
from ledger.posting import Posted
from starters import entries

Switch = Literal["commit", "unique", "outbox"]
SWITCHES: tuple[Switch, ...] = ("commit", "unique", "outbox")
AGAIN = "~"  # between a sender's id and what makes it another
_post, _message_to_case = posting.post_entry, posting.message_to_case
_later: set["asyncio.Task[Any]"] = set()


def cripple(switch: str) -> None:
    """In this process."""
    match switch:
        case "commit":
            vars(entries)["post_entry"] = _answer_first
        case "unique":
            vars(entries)["post_entry"] = _take_each
        case "outbox":
            posting.message_to_case = _tell_nobody
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


def _tell_nobody(entry: NewEntry, version: int, tells: bool) -> dict[str, Any]:
    """The entry is committed without a message to its case."""
    return _message_to_case(entry, version, tells=False)


if __name__ == "__main__":
    from arrears.cli import main

    cripple(sys.argv.pop(1))
    main()
