"""Records the histories that tests/workflows/test_replay.py replays: `.venv/bin/python -m tests.histories.record [NAME ...]`.

Record only what is new: an old file is a promise that cases which slept since then go on. One is replaced on purpose alone, before the
first release or when no case of its time can be left.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from ledger.migrate import migrate
from ledger.pool import open_pool
from tests.environment import SEARCH_ATTRIBUTES, on_database, time_skipping_server
from tests.histories.stories import STORIES
from tests.scenario import scene_on
from workers.embedded import EmbeddedPostgres
from workers.embedded.temporal import indexed_types

FOLDER = Path(__file__).parent


async def lived(names: list[str]) -> AsyncIterator[tuple[str, list[WorkflowHistory]]]:
    """Live each story on the server whose clock jumps: its name, and the history of every run."""
    with TemporaryDirectory(prefix="arrears-histories-") as folder:
        postgres = EmbeddedPostgres(Path(folder), durable=False)
        dsn = await postgres.start()
        async with await time_skipping_server() as env:
            attributes = indexed_types(SEARCH_ATTRIBUTES)
            await env.client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace="default", search_attributes=attributes)
            )
            for name in names:
                yield name, await _live(name, dsn, env)
        await postgres.stop()


async def _live(name: str, dsn: str, env: WorkflowEnvironment) -> list[WorkflowHistory]:
    async with await open_pool(dsn) as pool:
        await pool.execute(f"create database {name}")
    own = on_database(dsn, name)
    await asyncio.to_thread(migrate, own)
    async with await open_pool(own) as pool, scene_on(pool, env.client, env, calls=True) as scene:
        return await (await STORIES[name](scene)).histories()


async def record(names: list[str]) -> None:
    """Live each story, and keep the history of every run."""
    async for name, histories in lived(names):
        for number, history in enumerate(histories, 1):
            # A real server writes the id there, and a child is named after it; this server leaves it out.
            history.events[0].workflow_execution_started_event_attributes.workflow_id = history.workflow_id
            file = FOLDER / (f"{name}.json" if len(histories) == 1 else f"{name}-{number}.json")
            kept = json.loads(history.to_json(), object_hook=_without_stack)
            file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            print(f"{file.name}: {len(history.events)} events")


def _without_stack(message: dict[str, Any]) -> dict[str, Any]:
    """A failure's stack names folders of the machine that recorded it."""
    return {field: value for field, value in message.items() if field != "stackTrace"}


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:] or list(STORIES)))
