"""Records the histories that tests/workflows/test_replay.py replays: `.venv/bin/python -m tests.histories.record [NAME ...]`.

Record only what is new: an old file is a promise that cases which slept since then go on. One is replaced on purpose alone, before the
first release or when no case of its time can be left.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from ledger.migrate import migrate
from ledger.pool import open_pool
from tests.case import Case
from tests.environment import SEARCH_ATTRIBUTES, on_database, time_skipping_server
from tests.histories.sweeps import reminders, sweep
from tests.scenario import Scene, scene_on
from workers.embedded import EmbeddedPostgres
from workers.embedded.temporal import indexed_types

FOLDER = Path(__file__).parent


class Lived(Protocol):
    """What a story leaves behind: a case, or a sweep."""

    async def histories(self) -> list[WorkflowHistory]:
        """The history of every run."""
        ...


Story = Callable[[Scene], Awaitable[Lived]]


async def sms_cure(scene: Scene) -> Case:
    """Two texts, then the money."""
    case = await scene.case()
    await case.until(lambda n: n.what == "open_call_task")
    await case.pay("100")
    await case.until_closed()
    return case


async def legal_cure(scene: Scene) -> Case:
    """All the way to the demand letter, withdrawn by counsel after the money came."""
    case = await to_the_letter(scene)
    await case.pay("300")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    await case.until_closed()
    return case


async def to_the_letter(scene: Scene) -> Case:
    case = await scene.case((1, "300"))
    await case.until_task("call")
    await case.answer("call", "NO_ANSWER")
    await case.until_task("call")
    await case.answer("call", "RPC_REFUSED")
    await case.until_task("visit")
    await case.until(lambda n: n.what == "book_visit")  # nobody went in time
    await case.until_task("visit")
    await case.answer("visit", "MET_BORROWER")
    review = await case.until_task("pre_legal_review")
    await case.answer("pre_legal_review", "APPROVED", by="s1")
    await case.taken("approve", task_id=review["task_id"], by="s2")
    return case


async def suit(scene: Scene) -> Case:
    """A suit is filed and withdrawn."""
    case = await to_the_letter(scene)
    await case.until_task("file_suit")
    await case.answer("file_suit", "FILED", by="counsel")
    await case.pay("300")
    await case.answer("withdraw_suit", "WITHDRAWN", by="counsel")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    await case.until_closed()
    return case


async def bounce(scene: Scene) -> Case:
    """Cured while a call was asked for, then the payment is returned."""
    case = await scene.case()
    await case.until_task("call")
    await case.pay("100", entry_id=f"paid-{case.key.loan_id}")
    await scene.days(2)
    await case.reverse(f"paid-{case.key.loan_id}", "100")
    await case.until_task("call")
    await case.pay("100")
    await case.until_closed()
    return case


async def promise(scene: Scene) -> Case:
    """A promise that is broken, and one that is kept."""
    case = await scene.case()
    await case.until_task("call")
    await case.answer("call", "RPC_PTP", amount="100", due_on=(await scene.day(4)).isoformat())
    await case.until(lambda n: n.what not in {"remind_of_promise", "judge_promise"})
    await case.taken("promise_to_pay", amount="100", due_on=(await scene.day(4)).isoformat(), by="c1")
    await case.wake()
    await case.pay("100")
    await case.until_closed()
    return case


async def plan(scene: Scene) -> Case:
    """An instalment plan that takes the letter back, and is kept."""
    case = await to_the_letter(scene)
    dates = [{"due_on": (await scene.day(7 * n)).isoformat(), "amount": "100"} for n in (1, 2, 3)]
    await case.taken("agree_plan", instalments=dates, by="c1")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    for _ in range(3):
        await scene.days(7)
        await case.pay("100")
    await case.until_closed()
    return case


async def hold(scene: Scene) -> Case:
    """A dispute, resolved; a hold that ends by itself; the case closed by hand."""
    case = await scene.case()
    await case.until_task("call")
    await case.taken("raise_dispute", by="c1")
    await scene.days(3)
    await case.taken("resolve_dispute", by="c1")
    await case.taken("place_hold", reason="complaint", until=(await scene.day(4)).isoformat(), by="c1")
    await case.until_task("call")
    await case.taken("reassign", to="c7", by="s1")
    await case.poke()
    await case.taken("close_case", reason="sold", by="s1")
    return case


async def carrier_away(scene: Scene) -> Case:
    """Put off by the stop button, refused, then lost on the way: the text counts, and the case goes on."""
    await scene.stop(channel="sms")
    case = await scene.case()
    await case.wake()
    scene.carrier_does("refuse", code=20429, status=429, times=1)
    await scene.go(channel="sms")
    scene.carrier_does("drop")
    await case.until(lambda n: n.what == "open_call_task")
    await case.pay("100")
    await case.until_closed()
    return case


async def rollover(scene: Scene) -> Case:
    """The same in short runs, each begun with what the last one left."""
    case = await scene.loan()
    await case.open(roll_over_after=12)
    await case.until_task("call")
    await case.answer("call", "RPC_REFUSED")
    await case.pay("100")
    await case.until_closed()
    return case


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        sms_cure,
        legal_cure,
        suit,
        bounce,
        promise,
        plan,
        hold,
        carrier_away,
        rollover,
        sweep,
        reminders,
    )
}


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
    async with await open_pool(own) as pool, scene_on(pool, env.client, env) as scene:
        return await (await STORIES[name](scene)).histories()


async def record(names: list[str]) -> None:
    """Live each story, and keep the history of every run."""
    async for name, histories in lived(names):
        for number, history in enumerate(histories, 1):
            # A real server writes the id there, and a child is named after it; this server leaves it out.
            history.events[0].workflow_execution_started_event_attributes.workflow_id = history.workflow_id
            file = FOLDER / (f"{name}.json" if len(histories) == 1 else f"{name}-{number}.json")
            file.write_text(json.dumps(json.loads(history.to_json()), indent=1) + "\n", encoding="utf-8")
            print(f"{file.name}: {len(history.events)} events")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:] or list(STORIES)))
