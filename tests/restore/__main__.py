"""`make restore-drill`: the ledger, then Temporal, goes back in time or is lost; ends by itself, and exits 1 where a promise is broken."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.restore.drill import KINDS, drill


def main() -> int:
    """Run what is asked for.

    Returns:
        0 where all is well, 1 where something is not.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.restore", description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="which store goes back; all three without")
    parser.add_argument("--each", type=int, default=30, help="loans for each of three stages, three or more")
    parser.add_argument("--without-recovery", action="store_true", help="nobody recovers: the drill must then fail")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    failed = False
    for kind in options.kinds or KINDS:
        with TemporaryDirectory(prefix="arrears-restore-") as folder:
            result = asyncio.run(drill(Path(folder), kind, options.each, recovers=not options.without_recovery))
        failed |= not well(result)
        print(json.dumps(result) if options.json else _table(result), flush=True)
    return int(failed)


def well(result: dict[str, Any]) -> bool:
    """Whether a drill ended as it should."""
    paid = result["payments"]
    every = paid["sent"] == paid["in the ledger"] and paid["once"]
    return bool(result["ok"] and not result["sent twice"] and every and all(result["checks"].values()))


def _table(result: dict[str, Any]) -> str:
    lines = [f"== {result['kind']} goes back in time: {result['loans']} loans"]
    for name, value in result.items():
        match value:
            case dict():
                lines += [f"{name}: {each:<36} {of}" for each, of in value.items()]
            case list():
                lines += [f"{name}: {each}" for each in value]
            case _:
                lines.append(f"{name}: {value}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
