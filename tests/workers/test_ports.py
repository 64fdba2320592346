"""Two who start at one moment: the port that was free is another's before the server listens on it."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from workers.embedded import EmbeddedPostgres, EmbeddedTemporal, ports
from workers.embedded.ports import LOOPBACK, RememberedPorts


@pytest.fixture
def snatched(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port that looks free when it is picked first, and is another's when the server listens."""
    looks_free = ports.is_free
    with socket.create_server((LOOPBACK, 0)) as quicker:
        port: int = quicker.getsockname()[1]
        looked: list[int] = []

        def is_free(wanted: int) -> bool:
            looked.append(wanted)
            return (wanted == port and looked.count(port) <= 2) or looks_free(wanted)

        monkeypatch.setattr(ports, "is_free", is_free)
        yield port


async def test_postgres_takes_another(tmp_path: Path, snatched: int) -> None:
    server = EmbeddedPostgres(tmp_path, port=snatched, durable=False)
    dsn = await server.start()
    assert "Address already in use" in (tmp_path / "postgres.log").read_text()
    assert server.port != snatched
    await (await asyncpg.connect(dsn)).close()
    await server.stop()


async def test_temporal_takes_another(tmp_path: Path, snatched: int) -> None:
    server = EmbeddedTemporal(tmp_path, ui=False, port=snatched, in_memory=True)
    address = await server.start()
    assert "address already in use" in (tmp_path / "temporal.log").read_text()
    assert not address.host_port.endswith(f":{snatched}")
    await server.stop()


def test_our_own_servers_hold_what_they_picked(tmp_path: Path, snatched: int) -> None:
    with RememberedPorts(tmp_path / "ports.json").listen("api", snatched) as listening:
        assert listening.getsockname()[1] != snatched


def test_many_at_one_moment(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as free:
        wanted: int = free.getsockname()[1]

    def listen(number: int) -> socket.socket:
        return RememberedPorts(tmp_path / f"{number}.json").listen("api", wanted)

    with ThreadPoolExecutor(8) as starters:
        listening = list(starters.map(listen, range(24)))
    taken = {each.getsockname()[1] for each in listening}
    for each in listening:
        each.close()
    assert len(taken) == 24
    assert wanted in taken


def test_an_address_stays_though_the_usual_one_became_free(tmp_path: Path) -> None:
    remembered = RememberedPorts(tmp_path / "ports.json")
    with socket.create_server((LOOPBACK, 0)) as busy:
        usual: int = busy.getsockname()[1]
        with remembered.listen("api", usual) as listening:
            before = listening.getsockname()[1]
    assert before != usual
    assert remembered.pick("api", usual) == before
    with socket.create_server((LOOPBACK, before)):
        assert remembered.pick("api", usual) == usual
