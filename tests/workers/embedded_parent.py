"""A process that holds a state folder and one embedded server until Ctrl-C: `python -m ... postgres|temporal DIR`."""

import asyncio
import sys
from pathlib import Path

import asyncpg
from temporalio.client import Client

from workers.embedded import EmbeddedPostgres, EmbeddedTemporal, StateFolder


async def hold_postgres(folder: StateFolder) -> None:
    server = EmbeddedPostgres(folder.postgres, durable=False)
    dsn = await server.start()
    folder.publish({"database_url": dsn})
    try:
        await announce(server.pid)
    finally:
        connection = await asyncpg.connect(dsn)
        print("answers", await connection.fetchval("select 1"), flush=True)
        await connection.close()
        await server.stop()


async def hold_temporal(folder: StateFolder) -> None:
    server = EmbeddedTemporal(folder.temporal, ui=False)
    host_port, _ = await server.start()
    folder.publish({"temporal": host_port})
    try:
        await announce(server.pid)
    finally:
        client = await Client.connect(host_port)
        print("answers", int(await client.service_client.check_health()), flush=True)
        await server.stop()


async def announce(pid: int | None) -> None:
    print(pid, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with StateFolder(Path(sys.argv[2])) as held:
        asyncio.run({"postgres": hold_postgres, "temporal": hold_temporal}[sys.argv[1]](held))
