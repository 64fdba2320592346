"""The folder where one machine keeps the state of its stack, for one running stack at a time."""

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from domain.errors import BadInput
from workers.embedded.ports import RememberedPorts


class StateFolder:
    """Databases, logs, ports and addresses of a stack, held by a lock that ends with the process that holds it.

    Use it as a context manager around the embedded servers.

    Args:
        directory: Made where it is missing, closed to other users.

    Raises:
        BadInput: on entering, when another process holds the folder or it cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.postgres = self.directory / "postgres"
        self.temporal = self.directory / "temporal"
        self.logs = self.directory / "logs"
        self._lock_file = self.directory / "lock"
        self._addresses_file = self.directory / "running.json"
        self._lock: IO[str] | None = None

    @property
    def ports(self) -> RememberedPorts:
        """The ports of the stack's other servers, kept from start to start."""
        return RememberedPorts(self.directory / "ports.json")

    def __enter__(self) -> Self:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
            lock = self._lock_file.open("a+", encoding="utf-8")
        except OSError as error:
            raise BadInput(
                f"The folder {self.directory} cannot hold the stack's state ({error.strerror}): give another with --dir."
            ) from error
        if not _take(lock, attempts=5):
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise BadInput(
                f"A stack is already running on the folder {self.directory} (process {holder}): "
                "stop it first, or give another folder with --dir."
            )
        self._lock = lock
        # What a killed stack published is no longer true.
        self._addresses_file.unlink(missing_ok=True)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._addresses_file.unlink(missing_ok=True)
        if self._lock:
            self._lock.close()
            self._lock = None

    def publish(self, addresses: Mapping[str, str]) -> None:
        """Write down where the stack that holds this folder answers, for commands in other terminals.

        The file is for the owner's eyes: the database's address holds its password.
        """
        fresh = self._addresses_file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"pid": os.getpid(), **addresses}, indent=2) + "\n", encoding="utf-8")
        fresh.replace(self._addresses_file)

    def running(self) -> dict[str, str] | None:
        """Where the stack that now holds this folder answers; None when none does, or it is not ready yet."""
        with suppress(OSError, ValueError):
            with self._lock_file.open(encoding="utf-8") as lock:
                if _take(lock):
                    return None
            published = json.loads(self._addresses_file.read_text(encoding="utf-8"))
            return {name: str(address) for name, address in published.items() if name != "pid"}
        return None


def _take(lock: IO[str], attempts: int = 1) -> bool:
    """Take the lock on an open file; it is given back when the file is closed.

    More than one attempt, because `running` in another process holds the lock for a moment to see whether it is free.
    """
    if sys.platform == "win32":
        raise BadInput(
            "The embedded stack does not run on Windows: name servers of your own in ARREARS_DATABASE_URL and "
            "TEMPORAL_ADDRESS."
        )
    import fcntl

    for attempt in range(attempts):
        if attempt:
            time.sleep(0.02)
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False
