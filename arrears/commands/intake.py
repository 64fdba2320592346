"""Temporary."""


def intake() -> None:
    """Temporary."""


def entries() -> None:
    """Temporary."""


def sample() -> None:
    """Temporary."""
