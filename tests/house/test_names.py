"""The folders stand at the top of the wheel under plain names, so nobody else in the environment may bring the same."""

import tomllib
from importlib.metadata import Distribution, distributions, packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
    "packages"
]


def installs(distribution: Distribution, name: str) -> bool:
    """Whether a distribution puts a module or folder of this name at the top of site-packages."""
    return any(file.parts[0] in {name, f"{name}.py"} for file in distribution.files or [])


@pytest.mark.parametrize("name", [*NAMES, "tests"])
def test_no_other_distribution_brings_the_name(name: str) -> None:
    foreign = {found.name for found in distributions() if installs(found, name)} - {"arrears"}
    foreign |= set(packages_distributions().get(name, [])) - {"arrears"}
    assert not foreign, f"{', '.join(sorted(foreign))} also installs {name}: see docs/decisions/0001-top-level-names.md"


@pytest.mark.parametrize("name", [name for name in NAMES if (ROOT / name / "__init__.py").exists()])
def test_the_name_is_ours(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin == str(ROOT / name / "__init__.py")


def test_every_package_is_in_the_wheel() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= set(NAMES)
