"""What runs before a change is accepted is what README tells a reader to run."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_ci_runs_the_checks_and_the_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text().splitlines() if line.startswith("make ")]
    assert commands == ["make check", "make test"]
    readme = (ROOT / "README.md").read_text()
    assert all(command in readme for command in commands)
