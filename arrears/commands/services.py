"""Commands that run until they are stopped: the embedded stack, and each service by itself."""

import asyncio
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from arrears.context import ledger, print_json, run, say, temporal
from domain.errors import BadInput
from workers.settings import settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def up(
    day: Annotated[
        float | None,
        typer.Option(
            help="Seconds that a business day lasts: 2 or more. As the folder ran last without; a new one runs in real time."
        ),
    ] = None,
    start: Annotated[str | None, typer.Option(help="The first business day, such as 2008-03-01.")] = None,
    directory: Annotated[Path, typer.Option("--dir", help="Where state is kept.")] = Path(".arrears"),
    as_json: Json = False,
) -> None:
    """Start the whole stack on this machine: PostgreSQL, Temporal and its UI, simulator, API, relay, worker. Ctrl-C stops it."""
    from arrears.serving import until_stopped
    from arrears.stack import running_stack
    from workers.telemetry import traced

    if day is not None and day < 2:
        raise BadInput(f"--day {day} is too short: a business day lasts 2 seconds or more.")
    try:
        first = date.fromisoformat(start) if start else None
    except ValueError:
        raise BadInput(f"--start {start!r} is no date: write it as 2008-03-01.") from None

    async def main() -> None:
        stopping = asyncio.ensure_future(until_stopped())
        async with running_stack(directory, day_seconds=day, start=first) as stack:
            if as_json:
                print_json(stack.addresses())
            else:
                say(f"Arrears is up.  UI {stack.ui}  API {stack.api}")
                say(
                    f"In another terminal:  export ARREARS_DATABASE_URL='{stack.database_url}' TEMPORAL_ADDRESS={stack.temporal}"
                )
                say("Texts go to the simulator and reach nobody. Ctrl-C stops; state stays in " + str(directory))
            sys.stdout.flush()
            await stopping

    with traced("up"):  # its worker is a process of its own, and traces by itself
        run(main)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack running afterwards, until Ctrl-C.")] = False,
    day: Annotated[float, typer.Option(help="Seconds that a business day lasts.")] = 2.0,
    directory: Annotated[Path | None, typer.Option("--dir", help="Where state is kept; a new folder without.")] = None,
) -> None:
    """Run about sixty real debts and one made-up business through a hundred and twenty business days."""
    from arrears.demo import run_demo

    run(lambda: run_demo(keep=keep, day_seconds=day, directory=directory))


def worker(
    queues: Annotated[
        str | None, typer.Option(help="Task queues, by commas; all without: cases,contact,office.")
    ] = None,
) -> None:
    """Run workers for cases, contacts and office work, until stopped."""
    from activities.registry import World
    from arrears.serving import until_stopped
    from workers import fleet
    from workers.carrier import open_carrier
    from workers.telemetry import traced

    async def main() -> None:
        stopping = asyncio.ensure_future(until_stopped())
        client = await temporal(serves_figures=True)
        build_id = settings().build_id
        if build_id:
            from arrears.commands.operate import must_be_registered

            await must_be_registered(client, build_id)
        async with ledger() as books:
            clock = await books.clock.mapping()
            async with open_carrier(settings(), clock) as line:
                world = World(
                    books.pool,
                    books.clock,
                    client,
                    line.texts,
                    line.sender,
                    calls=line.calls,
                    call_back=line.call_back,
                    reminders_per_second=settings().contacts_per_second,
                )
                tuning = fleet.Tuning(settings().cache_cases, settings().contacts_per_second)
                chosen = queues.split(",") if queues else fleet.QUEUES
                async with fleet.running(fleet.build(client, world, chosen, build_id, tuning)):
                    await stopping

    with traced("worker"):
        run(main)


def relay() -> None:
    """Deliver what the ledger has to tell its cases, and open cases after each tape, until stopped."""
    from arrears.serving import ended, until_stopped
    from starters.sweeps import sweep_in_turn
    from workers.relay import Relay
    from workers.telemetry import traced

    async def main() -> None:
        stopping = asyncio.ensure_future(until_stopped())
        async with ledger() as books:
            client = await temporal(serves_figures=True)
            relaying = asyncio.ensure_future(Relay(books.pool, client).run())
            sweeping = asyncio.ensure_future(sweep_in_turn(client, books.pool, books.clock))
            await asyncio.wait([stopping, relaying, sweeping], return_when=asyncio.FIRST_COMPLETED)
            await ended([relaying, sweeping])

    with traced("relay"):
        run(main)


def api(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
) -> None:
    """Serve the HTTP API: payments, cases, the carrier's callbacks."""
    from arrears.serving import serve
    from starters.api import create_app
    from workers.carrier import call_back
    from workers.settings import TwilioSettings
    from workers.telemetry import trace_requests, traced

    async def main() -> None:
        client = await temporal()
        async with ledger() as patient, ledger(for_callers=True) as books:
            app = create_app(
                books.pool,
                books.clock,
                secrets=(settings().webhook_secret or "").split(","),
                twilio_token=TwilioSettings().auth_token,
                public_url=settings().public_url,
                temporal=client.service_client.check_health,
                call_back=call_back(settings()),
                rate_limit=settings().rate_limit,
                gocardless_url=settings().gocardless_base_url,
                patient=patient.pool,
            )
            trace_requests(app)
            await serve(app, host, port)

    with traced("api"):
        run(main)
