"""`arrears ARGUMENTS` as a process of its own, forked from one that has the program read already: a call takes a second less."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.forks import FORKS

WITHIN = 90  # seconds


class Done(NamedTuple):
    """What a command said, and its exit code."""

    code: int | None
    out: str
    err: str


def command(environment: Mapping[str, str], *arguments: object) -> Done:
    """Run a command to its end, in this environment and no other.

    Raises:
        TimeoutError: it has none.
    """
    with TemporaryDirectory(prefix="arrears-command-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = FORKS.Process(target=_become, args=([str(a) for a in arguments], dict(environment), out, err))
        process.start()
        process.join(WITHIN)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"arrears {arguments} did not end: {err.read_text()}")
        return Done(process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


async def arrears(database_url: str, *arguments: object) -> Done:
    """Run a command on a ledger."""
    return await asyncio.to_thread(command, os.environ | {"ARREARS_DATABASE_URL": database_url}, *arguments)


def _become(arguments: Sequence[str], environment: dict[str, str], out: Path, err: Path) -> None:
    from arrears.cli import main

    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate((Path(os.devnull), out, err)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
    # What the program wrote to until now knows nothing of the new environment, as of its encoding.
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww"))
    sys.argv = ["arrears", *arguments]
    main()
