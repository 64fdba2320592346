"""The locks name every version and its hashes, and no place to fetch them from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def entries(lock: Path) -> list[str]:
    """The requirements of a lock, each as one line with its hashes."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    return text.replace("\\\n", " ").splitlines()


def pinned(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.lock").read_text()
    return {canonicalize_name(package): version for package, version in PINNED.findall(text)}


def wanted(requirements: list[str]) -> list[Requirement]:
    return [parsed for parsed in map(Requirement, requirements) if parsed.name != "arrears"]


def test_there_are_three_locks() -> None:
    assert [lock.name for lock in LOCKS] == ["base.lock", "build.lock", "dev.lock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_with_hashes(lock: Path) -> None:
    assert entries(lock)
    for entry in entries(lock):
        assert PINNED.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_place_is_named(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|@ ", text)


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("base", PROJECT["project"]["dependencies"]),
        ("dev", PROJECT["project"]["dependencies"]),
        ("dev", PROJECT["project"]["optional-dependencies"]["embedded"]),
        ("dev", PROJECT["project"]["optional-dependencies"]["dev"]),
        ("build", PROJECT["build-system"]["requires"]),
    ],
)
def test_what_pyproject_asks_for_is_locked(lock: str, requirements: list[str]) -> None:
    versions = pinned(lock)
    for requirement in wanted(requirements):
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{requirement} is not in {lock}.lock: run make lock"
        assert requirement.specifier.contains(version), f"{lock}.lock has {version}, not {requirement}: run make lock"


def test_production_runs_what_was_tested() -> None:
    tested = pinned("dev")
    assert pinned("base").items() <= tested.items()
    assert {name: tested[name] for name in pinned("build") if name in tested}.items() <= pinned("build").items()
    assert PROJECT["build-system"]["requires"] == PROJECT["dependency-groups"]["build"]
