"""Builds of this code: A is the tree as it stands, B a copy whose case does one thing more, so that no history of A replays on it.

BAD is a copy whose case fails whenever it hears something.
"""

import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.child import Child

ROOT = Path(__file__).parents[2]
PACKAGES = ("activities", "arrears", "channels", "domain", "ledger", "policies", "starters", "workers", "workflows")
ASKS = "        latest = self.latest or await self.decide()\n"
TAKES = "        taken = (*more, *self.inbox)\n"
FAILS = '        raise RuntimeError("build BAD hears nothing")\n'
RESTS = '        await workflow.sleep(timedelta(milliseconds=10), summary="build B rests first")\n'


@dataclass
class Build:
    """One build: its id, its tree, and its worker while that runs."""

    id: str
    tree: Path
    environment: dict[str, str]
    worker: Child | None = None

    def start(self, folder: Path) -> None:
        """Start its worker."""
        self.worker = Child(
            f"worker {self.id}",
            [sys.executable, "-m", "arrears", "worker"],
            directory=self.tree,
            log=folder / f"worker-{self.id}.log",
            stop_signals=[signal.SIGTERM],
            environment=self.environment,
        )

    async def stop(self) -> None:
        """Stop its worker, as a deployment does."""
        if self.worker is not None:
            await self.worker.stop(20.0)
        self.worker = None


def two_builds(folder: Path, environment: dict[str, str]) -> tuple[Build, Build]:
    """The build that runs, and the one that follows it."""
    return _build("A", ROOT, environment), _changed(folder, "B", environment, before=ASKS, line=RESTS)


def bad_build(folder: Path, environment: dict[str, str]) -> Build:
    """One that must be taken back."""
    return _changed(folder, "BAD", environment, before=TAKES, line=FAILS)


def _changed(folder: Path, build_id: str, environment: dict[str, str], *, before: str, line: str) -> Build:
    """A copy whose case has a line more."""
    tree = folder / f"build-{build_id}"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    case = tree / "workflows" / "collection_case.py"
    text = case.read_text("utf-8")
    assert text.count(before) == 1, "the drill changes a line of the case that is not there any more"
    case.write_text(text.replace(before, line + before), encoding="utf-8")
    return _build(build_id, tree, environment)


def _build(build_id: str, tree: Path, environment: dict[str, str]) -> Build:
    # The tree comes before the installed package.
    return Build(build_id, tree, environment | {"ARREARS_BUILD_ID": build_id, "PYTHONPATH": str(tree)})
