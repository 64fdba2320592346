"""Cases sleep for months, a sweep's reminders for a night: what an older release recorded must replay on this one, word for word."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from activities.contracts import ABSORB, CONTRACTS, DECIDE
from domain.messages import SIGNALS, UPDATES
from tests.histories.changed import CHANGED
from tests.histories.drifting import ActsOnAnother, DoesAnother, SleepsLonger, TriesLess
from tests.histories.fingerprints import FILE, FILES, FOLDER, history
from tests.histories.stories import STORIES
from workers.codec import data_converter
from workers.replaying import Replayed, replay
from workers.runner import sandbox

FINGERPRINTS = json.loads(FILE.read_text("utf-8"))
each_history = pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)


async def replayed_by(workflow: type, story: str) -> Replayed:
    """As Temporal's own replayer would not: it must let this release pass."""
    recorded = history(FOLDER / f"{story}.json")
    its_own = Replayer(workflows=[workflow], data_converter=data_converter(), workflow_runner=sandbox())
    await its_own.replay_workflow(recorded)
    return await replay(recorded, [workflow])


def test_every_story_has_its_history() -> None:
    recorded = {file.stem.partition("-")[0] for file in FILES}
    assert recorded >= set(STORIES)
    for story in ("rollover", "sweep"):
        assert len([f for f in FILES if f.stem.startswith(f"{story}-")]) > 1
    assert set(FINGERPRINTS) == {file.stem for file in FILES}


def test_every_act_and_every_message_of_a_case_is_in_a_history() -> None:
    acts = {("act", name) for name in (DECIDE, ABSORB, *(action.value for action in CONTRACTS))}
    told = {("signal", name) for name in SIGNALS} | {("update", name) for name in UPDATES}
    assert acts | told <= {each for file in FILES for event in history(file).events for each in named(event)}


def named(event: HistoryEvent) -> Iterator[tuple[str, str]]:
    """The activity or the message that an event is about."""
    marker = event.marker_recorded_event_attributes
    match event.WhichOneof("attributes"):
        case "activity_task_scheduled_event_attributes":
            yield "act", event.activity_task_scheduled_event_attributes.activity_type.name
        case "marker_recorded_event_attributes" if marker.marker_name == "core_local_activity":
            yield "act", json.loads(marker.details["data"].payloads[0].data)["activity_type"]
        case "workflow_execution_signaled_event_attributes":
            yield "signal", event.workflow_execution_signaled_event_attributes.signal_name
        case "workflow_execution_update_accepted_event_attributes":
            yield "update", event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name


@each_history
async def test_a_committed_history_replays(file: Path) -> None:
    result = await replay(history(file))
    assert result.differences == ()
    assert result.fingerprint == FINGERPRINTS[file.stem], (
        "the commands of a workflow changed: put the change behind workflow.patched, or release it as a build of its own and "
        "run `python -m tests.histories.fingerprints` (docs/versions.md)"
    )


@each_history
async def test_a_changed_workflow_does_not_replay(file: Path) -> None:
    replayer = Replayer(workflows=CHANGED, data_converter=data_converter(), workflow_runner=sandbox())
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(history(file))
    assert (await replay(history(file), CHANGED)).differences


async def test_a_timer_that_grew_is_found() -> None:
    first, *_ = (await replayed_by(SleepsLonger, "sms_cure")).differences
    assert "timer 1: length was" in first, first


async def test_an_activity_s_other_input_is_found() -> None:
    first, *_ = (await replayed_by(ActsOnAnother, "sms_cure")).differences
    assert ": input was" in first, first
    assert '"loan_id": "another"' in first, first


async def test_another_activity_in_its_place_is_found() -> None:
    [failure] = (await replay(history(FOLDER / "sms_cure.json"), [DoesAnother])).differences
    assert "'send_sms' does not match activity type of activity command 'send_letter'" in failure


async def test_what_only_the_fingerprint_shows() -> None:
    result = await replayed_by(TriesLess, "sms_cure")
    assert result.differences == ()
    assert result.fingerprint != FINGERPRINTS["sms_cure"]
