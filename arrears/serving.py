"""Runs until it is told to end: Ctrl-C, or the SIGTERM of whoever supervises services. What is under way is finished first."""

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from fastapi import FastAPI

CANCEL_AGAIN = 5.0  # seconds


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


async def ended(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Cancel what goes on for ever, and wait until it has ended; what one of them failed with is raised."""
    while going_on := {task for task in tasks if not task.done()}:
        for task in going_on:
            task.cancel()  # again, where the first was lost in a connection that broke at the same moment
        await asyncio.wait(going_on, timeout=CANCEL_AGAIN)
    for task in tasks:
        if not task.cancelled():
            task.result()
