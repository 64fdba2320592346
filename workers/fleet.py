"""Worker fleets: one worker for each task queue, all in one process or each in its own."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import PollerBehaviorAutoscaling, Worker, WorkerDeploymentConfig

from activities.contracts import CASES, CONTACT, OFFICE
from activities.registry import World, activities_by_queue
from domain.errors import BadInput
from workers.runner import needing_no_context, sandbox
from workflows.collection_case import CollectionCase
from workflows.sweep import DelinquencySweep

QUEUES = (CASES, CONTACT, OFFICE)
WORKFLOWS = (CollectionCase, DelinquencySweep)
DEPLOYMENT = "arrears"
# Each step of a case waits for the ledger, through a pool of ten connections. With more at once all are slower, until Temporal takes a
# step for lost after ten seconds and has it done again.
CASES_AT_ONCE = 10
ACTIVITIES_AT_ONCE = 20


def deployment(build_id: str | None) -> WorkerDeploymentConfig | None:
    """Versioned workers where a build id is set: cases stay with their build until they continue as new."""
    if not build_id:
        return None
    version = WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=build_id)
    return WorkerDeploymentConfig(
        version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.PINNED
    )


@dataclass(frozen=True)
class Tuning:
    """How much a worker does.

    Attributes:
        cached_cases: So many cases stay in memory; one that fell out is replayed when it wakes (docs/sizing.md).
        contacts_per_second: What the carrier takes from all workers together; Temporal holds the rest back. None for no limit.
    """

    cached_cases: int = 1000
    contacts_per_second: float | None = None


def build(
    client: Client,
    world: World,
    queues: Iterable[str] = QUEUES,
    build_id: str | None = None,
    tuning: Tuning = Tuning(),
) -> list[Worker]:
    """One worker a queue; those of `cases` run the workflows. How many polls each keeps open follows the server's word (1.28 and newer).

    Raises:
        BadInput: there is no such queue, or the client's converter asks for contexts.
    """
    needing_no_context(client.data_converter)
    offered = activities_by_queue(world)
    unknown = sorted(set(queues) - set(offered))
    if unknown:
        raise BadInput(f"task queue {unknown[0]!r} is unknown: use some of {', '.join(QUEUES)}.")
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=WORKFLOWS if queue == CASES else (),
            activities=offered[queue],
            workflow_runner=sandbox(),
            deployment_config=deployment(build_id),
            graceful_shutdown_timeout=timedelta(seconds=10),
            max_concurrent_activities=ACTIVITIES_AT_ONCE,
            max_cached_workflows=tuning.cached_cases,
            max_task_queue_activities_per_second=tuning.contacts_per_second if queue == CONTACT else None,
            max_concurrent_workflow_tasks=CASES_AT_ONCE,
            max_concurrent_local_activities=CASES_AT_ONCE,
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(maximum=CASES_AT_ONCE),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(maximum=ACTIVITIES_AT_ONCE),
        )
        for queue in queues
    ]


@asynccontextmanager
async def running(workers: list[Worker]) -> AsyncIterator[None]:
    """Run workers until the block ends, then let them finish what they have begun."""
    async with AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        yield
