"""`make storm`: 20,000 entries over HTTP while every part of the system is killed; it ends by itself, and exits 1 where it finds a failure."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.storm.crippled import SWITCHES
from tests.storm.run import Plan, storm


def main() -> int:
    """Run what is asked for.

    Returns:
        0 where nothing is wrong, 1 where something is.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--entries", type=int, default=20_000, help="entries sent, a fifth of them more than once")
    parser.add_argument("--kills", type=int, default=5, help="of each of the five parts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", choices=SWITCHES, help="take one mechanism away: the run must then find failures")
    parser.add_argument("--keep", type=Path, help="an empty folder for files, data and logs, left as they are")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    plan = Plan(sends=options.entries, kills=options.kills, seed=options.seed, without=options.without)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        result = asyncio.run(storm(options.keep, plan))
    else:
        with TemporaryDirectory(prefix="arrears-storm-") as folder:
            result = asyncio.run(storm(Path(folder), plan))
    print(json.dumps(result, indent=2) if options.json else _table(result))
    return int(any(result["failures"].values()))


def _table(result: dict[str, Any]) -> str:
    rows: list[tuple[str, object]] = []
    for name, value in result.items():
        if name == "failures":
            rows += [(kind, len(found)) for kind, found in value.items()]
        elif isinstance(value, dict):
            rows += [(f"{name}: {each}", n) for each, n in value.items()]
        else:
            rows.append((name, value))
    said = [f"{name:<32} {value}" for name, value in rows]
    for name, found in result["failures"].items():
        said += [f"{name}: {each}" for each in found[:10]]
    return "\n".join(said)


if __name__ == "__main__":
    sys.exit(main())
