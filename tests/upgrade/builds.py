"""Two builds of this code: A is the tree as it stands, B a copy whose case does one thing more, so that no history of A replays on it."""

import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.child import Child

ROOT = Path(__file__).parents[2]
PACKAGES = ("activities", "arrears", "channels", "domain", "ledger", "policies", "starters", "workers", "workflows")
ASKS = "        latest = self.latest or await self.decide()\n"
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
    tree = folder / "build-b"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    case = tree / "workflows" / "collection_case.py"
    text = case.read_text("utf-8")
    assert ASKS in text, "the drill changes a line of the case that is not there any more"
    case.write_text(text.replace(ASKS, RESTS + ASKS), encoding="utf-8")
    return _build("A", ROOT, environment), _build("B", tree, environment)


def _build(build_id: str, tree: Path, environment: dict[str, str]) -> Build:
    # The tree comes before the installed package.
    return Build(build_id, tree, environment | {"ARREARS_BUILD_ID": build_id, "PYTHONPATH": str(tree)})
