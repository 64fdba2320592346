"""Ctrl-C, kill -9 and a second start: what happens to the servers when something happens to their parent."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import pytest_asyncio

from domain.errors import BadInput
from workers.embedded import EmbeddedPostgres, StateFolder

ROOT = Path(__file__).parents[2]


class Parent:
    """A process of its own group that holds one embedded server."""

    def __init__(self, process: asyncio.subprocess.Process, server: psutil.Process) -> None:
        self.process = process
        self.server = server

    async def last_words(self) -> tuple[str, str]:
        out, err = await asyncio.wait_for(self.process.communicate(), 60)
        return out.decode(), err.decode()

    async def server_is_gone(self) -> bool:
        gone, _ = await asyncio.to_thread(psutil.wait_procs, [self.server], 30)
        return bool(gone)


async def start_parent(kind: str, folder: Path) -> Parent:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.workers.embedded_parent",
        kind,
        str(folder),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    assert line, (await process.communicate())[1].decode()
    return Parent(process, psutil.Process(int(line)))


@pytest_asyncio.fixture(params=["postgres", "temporal"])
async def parent(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Parent]:
    started = await start_parent(request.param, tmp_path)
    yield started
    if started.process.returncode is None:
        started.process.send_signal(signal.SIGINT)
        await started.last_words()


async def test_ctrl_c_reaches_the_parent_alone_which_then_stops_the_server(parent: Parent) -> None:
    os.killpg(parent.process.pid, signal.SIGINT)
    out, _ = await parent.last_words()
    assert out == "answers 1\n"
    assert not parent.server.is_running()


async def test_a_killed_parent_leaves_no_server_and_its_folder_can_be_used_again(
    parent: Parent, tmp_path: Path
) -> None:
    parent.process.kill()
    await parent.last_words()
    assert StateFolder(tmp_path).running() is None
    assert await parent.server_is_gone()
    kind = "postgres" if (tmp_path / "postgres").exists() else "temporal"
    again = await start_parent(kind, tmp_path)
    again.process.send_signal(signal.SIGINT)
    assert (await again.last_words())[0] == "answers 1\n"


async def test_a_second_stack_on_the_same_folder_is_refused_by_name(parent: Parent, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused, StateFolder(tmp_path):
        pass
    assert str(refused.value) == (
        f"A stack is already running on the folder {tmp_path} (process {parent.process.pid}): "
        "stop it first, or give another folder with --dir."
    )
    assert parent.server.is_running()


async def test_a_running_stack_tells_other_commands_where_it_answers(parent: Parent, tmp_path: Path) -> None:
    addresses = StateFolder(tmp_path).running()
    assert addresses
    assert set(addresses) <= {"database_url", "temporal"}
    assert (tmp_path / "running.json").stat().st_mode & 0o077 == 0


async def test_a_server_that_outlived_its_parent_is_stopped_at_the_next_start(tmp_path: Path) -> None:
    forgotten = EmbeddedPostgres(tmp_path, durable=False)
    connection = await asyncpg.connect(await forgotten.start())
    await connection.execute("create table kept as select 7 as number")
    left_behind = psutil.Process(forgotten.pid)

    server = EmbeddedPostgres(tmp_path, durable=False)
    dsn = await server.start()
    assert not left_behind.is_running() or left_behind.status() == psutil.STATUS_ZOMBIE
    assert "received fast shutdown request" in (tmp_path / "postgres.log").read_text()
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("select number from kept") == 7
    await connection.close()
    await server.stop()
    await forgotten.stop()


def test_a_folder_is_free_again_when_its_stack_has_ended(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "state") as folder:
        folder.publish({"ui": "http://127.0.0.1:1"})
        assert StateFolder(tmp_path / "state").running() == {"ui": "http://127.0.0.1:1"}
    assert StateFolder(tmp_path / "state").running() is None
    with StateFolder(tmp_path / "state"):
        assert StateFolder(tmp_path / "state").running() is None


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"The folder .*/file/state cannot hold .* give another with --dir\."):
        StateFolder(tmp_path / "file" / "state").__enter__()
