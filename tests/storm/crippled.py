"""The command `arrears` with one mechanism taken away: the storm must then find failures. `python -m tests.storm.crippled SWITCH ...`."""

import asyncio
import sys
from dataclasses import replace
from typing import Any, Literal
from uuid import uuid4

from ledger import next_version
from ledger.group_commit import GroupCommit
from ledger.new_entry import NewEntry
from ledger.posting import Posted

Switch = Literal["commit", "unique", "outbox"]
SWITCHES: tuple[Switch, ...] = ("commit", "unique", "outbox")
AGAIN = "~"  # between a sender's id and what makes it another
_post, _message_to_case = GroupCommit.post, next_version.message_to_case
_later: set["asyncio.Task[Any]"] = set()


def cripple(switch: str) -> None:
    """In this process."""
    match switch:
        case "commit":
            setattr(GroupCommit, "post", _answer_first)  # noqa: B010
        case "unique":
            setattr(GroupCommit, "post", _take_each)  # noqa: B010
        case "outbox":
            next_version.message_to_case = _tell_nobody
        case _:
            raise AssertionError(switch)


async def _answer_first(together: GroupCommit, entry: NewEntry) -> Posted:
    """2xx long before the commit."""

    async def commit() -> None:
        await asyncio.sleep(10)
        await _post(together, entry)

    task = asyncio.create_task(commit())
    _later.add(task)
    task.add_done_callback(_later.discard)
    return Posted("new", 1, False)


async def _take_each(together: GroupCommit, entry: NewEntry) -> Posted:
    """The sender's id makes nothing the same."""
    posted = await _post(together, entry)
    if posted.status != "known":
        return posted
    return await _post(together, replace(entry, entry_id=f"{entry.entry_id}{AGAIN}{uuid4()}"))


def _tell_nobody(entry: NewEntry, version: int, tells: bool, trace: str | None) -> dict[str, Any]:
    """The entry is committed without a message to its case."""
    return _message_to_case(entry, version, False, trace)


if __name__ == "__main__":
    from arrears.cli import main

    cripple(sys.argv.pop(1))
    main()
