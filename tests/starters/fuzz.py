"""A long run: `python -m tests.starters.fuzz --examples 2000 --seed 7`. Ends with 1 where an answer is not as documented."""

import argparse
import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.migrate import migrate
from tests.starters.fuzz_server import serving
from tests.starters.fuzzing import Hand, cover, fuzz, stray, told
from workers.embedded import EmbeddedPostgres


async def run(examples: int, seed: int) -> None:
    with TemporaryDirectory(prefix="arrears-fuzz-") as folder:
        server = EmbeddedPostgres(Path(folder), durable=False)
        dsn = await server.start()
        try:
            await asyncio.to_thread(migrate, dsn)
            await asyncio.to_thread(call, dsn, examples, seed)
        finally:
            await server.stop()


def call(dsn: str, examples: int, seed: int) -> None:
    """Every way of calling, with the API well, busy, and without its ledger."""
    with serving(dsn) as url:
        print(told(fuzz(url, examples, seed) + cover(url, Hand()) + cover(url, Hand("none")) + stray(url)))
    for state in ("busy", "away"):
        with serving(dsn, state) as url:
            print(f"\n{state}\n{told(fuzz(url, examples // 10 + 1, seed))}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1000, help="for each operation, in each of two ways")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(run(given.examples, given.seed))
