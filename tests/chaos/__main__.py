"""`make chaos`: the long runs. Each ends by itself, prints a table, and exits 1 where it finds a failure."""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ledger.migrate import migrate
from ledger.pool import open_pool
from tests.activities.bench import bench_on
from tests.chaos.racing import race_for_the_limit
from tests.chaos.run import Plan, chaos
from tests.chaos.stopping import burst
from tests.chaos.switches import SWITCHES
from workers.embedded import EmbeddedPostgres


def main() -> int:
    """Run what is asked for.

    Returns:
        0 where nothing is wrong, 1 where something is.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--contacts", type=int, default=500, help="contacts that are meant, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", choices=SWITCHES, help="take one mechanism away: the run must then find failures")
    parser.add_argument("--alone", action="store_true", help="silence what stands behind the mechanisms")
    parser.add_argument("--sparse", action="store_true", help="kill here and there, and not at every line")
    parser.add_argument("--races", type=int, help="instead: so many races of two loans of one person for one text")
    parser.add_argument(
        "--burst", type=int, help="instead: so many loans in shadow, let go, and stopped in a burst of texts"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.races or options.burst:
        return asyncio.run(_short(options.races, options.burst))
    plan = Plan(
        kills=options.kills,
        intended=options.contacts,
        sweep=not options.sparse,
        seed=options.seed,
        alone=options.alone or options.without is not None,
        without=options.without,
    )
    began = time.monotonic()
    result = asyncio.run(_on_a_ledger_of_its_own(plan))
    result["seconds"] = round(time.monotonic() - began)
    print(json.dumps(result, indent=2) if options.json else _table(result))
    return int(any(result["failures"].values()))


async def _on_a_ledger_of_its_own(plan: Plan) -> dict[str, Any]:
    with TemporaryDirectory(prefix="arrears-chaos-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", durable=False)
        url = await server.start()
        try:
            await asyncio.to_thread(migrate, url)
            async with await open_pool(url) as pool:
                return await chaos(pool, url, Path(folder), plan)
        finally:
            await server.stop()


async def _short(races: int | None, loans: int | None) -> int:
    """The races, or the burst; 1 where one of two loans got more or less than its share, or somebody was contacted after the stop."""
    with TemporaryDirectory(prefix="arrears-chaos-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", durable=False)
        url = await server.start()
        try:
            await asyncio.to_thread(migrate, url)
            async with await open_pool(url) as pool, await open_pool(url) as other, bench_on(pool) as bench:
                if races:
                    ended = await race_for_the_limit(bench, other, races)
                    print(f"{races} races of two loans of one person: texts a race {dict(ended)}")
                    return int(ended != {1: races})
                stopped = await burst(bench, loans or 0, presses=3)
                print(stopped)
                return int(bool(stopped.failures))
        finally:
            await server.stop()


def _table(result: dict[str, Any]) -> str:
    rows = [
        ("kill -9 of the worker", result["kills"]),
        (
            "lines from reserve to record",
            f"{result['lines killed at']} of {result['lines executed']} executed killed at",
        ),
        ("contacts intended", result["intended"]),
        ("messages the carrier took", result["messages"]),
        *((f"contacts {state}", n) for state, n in result["states"].items()),
        ("payments meanwhile", result["payments"]),
        *((name, len(found)) for name, found in result["failures"].items()),
        ("seconds", result["seconds"]),
    ]
    said = [f"{name:<32} {value}" for name, value in rows]
    for name, found in result["failures"].items():
        said += [f"{name}: {each}" for each in found[:10]]
    return "\n".join(said)


if __name__ == "__main__":
    sys.exit(main())
