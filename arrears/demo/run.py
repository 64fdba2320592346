"""The demo: real debts and a made-up business, played through four months in four minutes, on the real system."""

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path

import typer
from rich.console import Console

from arrears.demo.feed import Feed
from arrears.demo.people import People
from arrears.demo.report import read_ending, tell
from arrears.demo.shop import Shop
from arrears.demo.story import END, FINES, LENDER, SHOP, START, STRATEGY, entries, script
from arrears.demo.view import Window, elapsed
from arrears.serving import until_stopped
from arrears.stack import Stack, running_stack
from domain.errors import BadInput
from ledger.tape import TapeFiles, take_in
from workers.logs import TextLines
from workers.settings import settings


async def run_demo(*, keep: bool, day_seconds: float, directory: Path | None) -> None:
    """Play the demo and report; `keep` leaves the stack running until Ctrl-C.

    Args:
        keep: Whether to leave it running, and its folder in place.
        day_seconds: How long a business day lasts; 2 or more.
        directory: Where state is kept, empty or new; a folder of its own, removed afterwards, if None.

    Raises:
        BadInput: the folder is in use, or a day is too short.
        typer.Exit: with 1, when a promise was broken or the story did not come true.
    """
    if day_seconds < 2:
        raise BadInput(f"--day {day_seconds} is too short: a business day lasts 2 seconds or more.")
    _check_fresh(directory)
    began = time.monotonic()
    console = Console()
    console.print("Starting PostgreSQL, Temporal, a carrier simulator and a worker ...", highlight=False)
    with ExitStack() as cleaning:
        folder = directory or Path(tempfile.mkdtemp(prefix="arrears-demo-"))
        if directory is None:
            cleaning.callback(shutil.rmtree, folder, ignore_errors=True)
        cleaning.enter_context(_logging_to(folder / "logs" / "demo.log"))
        async with running_stack(folder, day_seconds=day_seconds, start=START, script=script()) as stack:
            good = await _play(stack, folder, console, began)
            if keep:
                await _keep(stack, console)
            else:
                console.print("`arrears demo --keep` leaves it running, to look at each case in the Temporal UI.")
    if not good:
        raise typer.Exit(1)


def _check_fresh(directory: Path | None) -> None:
    if directory is not None and directory.exists() and any(directory.iterdir()):
        raise BadInput(f"The folder {directory} is not empty: the demo starts afresh, so give a new one with --dir.")


async def _play(stack: Stack, folder: Path, console: Console, began: float) -> bool:
    first = (await stack.clock.now()).date()
    await _take_in(stack, folder, first, console)
    days = (END - first).days
    console.print(f"Playing {days} business days. The Temporal UI shows every case: {stack.ui}\n", highlight=False)
    feed = Feed(stack.api, _secret(folder), stack.clock)
    for entry in entries():
        if first <= date.fromisoformat(entry["value_date"]) < END:
            feed.add(entry)
    people = People(stack.pool, stack.client, stack.clock)
    shop = Shop(stack.pool, stack.clock, people, feed)
    window = Window(stack.pool, stack.clock, console)
    async with asyncio.TaskGroup() as parts:
        playing = [parts.create_task(part.run()) for part in (feed, people, shop)]
        await window.run()
        for part in playing:
            part.cancel()
    ending = await read_ending(stack.pool, await stack.clock.now())
    tell(console, ending)
    took = elapsed(timedelta(seconds=time.monotonic() - began))
    console.print(
        f"\nIt took {took}. {feed.posted} entries came by the API, people answered {people.answered} times.",
        highlight=False,
    )
    return ending.good


async def _take_in(stack: Stack, folder: Path, first: date, console: Console) -> None:
    """The real intake: both tapes, with the entries of the days before the demo's first."""
    await stack.pool.execute("update lenders set name = $1 where lender_id = 'default'", LENDER)
    for tape in (FINES, SHOP):
        past = folder / f"{tape.name}-entries.csv"
        tape.write_entries(past, before=first)
        people = {name: tape.path(f"{name}.csv") for name in ("parties", "contacts") if tape.has(f"{name}.csv")}
        files = TapeFiles(
            loans=tape.path("loans.csv"), instalments=tape.path("instalments.csv"), entries=past, **people
        )
        report = await take_in(stack.pool, files, clock=stack.clock, strategy=STRATEGY)
        if report.rejected:
            raise BadInput(f"The demo's tape {tape.name} is damaged: {report.sentences[0]}")
        counts = report.counts
        console.print(
            f"Took in {counts['loans'].new} debts and {counts['instalments'].new} instalments of examples/{tape.name}.",
            highlight=False,
        )


def _secret(folder: Path) -> str:
    """What senders of entries sign with."""
    return settings().webhook_secret or (folder / "webhook-secret").read_text(encoding="ascii")


async def _keep(stack: Stack, console: Console) -> None:
    console.print(f"\nIt goes on running. UI {stack.ui}  API {stack.api}", highlight=False)
    console.print("In another terminal:", highlight=False)
    for name, value in stack.environment().items():
        console.print(f"  export {name}='{value}'", highlight=False, soft_wrap=True)
    console.print("  arrears case XMM-STOCK;  arrears why F-A10964;  arrears tasks", highlight=False)
    console.print("Ctrl-C stops it.", highlight=False)
    await until_stopped()


@contextmanager
def _logging_to(file: Path) -> Iterator[None]:
    """Keep the log out of the picture: it goes to a file of the folder while the demo runs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger()
    before, own = root.handlers[:], logging.FileHandler(file, encoding="utf-8")
    own.setFormatter(TextLines())
    root.handlers = [own]
    try:
        yield
    finally:
        root.handlers = before
        own.close()
