from pathlib import Path
from typing import Any

import pytest

from domain.errors import BadInput
from domain.strategy import parse_strategy, read_strategy
from tests.domain.family import content, small

SHIPPED = Path("policies/strategies/standard.toml").read_text("utf-8")


def refused(changed: dict[str, Any]) -> str:
    with pytest.raises(BadInput) as caught:
        parse_strategy(changed, "mine.toml")
    return str(caught.value)


def stages(number: int, **changes: Any) -> dict[str, Any]:
    made = content()
    made["stages"][number] |= changes
    return made


def steps(number: int, *changed: dict[str, Any]) -> dict[str, Any]:
    return stages(number, steps=list(changed))


def test_the_shipped_strategy_is_read() -> None:
    assert [s.name for s in read_strategy(SHIPPED, "standard.toml").stages] == ["sms", "call", "visit", "legal"]


def test_what_was_written_out_reads_back_as_the_same() -> None:
    strategy = small()
    again = parse_strategy(strategy.model_dump(mode="json"), "the ledger")
    assert (again, again.digest) == (strategy, strategy.digest)


def test_another_wait_makes_another_digest() -> None:
    assert small().digest != small(probation={"days": 31}).digest


CALL = {"id": "call-1", "do": "task.call"}
SMS = {"id": "sms-1", "do": "sms", "template": "gentle"}


@pytest.mark.parametrize(
    ("changed", "key", "reason"),
    [
        (stages(0, from_dpd=3), "the whole file", "there is a gap: nothing happens from day 1 to 2 past due"),
        (stages(0, requires=["legal"]), "the whole file", "stages require one another in a cycle: sms -> legal -> sms"),
        (stages(0, requires=["sms"]), "the whole file", "stages require one another in a cycle: sms -> sms"),
        (stages(0, requires=["call"]), "the whole file", "stage 'sms' requires 'call', which comes after it"),
        (stages(2, requires=["calls"]), "the whole file", "stage 'visit' requires 'calls', which is not a stage here"),
        (steps(1, SMS), "the whole file", "step id 'sms-1' is repeated: give each its own"),
        (stages(1, name="sms"), "the whole file", "stage name 'sms' is repeated: give each its own"),
        (stages(1, from_dpd=1), "the whole file", "stage 'call' starts at 1 days, not after 'sms'"),
        (steps(1), "the whole file", "stage 'call' has no steps"),
        (
            steps(1, CALL | {"day": 3}, CALL | {"id": "b"}),
            "the whole file",
            "the steps of stage 'call' go back in time",
        ),
        (steps(1, CALL | {"id": "house-thanks"}), "the whole file", "step id 'house-thanks' is the house's"),
        (steps(0, {"id": "a", "do": "sms"}), "stages.0.steps.0", "step a sends a text and needs a template"),
        (steps(1, CALL | {"dedline": "1 day"}), "stages.1.steps.0.dedline", "there is no such key here"),
        (steps(1, CALL | {"deadline": "soon"}), "stages.1.steps.0.deadline", "'soon' is no length of time"),
        (steps(1, CALL | {"deadline": 7}), "stages.1.steps.0.deadline", "'7' is no length of time"),
        (steps(1, CALL | {"attempts": 0}), "stages.1.steps.0.attempts", "greater than or equal to 1"),
        (content(calendar="ZZ"), "calendar", "calendar 'ZZ' is unknown: use an ISO 3166 country code"),
        (content(promise={"kept_at": "most%"}), "promise.kept_at", "'most%' is no share: write 95%"),
        (content(promise={"kept_at": "101%"}), "promise.kept_at", "less than or equal to 1"),
        (content(send_window={"start": "17:00", "end": "09:00"}), "send_window", "send_window ends before it starts"),
        (content(stages=[]), "stages", "at least 1 item"),
        ({k: v for k, v in content().items() if k != "calendar"}, "calendar", "it is missing, add it"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_with_file_key_and_reason(
    changed: dict[str, Any], key: str, reason: str
) -> None:
    message = refused(changed)
    assert message.startswith(f"strategy mine.toml, key {key}: ")
    assert reason in message
    assert message.endswith(".")
    assert "\n" not in message


def test_bad_toml_is_told_with_its_file_and_line() -> None:
    with pytest.raises(BadInput, match=r"^strategy mine\.toml is not valid TOML: .*line 2.*\.$"):
        read_strategy('name = "a"\nversion = \n', "mine.toml")


def test_grace_days_close_a_gap() -> None:
    assert parse_strategy(stages(0, from_dpd=3) | {"grace_days": 2}, "mine.toml").grace_days == 2


def test_every_text_is_named_with_its_channel() -> None:
    assert set(small().templates()) == {
        ("sms", "gentle"),
        ("sms", "firm"),
        ("letter", "lawyer"),
        ("sms", "thanks"),
        ("sms", "promise"),
        ("sms", "bounced"),
    }
