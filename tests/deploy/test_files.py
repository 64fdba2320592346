"""The files that start the services: every command in them exists, every variable is one that is read, every file mounted is there."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from arrears.cli import app
from tests.deploy.compose import COMPOSE, OURS, ROOT, SERVICES
from workers.settings import Settings, TwilioSettings

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text("utf-8").splitlines()
    if re.match(r"[A-Z_]+=", line)
)
READ_ELSEWHERE = {"ARREARS_LOG", "ARREARS_LOG_FORMAT"}
OF_COMPOSE = {"ARREARS_DB_PASSWORD", "ARREARS_VERSION"}


def parse(words: list[str]) -> None:
    """Parse a command line of ours without running it."""
    command: Any = typer.main.get_command(app)
    command.commands[words[0]].make_context(words[0], words[1:])


def known_variables() -> set[str]:
    twilio = {each.validation_alias or f"TWILIO_{name.upper()}" for name, each in TwilioSettings.model_fields.items()}
    return {f"ARREARS_{name.upper()}" for name in Settings.model_fields} | {str(t) for t in twilio} | READ_ELSEWHERE


@pytest.mark.parametrize("service", OURS)
def test_a_service_s_command_exists(service: str) -> None:
    parse(OURS[service]["command"])
    check = OURS[service].get("healthcheck", {}).get("test", [])
    if check[1:2] == ["arrears"]:
        parse(check[2:])


def test_there_is_a_service_for_each_long_running_command() -> None:
    commands = [" ".join(each["command"]) for each in OURS.values()]
    assert {"worker --queues cases", "worker --queues contact", "worker --queues office", "relay"} <= set(commands)
    assert any(c.startswith("api ") for c in commands)
    assert any(c.startswith("codec ") for c in commands)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_s_command_exists(unit: Path) -> None:
    [line] = re.findall(r"^ExecStart=\S*/arrears (.+)$", unit.read_text("utf-8"), re.M)
    parse(shlex.split(line.replace("%i", "cases")))


def test_every_variable_given_is_one_that_is_read() -> None:
    given = {name for each in OURS.values() for name in each.get("environment", {})}
    ours = {name for name in given if name.startswith(("ARREARS_", "TWILIO_"))}
    assert ours <= known_variables()
    assert known_variables() - ours == set(), "docker-compose.yml does not pass these on"


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    named = {name for name in EXAMPLE if name.startswith(("ARREARS_", "TWILIO_"))}
    assert known_variables() | OF_COMPOSE - {"ARREARS_VERSION"} == named
    secret = [name for name, value in EXAMPLE.items() if re.search("PASSWORD|SECRET|TOKEN|KEY", name) and value]
    assert secret == []


def test_what_compose_asks_of_the_environment_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text("utf-8")))
    assert asked <= set(EXAMPLE)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_waits_for_what_is_there_and_mounts_what_is_there(service: str) -> None:
    waits = SERVICES[service].get("depends_on", {})
    waits = waits if isinstance(waits, dict) else {name: {"condition": "service_started"} for name in waits}
    for name, how in waits.items():
        assert name in SERVICES
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[name]
    for mount in SERVICES[service].get("volumes", []):
        source = mount.split(":")[0]
        assert (ROOT / source).is_file() if source.startswith("./") else source in COMPOSE["volumes"]


def test_ours_run_without_rights() -> None:
    for each in OURS.values():
        assert each["read_only"]
        assert each["cap_drop"] == ["ALL"]
    assert re.search(r"^USER arrears$", (ROOT / "Dockerfile").read_text("utf-8"), re.M)
