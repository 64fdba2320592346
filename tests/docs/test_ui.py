"""The queries that docs/ui.md tells operators to save find what they say, on a real server."""

import re
from datetime import UTC, datetime
from pathlib import Path

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from activities.contracts import attributes as a
from tests.case import poll

PAGE = (Path(__file__).parents[2] / "docs" / "ui.md").read_text("utf-8")
QUERIES = dict(re.findall(r"^-- ([^:\n]+).*\n(.+)$", PAGE, re.M))
QUEUE = "nobody-works-here"
NEVER = "a build that no test has"


@workflow.defn(name="CollectionCase", sandboxed=False)
class Broken:
    """A release whose case fails at once."""

    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("a fault")


async def begin(client: Client, name: str, *, queue: str = QUEUE, **values: object) -> str:
    """A case with these search attributes."""
    keys = {key.name: key for key in a.REGISTRY}
    pairs = [SearchAttributePair(keys[k], v) for k, v in values.items()]
    handle = await client.start_workflow(
        "CollectionCase", id=f"ui-{name}", task_queue=queue, search_attributes=TypedSearchAttributes(pairs)
    )
    return handle.id


async def test_each_query_finds_what_it_says_and_nothing_else(dev_server: Client) -> None:
    old = datetime(2026, 3, 1, tzinfo=UTC)
    begun = {
        "all in legal in a country": await begin(dev_server, "legal", LoanStage="legal", Country="IT"),
        "all held from contact": await begin(dev_server, "held", LoanStage="call", HoldScopes=["contact", "legal"]),
        "left behind": await begin(dev_server, "behind", LoanStage="sms", DelinquentSince=old),
        "one collector's": await begin(dev_server, "c1", LoanStage="call", Collector="c1"),
        "stuck": await begin(dev_server, "stuck", queue="ui-stuck", LoanStage="call"),
    }
    await begin(dev_server, "elsewhere", LoanStage="legal", Country="CN", HoldScopes=["legal"])
    assert set(begun) | {"still on an old build"} == set(QUERIES)

    async def found(name: str) -> set[str]:
        query = QUERIES[name].replace("OLD", NEVER)
        return {run.id async for run in dev_server.list_workflows(query) if run.id.startswith("ui-")}

    async with Worker(dev_server, task_queue="ui-stuck", workflows=[Broken]):
        for name, workflow_id in begun.items():

            async def is_there(name: str = name, workflow_id: str = workflow_id) -> bool:
                return workflow_id in await found(name)

            await poll(is_there, f"the query {name!r} to find {workflow_id}")
            assert await found(name) == {workflow_id}
    assert await found("still on an old build") == set()
    for workflow_id in [*begun.values(), "ui-elsewhere"]:
        await dev_server.get_workflow_handle(workflow_id).terminate()
