"""Runs until it is told to end: Ctrl-C, or the SIGTERM of whoever supervises services. What is under way is finished first."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from fastapi import FastAPI


async def until_stopped() -> None:
    """Wait for Ctrl-C or a request to end."""
    stopped = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    await stopped.wait()


class _Server(uvicorn.Server):
    """One that leaves signals alone: its own handling ends the process by the signal, before the rest is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: "FastAPI", host: str, port: int) -> None:
    """Serve an application over HTTP until told to end; requests under way are answered."""
    server = _Server(uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False))
    serving = asyncio.ensure_future(server.serve())
    await asyncio.wait([serving, asyncio.ensure_future(until_stopped())], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
