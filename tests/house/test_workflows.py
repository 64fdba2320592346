"""import-linter reads what modules say; this imports them, package files included, and looks at what came along."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "aiohttp", "asyncpg", "channels", "fastapi", "httpx", "ledger", "starters", "twilio", "typst", "workers",
}  # fmt: skip
IMPORT_ALL = """
import importlib, pkgutil, sys, workflows
for module in pkgutil.walk_packages(workflows.__path__, "workflows."):
    importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_workflows_bring_nothing_of_the_world_along() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "workflows" in loaded
    assert loaded & FORBIDDEN == set()
