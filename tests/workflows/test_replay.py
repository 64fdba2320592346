"""Cases sleep for months: what an older release recorded must replay on this one, word for word."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.histories.changed import Changed
from tests.histories.record import STORIES
from workers import fleet
from workers.codec import data_converter

FILES = sorted((Path(__file__).parents[1] / "histories").glob("*.json"))


def history(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text("utf-8"))


def test_every_story_has_its_history() -> None:
    recorded = {file.stem.partition("-")[0] for file in FILES}
    assert recorded >= set(STORIES)
    assert len([f for f in FILES if f.stem.startswith("rollover-")]) > 1


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
async def test_a_committed_history_replays(file: Path) -> None:
    replayer = Replayer(workflows=fleet.WORKFLOWS, data_converter=data_converter(), workflow_runner=fleet.sandbox())
    await replayer.replay_workflow(history(file))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
async def test_a_changed_workflow_does_not_replay(file: Path) -> None:
    replayer = Replayer(workflows=[Changed], data_converter=data_converter(), workflow_runner=fleet.sandbox())
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(history(file))
