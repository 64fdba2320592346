"""`make upgrade-drill`: build B follows build A under cases that sleep, are awake, and are being contacted; exits 1 where one suffers."""

import argparse
import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.upgrade.back import back_drill
from tests.upgrade.drill import upgrade_drill


def main() -> int:
    """Run the drill.

    Returns:
        0 where every case ended well, 1 where one did not.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description=__doc__)
    parser.add_argument(
        "--cases", type=int, default=10, help="asleep, awake, mid-contact, and born on B: so many of each"
    )
    parser.add_argument("--back", action="store_true", help="instead: a build that fails, and the way back from it")
    options = parser.parse_args()
    began = monotonic()

    def say(line: str) -> None:
        print(f"{monotonic() - began:6.1f} s  {line}", flush=True)

    with TemporaryDirectory(prefix="arrears-upgrade-") as folder:
        result = asyncio.run((back_drill if options.back else upgrade_drill)(Path(folder), options.cases, say))
    failures = result.pop("failures")
    for name, value in {**result, **{name: len(found) for name, found in failures.items()}}.items():
        print(f"{name:<32} {value}")
    for name, found in failures.items():
        for each in found[:10]:
            print(f"{name}: {each}")
    return int(any(failures.values()))


if __name__ == "__main__":
    sys.exit(main())
