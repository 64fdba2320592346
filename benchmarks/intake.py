"""How long a tape takes beside a bare COPY of the same files, and how much memory: `python -m benchmarks.intake --loans 1000000`.

The bare side has tables of the files' columns with their types and the same primary keys, on the same server and in the same run: no other
index, no foreign key, no check, and one COPY a file. Ours is the command `arrears intake`, from its start to its end: every row checked and
merged under the lenders' lock, with foreign keys, the index by due date, and the report.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

import asyncpg

from arrears.portfolio import write_portfolio
from ledger.migrate import migrate
from tests.environment import on_database
from workers.embedded import EmbeddedPostgres

FILES = ("loans", "instalments")
BARE = """
create table loans (
    loan_id text primary key, borrower_id text not null, borrower_name text not null, borrower_kind text not null, phone text,
    language text, timezone text, country text not null, currency text not null, opened_on date not null, product text not null, purpose text
);
create table instalments (
    loan_id text not null, number int not null, due_on date not null, principal numeric not null, interest numeric not null,
    fee numeric not null, primary key (loan_id, number)
);
"""


class Taken(NamedTuple):
    """Seconds of real time, and the peak of the process's memory in MB."""

    seconds: float
    megabytes: float


async def bare(url: str, folder: Path) -> float:
    """Seconds for a bare COPY of each file."""
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(BARE)
        began = perf_counter()
        for name in FILES:
            await conn.copy_to_table(name, source=folder / f"{name}.csv", format="csv", header=True)
        return perf_counter() - began
    finally:
        await conn.close()


def ours(url: str, folder: Path) -> Taken:
    """The command, as somebody types it."""
    files = [part for name in FILES for part in (f"--{name}", str(folder / f"{name}.csv"))]
    command = [sys.executable, "-m", "arrears", "intake", *files, "--json"]
    began = perf_counter()
    with Popen(command, env={**os.environ, "ARREARS_DATABASE_URL": url}, stdout=PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = perf_counter() - began
    if process.returncode:
        raise SystemExit(f"arrears intake ended with {process.returncode}.")
    counts = json.loads(said)
    for name in FILES:
        if counts[name]["new"] != counts[name]["read"]:
            raise SystemExit(f"not every row of {name} was taken: {counts[name]}.")
    return Taken(seconds, used.ru_maxrss / 1024)


async def run(loans: int, seed: int) -> dict[str, float]:
    """Seconds of both, their ratio, and the peak of our process's memory in MB."""
    with TemporaryDirectory(prefix="arrears-bench-") as folder:
        place = Path(folder)
        write_portfolio(loans, seed, place / "tape")
        server = EmbeddedPostgres(place / "postgres")
        admin_url = await server.start()
        try:
            admin = await asyncpg.connect(admin_url)
            for name in ("bare", "ours"):
                await admin.execute(f"create database {name}")
            bare_seconds = await bare(on_database(admin_url, "bare"), place / "tape")
            url = on_database(admin_url, "ours")
            await asyncio.to_thread(migrate, url)
            took = await asyncio.to_thread(ours, url, place / "tape")
            await admin.close()
        finally:
            await server.stop()
    print(
        f"{loans} loans and {loans * 6} instalments: bare COPY {bare_seconds:.1f} s, arrears intake {took.seconds:.1f} s, "
        f"ratio {bare_seconds / took.seconds:.2f}; {took.megabytes:.0f} MB at the peak"
    )
    ratio = bare_seconds / took.seconds
    return {"loans": loans, "bare_s": bare_seconds, "ours_s": took.seconds, "ratio": ratio, "mb": took.megabytes}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loans", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = asyncio.run(run(given.loans, given.seed))
    if given.json:
        given.json.write_text(json.dumps(found), encoding="utf-8")
