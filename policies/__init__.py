"""Data, not code: strategies, rulebooks, messages and letters by language."""

from pathlib import Path


def folder() -> Path:
    """Where the policies lie on this machine, in a checkout and in an installed wheel alike."""
    return Path(__file__).parent
