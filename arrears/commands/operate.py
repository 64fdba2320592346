"""Commands for those who run the system: schema, registration, replay, rebuilding a lost case."""

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arrears.context import ledger, print_json, run, say, temporal
from domain.errors import BadInput
from ledger.case_view import find_loan
from ledger.migrate import migrate as bring_up_to_date
from ledger.strategies import publish_shipped
from workers.settings import settings

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHistory

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
UNDER_WAY = "WorkflowType in ('CollectionCase', 'DelinquencySweep') and ExecutionStatus = 'Running'"


def sweep(
    lender: Annotated[str | None, typer.Option(help="One lender; all without.")] = None,
    as_json: Json = False,
) -> None:
    """Start cases for what became due, now."""
    from starters.sweeps import start_sweep

    async def main() -> int:
        client = await temporal()
        started: int = await client.get_workflow_handle(await start_sweep(client, lender)).result()
        return started

    started = run(main)
    print_json({"started": started}) if as_json else say(f"{started} cases started.")


def migrate(as_json: Json = False) -> None:
    """Bring the database to this release's schema, and publish the shipped strategies."""
    bring_up_to_date(settings().dsn)

    async def main() -> None:
        async with ledger() as books, books.pool.acquire() as conn:
            await publish_shipped(conn)

    run(main)
    print_json({"migrated": True}) if as_json else say("The database has this release's schema.")


def register(as_json: Json = False) -> None:
    """Register with Temporal: search attributes, each lender's daily sweep, and this build where ARREARS_BUILD_ID is set."""
    from activities.contracts.attributes import types

    build_id = settings().build_id

    async def main() -> list[str]:
        client = await temporal()
        await _add_search_attributes(client)
        if build_id:
            await _register_build(client, build_id)
        return await _schedule_sweeps(client) if settings().database_url else []

    sweeps = run(main)
    if as_json:
        print_json({"search_attributes": sorted(types()), "build_id": build_id, "schedules": sweeps})
    else:
        say(f"Registered: {', '.join([*sorted(types()), *sweeps])}.")


async def _add_search_attributes(client: "Client") -> None:
    """Add those that are missing; where only the provider's own tool may, say with which command, and go on."""
    from temporalio.service import RPCError, RPCStatusCode

    from activities.contracts.attributes import types
    from workers.embedded import temporal as server

    try:
        await server.add_search_attributes(client, types())
    except RPCError as error:
        if error.status not in {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED}:
            raise
        wanted = " ".join(f"--search-attribute {name}={kind}" for name, kind in types().items())
        sys.stderr.write(
            "This server lets nobody look at search attributes or add them, as Temporal Cloud does not: where they are "
            f"missing, run `tcld namespace search-attributes add --namespace {client.namespace} {wanted}`.\n"
        )


async def _schedule_sweeps(client: "Client") -> list[str]:
    from starters.schedules import schedule_lenders

    async with ledger() as books:
        fast = (await books.clock.mapping()).fast  # the sweep then runs at the clock's own midnights
        return [] if fast else await schedule_lenders(client, books.pool)


def healthy(
    queue: Annotated[str, typer.Argument(help="A task queue: cases, contact or office.")],
) -> None:
    """Say whether a worker on this machine asks Temporal for work of a queue; exit 1 where none does. For health checks."""
    from socket import gethostname

    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

    async def main() -> bool:
        client = await temporal()
        kinds = (TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
        for kind in kinds:
            request = DescribeTaskQueueRequest(
                namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
            )
            pollers = (await client.workflow_service.describe_task_queue(request)).pollers
            if any(poller.identity.partition("@")[2] == gethostname() for poller in pollers):
                return True
        return False

    if not run(main):
        say(f"No worker on this machine asks for work of queue {queue}.")
        raise typer.Exit(1)
    say(f"A worker on this machine asks for work of queue {queue}.")


async def _register_build(client: "Client", build_id: str) -> None:
    from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest

    from workers import fleet

    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=fleet.DEPLOYMENT,
        build_id=build_id,
        ignore_missing_task_queues=True,
        allow_no_pollers=True,
    )
    await client.workflow_service.set_worker_deployment_current_version(request)


async def must_be_registered(client: "Client", build_id: str) -> None:
    """Refuse to serve a build that Temporal does not send work to.

    Raises:
        BadInput: the build is not registered.
    """
    from temporalio.api.deployment.v1 import WorkerDeploymentVersion
    from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentVersionRequest
    from temporalio.service import RPCError, RPCStatusCode

    from workers import fleet

    version = WorkerDeploymentVersion(deployment_name=fleet.DEPLOYMENT, build_id=build_id)
    request = DescribeWorkerDeploymentVersionRequest(namespace=client.namespace, deployment_version=version)
    try:
        await client.workflow_service.describe_worker_deployment_version(request)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise BadInput(
                f"build {build_id!r} is not registered with Temporal: run `arrears register` first."
            ) from None
        raise


def replay(
    folder: Annotated[
        Path | None,
        typer.Argument(help="A folder of histories as JSON; the open cases and sweeps of the namespace without."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Replay histories against this code, and compare each timer, activity, child and new run; exit 1 where one diverges.

    A replay sees only steps that came to their end: runs of the namespace whose next step fails now are named beside it.
    """
    from workers.replaying import Replayed
    from workers.replaying import replay as replayed

    skipped: list[str] = []
    failing: list[str] = []

    async def main() -> list[Replayed]:
        if folder is None:
            failing.extend([run async for run in failing_runs(await temporal())])
        histories = _of_folder(folder, skipped) if folder else open_runs(await temporal())
        # Told by the name of its file, replayed under its own.
        return [replace(await replayed(_itself(each)), workflow_id=each.workflow_id) async for each in histories]

    results = run(main)
    diverged = [r for r in results if r.differences]
    if as_json:
        told = [{"workflow_id": r.workflow_id, "events": r.events, "differences": r.differences} for r in diverged]
        print_json({"replayed": len(results), "diverged": told, "skipped": skipped, "failing": failing})
    else:
        for name in skipped:
            say(f"{name} is no history: skipped.")
        for each in diverged:
            for difference in each.differences:
                say(f"{each.workflow_id}: {difference}")
        for name in failing:
            say(f"{name} fails now: the worker's log, and the end of `temporal workflow show`, say why.")
        say(f"{len(results)} histories replayed, {len(diverged)} diverge.")
    if diverged:
        raise typer.Exit(1)


def _itself(history: "WorkflowHistory") -> "WorkflowHistory":
    """The same under the id that the workflow had, where the history tells it: a sweep names its reminders after that."""
    from temporalio.client import WorkflowHistory

    told = [e.workflow_execution_started_event_attributes.workflow_id for e in history.events[:1]]
    return WorkflowHistory("".join(told) or history.workflow_id, history.events)


async def open_runs(client: "Client") -> "AsyncIterator[WorkflowHistory]":
    """The histories of all cases and sweeps that are under way."""
    async for history in client.list_workflows(UNDER_WAY).map_histories():
        yield history


async def failing_runs(client: "Client") -> "AsyncIterator[str]":
    """The ids of cases and sweeps whose workflow tasks fail again and again; none where the server does not tell."""
    from temporalio.service import RPCError, RPCStatusCode

    query = f"{UNDER_WAY} and TemporalReportedProblems is not null"
    try:
        async for run in client.list_workflows(query):
            yield run.id
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:  # an older server has no such attribute
            raise


async def _of_folder(folder: Path, skipped: list[str]) -> "AsyncIterator[WorkflowHistory]":
    """The histories among the JSON files of a folder; the names of the rest go into `skipped`."""
    from google.protobuf.json_format import ParseError
    from temporalio.client import WorkflowHistory

    found = False
    for file in sorted(folder.glob("*.json")):  # noqa: ASYNC240 - nothing else runs in this command
        try:
            content = json.loads(file.read_text("utf-8"))
            if not isinstance(content, dict) or not content.get("events"):  # without any, the replay would not end
                skipped.append(file.name)
                continue
            yield WorkflowHistory.from_json(file.stem, content)
        except (ValueError, ParseError) as error:
            raise BadInput(f"history {file} cannot be read: {error}.") from None
        found = True
    if not found:
        raise BadInput(
            f"folder {folder} holds no history: put files such as `temporal workflow show -o json` writes there."
        )


def rebuild(
    loan: Annotated[str, typer.Argument(help="loan_id, or lender_id/loan_id")],
    as_json: Json = False,
) -> None:
    """Start the workflow of a case again from the ledger, where Temporal has lost it; one that runs is left alone."""
    from activities.case_in_hand import Desk
    from activities.opening import Opening

    async def main() -> tuple[str, bool]:
        client = await temporal()
        async with ledger() as books:
            async with books.pool.acquire() as conn:
                key = await find_loan(conn, loan)
                there = await conn.fetchval("select open from cases where lender_id = $1 and loan_id = $2", *key)
            if not there:
                raise BadInput(
                    f"loan {key} has no open case to rebuild: `arrears sweep` starts one where it is past due."
                )
            missing = not await _runs(client, key.workflow_id)
            if missing:
                await Opening(Desk(books.pool, books.clock), client).start(key)
            return key.workflow_id, missing

    workflow_id, started = run(main)
    if as_json:
        print_json({"workflow_id": workflow_id, "started": started})
    else:
        say(f"{workflow_id} was started again." if started else f"{workflow_id} runs already: nothing was done.")


async def _runs(client: "Client", workflow_id: str) -> bool:
    from temporalio.client import WorkflowExecutionStatus
    from temporalio.service import RPCError, RPCStatusCode

    try:
        found = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return found.status is WorkflowExecutionStatus.RUNNING
