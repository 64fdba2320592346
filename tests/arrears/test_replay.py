"""`arrears replay`: what it passes over, what it cannot open, one line for each case that diverges, and which runs it takes by itself."""

import asyncio
import json
from pathlib import Path
from shutil import copy
from uuid import uuid4

from temporalio.client import Client
from typer.testing import CliRunner

from arrears.cli import app
from arrears.commands.operate import open_runs
from tests.case import poll
from tests.histories.fingerprints import FOLDER, history
from workers.codec import KeyRing, SealingCodec, make_key


def asked(folder: Path, *more: str, keys: str = "") -> tuple[int, list[str]]:
    ended = CliRunner().invoke(app, ["replay", str(folder), *more], env={"ARREARS_CODEC_KEYS": keys})
    if ended.exception and not isinstance(ended.exception, SystemExit):
        return 2, str(ended.exception).splitlines()  # `arrears` prints a BadInput, and exits so
    return ended.exit_code, ended.stdout.splitlines()


async def sealed(key: str, folder: Path) -> None:
    """A recorded history as a server keeps it where payloads are sealed."""
    recorded = history(FOLDER / "sms_cure.json")
    codec = SealingCodec(KeyRing.read(key))
    for event in recorded.events:
        for field, value in getattr(event, str(event.WhichOneof("attributes"))).ListFields():
            if field.message_type and field.message_type.name == "Payloads":
                closed = await codec.encode(value.payloads)
                del value.payloads[:]
                value.payloads.extend(closed)
    (folder / "sealed.json").write_text(recorded.to_json())


def test_a_file_that_is_no_history_is_passed_over(tmp_path: Path) -> None:
    copy(FOLDER / "sms_cure.json", tmp_path)
    copy(FOLDER / "fingerprints.json", tmp_path)
    (tmp_path / "empty.json").write_text('{"events": []}')
    assert asked(tmp_path) == (
        0,
        [
            "empty.json is no history: skipped.",
            "fingerprints.json is no history: skipped.",
            "1 histories replayed, 0 diverge.",
        ],
    )
    (tmp_path / "sms_cure.json").unlink()
    code, [said] = asked(tmp_path)
    assert (code, "holds no history" in said) == (2, True)


def test_a_key_that_is_missing_is_no_divergence(tmp_path: Path) -> None:
    old, new = make_key("2026-01"), make_key("2026-11")
    asyncio.run(sealed(old, tmp_path))
    assert asked(tmp_path, keys=f"{new},{old}") == (0, ["1 histories replayed, 0 diverge."])
    refused = ["a payload is sealed with key '2026-01': add it to ARREARS_CODEC_KEYS."]
    assert asked(tmp_path, keys=new) == (2, refused)
    assert asked(tmp_path) == (2, refused)


def test_a_case_that_diverges_is_told_in_one_line(tmp_path: Path) -> None:
    content = json.loads((FOLDER / "sms_cure.json").read_text("utf-8"))
    for event in content["events"]:
        told = event.get("activityTaskScheduledEventAttributes")
        if told and told["activityType"]["name"] == "send_sms":
            told["activityType"]["name"] = "send_letter"
    (tmp_path / "other.json").write_text(json.dumps(content))
    code, [line, _] = asked(tmp_path)
    assert code == 1
    assert line.startswith("other: Activity type of scheduled event 'send_letter' does not match")
    assert "{" not in line


def test_a_sweep_goes_by_its_own_name_whatever_its_file_s(tmp_path: Path) -> None:
    copy(FOLDER / "reminders-1.json", tmp_path)  # its child's name is made from its own
    assert asked(tmp_path) == (0, ["1 histories replayed, 0 diverge."])


async def test_without_a_folder_it_takes_the_open_cases_and_sweeps(dev_server: Client) -> None:
    kinds = ("CollectionCase", "DelinquencySweep", "Another")
    case, sweep, _ = started = [
        await dev_server.start_workflow(kind, id=f"{kind}-{uuid4().hex}", task_queue="nobody") for kind in kinds
    ]

    async def found() -> bool:
        ids = {history.workflow_id async for history in open_runs(dev_server)}
        assert not any(each.startswith("Another") for each in ids)
        return {case.id, sweep.id} <= ids

    try:
        await poll(found, "both to be listed")
    finally:
        for each in started:
            await each.terminate()
