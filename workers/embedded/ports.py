"""Loopback ports: the one used last time where it is free, else another."""

import json
import random
import socket
from contextlib import suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without this a server stopped a moment ago would still look present.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
    return True


def pick(preferred: int | None = None, *, avoid: frozenset[int] = frozenset()) -> int:
    """The preferred loopback port where it is free and not to be avoided, else another that is free.

    Nobody holds it yet: a server that is told of it may find that another was quicker. Where the server is ours, `listen`.
    """
    if preferred is not None and preferred not in avoid and is_free(preferred):
        return preferred
    while True:
        # Below the range from which the system gives outgoing connections theirs: one of those would be in the way.
        port = random.randrange(12_000, _first_ephemeral())  # noqa: S311 -- nobody must not guess it
        if port not in avoid and is_free(port):
            return port


def _first_ephemeral() -> int:
    with suppress(OSError, ValueError):
        return max(13_000, int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0]))
    return 32_768


class RememberedPorts:
    """Ports by name, kept in a small file so that addresses survive a restart.

    Args:
        path: The JSON file; written at each choice. A damaged file is treated as empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def pick(self, name: str, preferred: int | None = None) -> int:
        """The port this name had last time, else the preferred one, else any that is free; and remember it.

        Addresses that somebody wrote down hold after a restart, though the preferred port became free meanwhile.
        """
        known = self._read()
        others = frozenset(port for other, port in known.items() if other != name)
        before = known.get(name)
        port = pick(before if before is not None and is_free(before) else preferred, avoid=others)
        self._path.write_text(json.dumps({**known, name: port}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return port

    def listen(self, name: str, preferred: int | None = None) -> socket.socket:
        """A socket that listens on the port `pick` gives; on the next one where somebody was quicker."""
        while True:
            with suppress(OSError):
                return socket.create_server((LOOPBACK, self.pick(name, preferred)), backlog=1024)

    def _read(self) -> dict[str, int]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(known, dict):
            return {}
        return {name: port for name, port in known.items() if isinstance(port, int)}
