"""The committed reference is what the code gives."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from activities.registry import World, activities_by_queue
from workers import fleet

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """docs/ is no package; its script is loaded from its place."""
    spec = importlib.util.spec_from_file_location("reference", FOLDER / "write.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_pages_are_what_the_code_gives(writer: ModuleType, database_url: str) -> None:
    made = writer.pages(await writer.read_schema(database_url))
    assert sorted(made) == sorted(page.stem for page in FOLDER.glob("*.md"))
    for name, text in made.items():
        assert (FOLDER / f"{name}.md").read_text("utf-8") == text, (
            f"docs/reference/{name}.md is old: run `make reference`"
        )


async def test_every_table_and_command_says_what_it_is(writer: ModuleType, database_url: str) -> None:
    schema = await writer.read_schema(database_url)
    assert [row["name"] for row in schema if not row["about"]] == []
    commands = writer.pages(schema)["commands"].split("\n## ")[1:]
    assert len(commands) > 30
    assert [text.splitlines()[0] for text in commands if not text.splitlines()[2].endswith(".")] == []


def test_all_that_is_registered_with_the_fleet_has_its_place() -> None:
    text = (FOLDER / "messages.md").read_text("utf-8")
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")}
    for workflow in fleet.WORKFLOWS:
        defined = getattr(workflow, "__temporal_workflow_definition")
        part = sections[defined.name]
        for name in {*defined.updates, *defined.signals, *defined.queries} - {None}:
            assert f"#### {name}\n" in part or f"| `{name}` |" in part, f"{defined.name} does not tell of {name}"
        for signal in defined.signals.values():
            [row] = [line for line in part.splitlines() if line.startswith(f"| `{signal.name}` |")]
            assert all(f"`{field}` (" in row for model in signal.arg_types for field in model.model_fields), row
    nobody: Any = None
    offered = activities_by_queue(World(nobody, nobody, nobody, nobody, ""))
    queues = {part.partition("\n")[0]: part for part in sections["Activities"].split("\n### ")[1:]}
    assert set(queues) == set(offered)
    for queue, activities in offered.items():
        names = [getattr(each, "__temporal_activity_definition").name for each in activities]
        assert [line.split("`")[1] for line in queues[queue].splitlines() if line.startswith("| `")] == names
        assert all(each.__doc__ for each in activities)
