"""The commands that the code of this release gives for each committed history: `.venv/bin/python -m tests.histories.fingerprints`.

A history that gives other commands is a case that would do something else than it began, be it only a longer retry. Such a change stands
behind `workflow.patched`, or goes out as a build of its own (docs/versions.md); then, and for new histories, this file is written anew.
"""

import asyncio
import json
from pathlib import Path

from temporalio.client import WorkflowHistory

from workers.replaying import replay

FOLDER = Path(__file__).parent
FILE = FOLDER / "fingerprints.json"
FILES = sorted(file for file in FOLDER.glob("*.json") if file != FILE)


def history(file: Path) -> WorkflowHistory:
    """What a file holds, under the id that the workflow had; under the file's name where it does not tell."""
    found = WorkflowHistory.from_json(file.stem, file.read_text("utf-8"))
    own = found.events[0].workflow_execution_started_event_attributes.workflow_id
    return WorkflowHistory(own or file.stem, found.events)


async def write() -> None:
    """Take the commands as they are now."""
    now = {file.stem: (await replay(history(file))).fingerprint for file in FILES}
    FILE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(write())
