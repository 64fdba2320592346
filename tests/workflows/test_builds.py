"""Sweeps on versioned workers: one that goes on moves to the build that is current, so that the old one drains."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError

from activities.contracts import CASES, REMIND, SweepRequest
from ledger.locks import lock_loan
from tests.case import poll
from tests.environment import SEARCH_ATTRIBUTES
from tests.histories.sweeps import AHEAD, STANDARD, Round
from tests.scenario import scene_on
from workers import fleet
from workers.codec import data_converter
from workers.embedded import EmbeddedTemporal
from workers.replaying import replay

PAGES = SweepRequest(walk=REMIND, page=1)
SLEEP = SweepRequest(walk=REMIND, again_at=datetime(2026, 3, 2, tzinfo=UTC))  # long past, so that nothing waits for it


@pytest_asyncio.fixture(scope="module")
async def versioned(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A server of its own: where a build is current, unversioned workers get nothing new, and other tests have no other."""
    folder = tmp_path_factory.mktemp("versioned")
    # One partition a queue: what the queue says of the current build is then what every worker gets.
    partitions = {f"matching.numTaskqueue{way}Partitions": 1 for way in ("Read", "Write")}
    server = EmbeddedTemporal(
        folder,
        ui=False,
        search_attributes=SEARCH_ATTRIBUTES,
        prompt_timers=True,
        in_memory=True,
        dynamic_config=partitions,
    )
    address = await server.start()
    yield await Client.connect(address.host_port, data_converter=data_converter())
    await server.stop()


async def make_current(client: Client, build: str) -> None:
    """As `arrears register` does, once the build's workers are there, and until the queue of the sweeps knows.

    The queue is asked itself: the deployment's own word that all know can stay out for ever (temporalio/temporal #11842).
    """
    there, service = client.namespace, client.workflow_service
    wanted = SetWorkerDeploymentCurrentVersionRequest(namespace=there, deployment_name=fleet.DEPLOYMENT, build_id=build)

    async def current() -> bool:
        with suppress(RPCError):  # its workers have not said yet that they are there
            await service.set_worker_deployment_current_version(wanted)
            return True
        return False

    async def known() -> bool:
        asked = DescribeTaskQueueRequest(
            namespace=there, task_queue=TaskQueue(name=CASES), task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
        )
        found = (await service.describe_task_queue(asked)).versioning_info
        return found.current_deployment_version.build_id == build

    await poll(current, f"the workers of {build}")
    await poll(known, f"the queue to know of {build}")


def builds(history: WorkflowHistory) -> set[str]:
    """The builds that did the steps of a run."""
    done = [e for e in history.events if e.HasField("workflow_task_completed_event_attributes")]
    return {e.workflow_task_completed_event_attributes.deployment_version.build_id for e in done}


@pytest.mark.parametrize("asked", [PAGES, SLEEP], ids=["after a page", "after a sleep"])
async def test_a_sweep_goes_on_with_the_newer_build(
    pool: "asyncpg.Pool[asyncpg.Record]", versioned: Client, asked: SweepRequest
) -> None:
    old, new = (f"{name}-{uuid4().hex[:8]}" for name in ("old", "new"))
    async with scene_on(pool, versioned) as scene:
        both = [*fleet.build(versioned, scene.world, build_id=old), *fleet.build(versioned, scene.world, build_id=new)]
        reminds = await scene.strategy(STANDARD, stages=(AHEAD, *STANDARD.stages))
        first, _ = [await scene.loan((-2, "100"), strategy=reminds, phone=None) for _ in range(2)]
        async with fleet.running(both):
            await make_current(versioned, old)
            async with pool.acquire() as conn, conn.transaction():
                await lock_loan(conn, first.key)  # so that the first page ends when the new build is current
                handle = await versioned.start_workflow("DelinquencySweep", asked, id=f"sweep-{old}", task_queue=CASES)

                async def begun() -> bool:
                    return bool((await handle.describe()).raw_description.pending_activities)

                await poll(begun, "the first page")
                await make_current(versioned, new)
            await handle.result()
        runs = await Round(scene, (handle.id,)).histories()
    assert [builds(run) for run in runs] == [{old}, {new}]
    for run in runs:
        assert (await replay(run)).differences == ()
