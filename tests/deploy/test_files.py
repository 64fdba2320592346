"""The files that start the services: every command in them exists, every variable is one that is read, every file mounted is there."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from arrears.cli import app
from tests.deploy.compose import COMPOSE, OURS, ROOT, SERVICES, environment
from workers.settings import Settings, TwilioSettings

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text("utf-8").splitlines()
    if re.match(r"[A-Z_]+=", line)
)
ENV_FILES = sorted((ROOT / "deploy/systemd/env").glob("*.env"))
PASSWORDS = {"ARREARS_DB_PASSWORD": "x"}
READ_ELSEWHERE = {"ARREARS_LOG", "ARREARS_LOG_FORMAT"}
OF_COMPOSE = {"ARREARS_DB_PASSWORD", "ARREARS_VERSION", "ARREARS_OLD_VERSION", "ARREARS_OLD_BUILD_ID"}


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
    [line] = re.findall(r"^ExecStart=.*/opt/arrears\S*/bin/arrears (.+)$", unit.read_text("utf-8"), re.M)
    parse(shlex.split(line.replace("%i", "cases")))


def test_each_process_of_one_machine_has_an_address_of_its_own_and_is_scraped_there() -> None:
    """One file of variables for all would have them fight for one port."""
    given = {file.stem: dict([file.read_text().strip().split("=")]) for file in ENV_FILES}
    addresses = {name: told["ARREARS_METRICS_ADDRESS"] for name, told in given.items()}
    assert EXAMPLE["ARREARS_METRICS_ADDRESS"] == ""
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/systemd.yml").read_text("utf-8"))["scrape_configs"]
    [workers] = [job for job in jobs if job["job_name"] == "arrears-workers"]
    asked = {each["labels"]["service"]: each["targets"] for each in workers["static_configs"]}
    as_services = {name.removeprefix("arrears-").replace("@", "-"): at for name, at in addresses.items()}
    assert asked == {name: [at] for name, at in as_services.items()}
    assert len(set(addresses.values())) == len(addresses)
    for name in addresses:
        unit = (ROOT / "deploy/systemd" / f"{re.sub('@.*', '@', name)}.service").read_text("utf-8")
        assert unit.index("EnvironmentFile=/etc/arrears/arrears.env") < unit.index(
            "EnvironmentFile=-/etc/arrears/%N.env"
        )


def test_prometheus_asks_every_replica_of_whoever_serves_figures() -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))["scrape_configs"]
    [workers] = [job for job in jobs if job["job_name"] == "arrears-workers"]
    [found] = workers["dns_sd_configs"]
    serving = {name for name, each in OURS.items() if each["command"][0] in {"worker", "relay"}}
    assert {"old-worker"} | set(found["names"]) == serving
    assert OURS["old-worker"]["networks"]["default"]["aliases"] == ["worker-cases"]
    assert str(found["port"]) == environment("relay", PASSWORDS)["ARREARS_METRICS_ADDRESS"].rpartition(":")[2]


def test_the_old_build_runs_beside_the_new_one() -> None:
    given = PASSWORDS | {"ARREARS_BUILD_ID": "2", "ARREARS_OLD_BUILD_ID": "1"}
    old, new = environment("old-worker", given), environment("worker-cases", given)
    assert (old.pop("ARREARS_BUILD_ID"), new.pop("ARREARS_BUILD_ID")) == ("1", "2")
    assert old == new
    assert "ARREARS_OLD_VERSION" in OURS["old-worker"]["image"]
    assert "build" not in OURS["old-worker"]  # its image is what ran before, not this source under its name
    unit = (ROOT / "deploy/systemd/arrears-build@.service").read_text("utf-8")
    assert "ExecStart=/usr/bin/env ARREARS_BUILD_ID=%i /opt/arrears-%i/bin/arrears worker\n" in unit


def test_without_the_profile_temporal_nothing_of_its_server_is_needed() -> None:
    """As against Temporal Cloud."""
    away = {name for name, each in SERVICES.items() if "temporal" in each.get("profiles", [])}
    assert away == {name for name, each in SERVICES.items() if each["image"].startswith("temporalio/")}
    assert EXAMPLE["COMPOSE_PROFILES"] == "temporal"
    for name in set(SERVICES) - away:
        waits = SERVICES[name].get("depends_on", {})
        for other in away & set(waits):
            assert waits[other]["required"] is False, name
    told = environment("worker-cases", PASSWORDS | {"TEMPORAL_TLS_CLIENT_CERT_PATH": "/certificates/client.pem"})
    assert told["TEMPORAL_TLS_CLIENT_CERT_PATH"] == "/certificates/client.pem"
    assert {"TEMPORAL_TLS_CLIENT_KEY_PATH", "TEMPORAL_TLS_SERVER_CA_CERT_PATH"} <= set(told)
    assert "./deploy/certificates:/certificates:ro" in OURS["worker-cases"]["volumes"]


def test_every_service_that_stays_has_a_health_check() -> None:
    assert [
        n for n, each in SERVICES.items() if each["restart"] == "unless-stopped" and "healthcheck" not in each
    ] == []


def test_the_ui_asks_the_codec_server_only_where_there_is_one() -> None:
    assert environment("temporal-ui", {})["TEMPORAL_CODEC_ENDPOINT"] == ""
    there = environment("temporal-ui", {"ARREARS_CODEC_TOKEN": "x"})["TEMPORAL_CODEC_ENDPOINT"]
    assert there == f"http://{OURS['codec']['ports'][0].rpartition(':')[0]}"
    assert environment("codec", {})["ARREARS_LOG_FORMAT"] == "json"


def test_every_variable_given_is_one_that_is_read() -> None:
    given = {name for each in OURS.values() for name in each.get("environment", {})}
    ours = {name for name in given if name.startswith(("ARREARS_", "TWILIO_"))}
    assert ours <= known_variables()
    assert known_variables() - ours == set(), "docker-compose.yml does not pass these on"


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    named = {name for name in EXAMPLE if name.startswith(("ARREARS_", "TWILIO_"))}
    assert known_variables() | OF_COMPOSE == named
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
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_ours_run_without_rights() -> None:
    for each in OURS.values():
        assert each["read_only"]
        assert each["cap_drop"] == ["ALL"]
    assert re.search(r"^USER arrears$", (ROOT / "Dockerfile").read_text("utf-8"), re.M)
