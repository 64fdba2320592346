"""What the histories of the day's round tell (tests/histories/record.py): its walks, its runs, and the reminders beside it."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from temporalio.client import WorkflowHistory

from activities.contracts import CASES, SweepRequest
from domain.strategy import Stage, Step
from ledger.late_fees import choose_late_fee
from ledger.strategies import shipped
from tests.scenario import Scene
from workflows.sweep import PAGES_A_RUN

STANDARD = next(s for s in shipped() if s.name == "standard")
AHEAD = Stage(name="reminder", from_dpd=-3, steps=(Step(id="remind-1", do="sms", template="upcoming"),))


@dataclass
class Round:
    """A sweep, and what it has started beside itself."""

    scene: Scene
    workflow_ids: tuple[str, ...]

    async def histories(self) -> list[WorkflowHistory]:
        """The history of every run, workflow by workflow, first to last."""
        return [history for each in self.workflow_ids for history in await self._runs(each)]

    async def _runs(self, workflow_id: str) -> list[WorkflowHistory]:
        found: list[WorkflowHistory] = []
        run_id: str | None = None
        while True:
            history = await self.scene.client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
            found.insert(0, history)
            run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id or None
            if run_id is None:
                return found


async def sweep(scene: Scene) -> Round:
    """A case a page, and one more than a run walks: the last is started in the next."""
    for _ in range(PAGES_A_RUN + 1):
        await scene.loan()
    return await _swept(scene, PAGES_A_RUN + 1, page=1)


async def reminders(scene: Scene) -> Round:
    """In the evening: a case, a late fee, and a reminder that sleeps until people may be contacted."""
    await scene.sleep(timedelta(hours=13))
    reminds = await scene.strategy(STANDARD, stages=(AHEAD, *STANDARD.stages))
    async with scene.pool.acquire() as conn:
        await choose_late_fee(conn, "default", await scene.day(-10), amount=Decimal(15))
    await scene.loan((3, "100"))
    await scene.loan((-2, "100"), strategy=reminds, phone="+12015550102")
    swept = await _swept(scene, 1)
    beside = f"{swept.workflow_ids[0]}-reminders"
    await scene.sleep(timedelta(hours=12))
    await scene.client.get_workflow_handle(beside).result()
    return Round(scene, (*swept.workflow_ids, beside))


async def _swept(scene: Scene, cases: int, page: int = 500) -> Round:
    """Sweep while the clock stands, so that no case goes on meanwhile."""
    assert scene.env is not None, "only a jumping clock stands still"
    with scene.env.auto_time_skipping_disabled():
        handle = await scene.client.start_workflow(
            "DelinquencySweep", SweepRequest(page=page), id="sweep", task_queue=CASES, result_type=int
        )
        assert await handle.result() == cases
    return Round(scene, (handle.id,))
