"""Real servers for the tests: PostgreSQL with a database of its own for each test, and Temporal in two kinds.

`--temporal time-skipping` (default) gives `temporal_env` a clock that jumps; `local` gives it the embedded server;
`host:port` a server that is already there. Tests that ask for `time_skipping` itself run in the first case only.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.environment import SEARCH_ATTRIBUTES, in_memory, on_database, time_skipping_server
from workers.embedded import EmbeddedPostgres, EmbeddedTemporal, add_search_attributes
from workers.embedded.temporal import indexed_types

TIME_SKIPPING = "time-skipping"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--temporal", default=TIME_SKIPPING, help="time-skipping (default), local, or host:port")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need a jumping clock where the switch gives a real one."""
    if config.getoption("--temporal") == TIME_SKIPPING:
        return
    out = [item for item in items if "time_skipping" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]


@pytest_asyncio.fixture(scope="session")
async def postgres() -> AsyncIterator[str]:
    """The address of a PostgreSQL server whose role may create databases; ARREARS_TEST_DATABASE_URL names another."""
    if given := os.environ.get("ARREARS_TEST_DATABASE_URL"):
        yield given
        return
    # Not in pytest's folder, which each new run closes to the account that PostgreSQL has in root's stead.
    with TemporaryDirectory(prefix="arrears-tests-", dir=in_memory()) as folder:
        server = EmbeddedPostgres(Path(folder), durable=False)
        yield await server.start()
        await server.stop()


@pytest_asyncio.fixture(scope="session")
async def database_admin(postgres: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that creates and drops databases."""
    connection = await asyncpg.connect(postgres)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(scope="session")
async def template_database(postgres: str, database_admin: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[str]:
    """The name of a database with the schema and no rows, for cloning; nothing may stay connected to it."""
    from ledger.migrate import migrate

    name = f"template_{uuid4().hex}"
    await database_admin.execute(f"create database {name}")
    await asyncio.to_thread(migrate, on_database(postgres, name))
    yield name
    await database_admin.execute(f"drop database {name} with (force)")


@pytest_asyncio.fixture
async def database_url(
    postgres: str, database_admin: "asyncpg.Connection[asyncpg.Record]", template_database: str
) -> AsyncIterator[str]:
    """The address of an empty ledger that this test alone uses."""
    name = f"test_{uuid4().hex}"
    await database_admin.execute(f"create database {name} template {template_database} strategy file_copy")
    yield on_database(postgres, name)
    await database_admin.execute(f"drop database {name} with (force)")


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """Connections to this test's ledger."""
    from ledger.pool import open_pool

    async with await open_pool(database_url) as connections:
        yield connections


@pytest_asyncio.fixture(scope="module")
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server whose clock jumps over idle time; one per module, for all its workflows share the clock.

    Wait for one workflow at a time and move the clock with `sleep`: many waiters at once upset it.
    """
    async with await time_skipping_server() as environment:
        # This server knows the request to add them, and none to list them.
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace="default", search_attributes=indexed_types(SEARCH_ATTRIBUTES))
        )
        yield environment


@pytest_asyncio.fixture(scope="session")
async def dev_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a real Temporal server: an embedded one in memory, or the one the switch names."""
    from workers.codec import data_converter

    switch = request.config.getoption("--temporal")
    if switch not in {TIME_SKIPPING, "local"}:
        client = await Client.connect(switch, data_converter=data_converter())
        await add_search_attributes(client, SEARCH_ATTRIBUTES)
        yield client
        return
    server = EmbeddedTemporal(
        tmp_path_factory.mktemp("temporal"),
        ui=False,
        search_attributes=SEARCH_ATTRIBUTES,
        prompt_timers=True,
        in_memory=True,
    )
    address = await server.start()
    yield await Client.connect(address.host_port, data_converter=data_converter())
    await server.stop()


@pytest.fixture(scope="module")
def temporal_env(request: pytest.FixtureRequest) -> WorkflowEnvironment:
    """The Temporal environment that the switch asks for."""
    if request.config.getoption("--temporal") == TIME_SKIPPING:
        environment: WorkflowEnvironment = request.getfixturevalue("time_skipping")
        return environment
    return WorkflowEnvironment.from_client(request.getfixturevalue("dev_server"))
