"""The committed reference is what the code gives."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

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
