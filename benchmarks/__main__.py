"""All benchmarks one after the other: `python -m benchmarks` (`make bench`). A table at the end, and all figures in bench.json.

Each module is a command of its own, which says what it measures; here stand their sizes, what of each goes into the table, and the aim.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

Figures = Any  # what a module writes as JSON


class Row(NamedTuple):
    """One line of the table; `aim` is a ratio that is to be reached (`at_least`) or not to be passed."""

    what: str
    value: str
    ratio: float | None = None
    aim: float | None = None
    at_least: bool = True

    @property
    def met(self) -> str:
        """Whether the aim is reached; nothing where there is none."""
        if self.ratio is None or self.aim is None:
            return ""
        return "yes" if (self.ratio >= self.aim) is self.at_least or self.ratio == self.aim else "NO"


class Part(NamedTuple):
    """A module with its arguments, and the rows of what it found."""

    module: str
    arguments: tuple[str, ...]
    rows: Callable[[Figures], Iterable[Row]]


def _gate(found: Figures) -> Iterable[Row]:
    yield Row(
        "a contact through the gate, beside one without",
        f"{found['milliseconds']['gate']} ms",
        found["ratio"],
        2.0,
        False,
    )


def _decide(found: Figures) -> Iterable[Row]:
    yield Row("decisions of the gate a second, one core", f"{found['cases']['sms']['per_second']:,}")


def _http(found: Figures) -> Iterable[Row]:
    yield Row("entries through HTTP, beside their inserts", f"{found['http_s']:.0f}/s", found["ratio"], 0.4)


def _lag(found: Figures) -> Iterable[Row]:
    yield Row(f"commit to signal at {found['rate']}/s", f"p50 {found['p50_ms']:.0f} ms, p99 {found['p99_ms']:.0f} ms")


def _intake(found: Figures) -> Iterable[Row]:
    yield Row(
        f"intake of {found['loans']:,} loans, beside a bare COPY", f"{found['ours_s']:.0f} s", found["ratio"], 0.25
    )
    yield Row("its memory, in 400 MB", f"{found['mb']:.0f} MB", found["mb"] / 400, 1.0, False)


def _overhead(found: Figures) -> Iterable[Row]:
    ours = found["ours"]
    yield Row("full journeys, beside a bare workflow", f"{ours['journeys/s']:.1f}/s", found["rate ratio"], 0.8)
    yield Row("a worker's processor for one of them", f"{ours['cpu ms']:.0f} ms", found["cpu ratio"], 1.5, False)


def _journeys(found: Figures) -> Iterable[Row]:
    for name, each in found.items():
        yield Row(f"journey {name}", f"{each['events']} events, {each['actions']} actions")


def _sleepers(found: Figures) -> Iterable[Row]:
    yield Row("memory of a cached case", f"{found['memory KiB a cached case']:.0f} KiB")
    yield Row("Temporal's disk for a sleeping case", f"{found['disk KiB a sleeping case']:.0f} KiB")
    for name in ("wake, cached, ms", "wake, replayed, ms"):
        for events, took in found[name].items():
            yield Row(
                f"{name.removesuffix(', ms')}, {events} events", f"p50 {took['p50']:.0f} ms, p99 {took['p99']:.0f} ms"
            )
    for name, rate in found["replays a second"].items():
        yield Row(
            f"replays, {name} ({rate['events']} events), beside unsandboxed",
            f"{rate['sandboxed']:.0f}/s",
            rate["ratio"],
        )


def _engines(found: Figures) -> Iterable[Row]:
    ratio = found["dbos"]["journeys/s"] / found["temporal"]["journeys/s"]
    yield Row("bare journeys on DBOS, beside Temporal", f"{found['dbos']['journeys/s']:.1f}/s", ratio)


def _sweep(found: Figures) -> Iterable[Row]:
    for each in found:
        yield Row(f"sweep over {each['loans']:,} loans, none due", f"{each['quiet_s']:.2f} s")
        yield Row(f"  {each['due']:,} due, beside as many bare starts", f"{each['busy_s']:.0f} s", each["ratio"])


def _burst(found: Figures) -> Iterable[Row]:
    for each in found:
        window = f"{each['cases']:,} cases due within {each['minutes']} min"
        yield Row(window, f"p50 {each['p50_s']:.0f} s late, p99 {each['p99_s']:.0f} s, {each['missed']:,} missed")


PARTS = (
    Part("gate_decide", (), _decide),
    Part("gate_cost", (), _gate),
    Part("http_entries", (), _http),
    Part("relay_lag", (), _lag),
    Part("intake", ("--loans", "1000000"), _intake),
    Part("overhead", (), _overhead),
    Part("journeys", (), _journeys),
    Part("sleepers", ("--cases", "10000"), _sleepers),
    Part("engines", (), _engines),
    Part("sweep", (), _sweep),
    Part("burst", ("--cases", "10000", "--spread", "20"), _burst),
)


def table(rows: Iterable[Row]) -> Iterable[str]:
    """The rows for people, within 100 columns."""
    yield f"{'what':56} {'figure':>24} {'ratio':>6} {'aim':>7} met"
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        aim = "" if row.aim is None else f"{'>=' if row.at_least else '<='} {row.aim:g}"
        yield f"{row.what:56} {row.value:>24} {ratio:>6} {aim:>7} {row.met}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="modules to run; all without")
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    asked = parser.parse_args()
    known = [part.module for part in PARTS]
    if unknown := set(asked.only) - set(known):
        parser.error(f"benchmark {sorted(unknown)[0]!r} is unknown: use some of {', '.join(known)}.")
    found: dict[str, Figures] = {}
    rows: list[Row] = []
    for part in PARTS:
        if not asked.only or part.module in asked.only:
            found[part.module] = _figures(part)
            rows += part.rows(found[part.module])
            asked.json.write_text(json.dumps(_whole(found), indent=1) + "\n", encoding="utf-8")
    print("", *table(rows), sep="\n")
    return 0


def _figures(part: Part) -> Figures:
    print(f"--- {part.module}", flush=True)
    with TemporaryDirectory(prefix="arrears-bench-") as folder:
        file = Path(folder) / "figures.json"
        run([sys.executable, "-m", f"benchmarks.{part.module}", *part.arguments, "--json", str(file)], check=True)
        return json.loads(file.read_text("utf-8"))


def _whole(found: Mapping[str, Figures]) -> dict[str, Any]:
    return {"python": platform.python_version(), "machine": platform.machine(), "figures": dict(found)}


if __name__ == "__main__":
    sys.exit(main())
