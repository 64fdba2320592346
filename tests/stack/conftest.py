"""The stacks that these tests call."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.machine import DAY, Stack, machine

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A stack whose business day lasts two seconds, with the strategy of quick.toml published."""
    with machine("--day", str(DAY), "--start", "2007-04-01") as running:
        assert running.ask("strategy", "publish", HERE / "quick.toml")["new"] is True
        yield running
