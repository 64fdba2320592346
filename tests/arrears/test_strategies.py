"""`arrears strategy publish` refuses a strategy whose words may not be sent, before anything is written."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import policies
from activities import words
from arrears.commands.strategies import publish
from domain.errors import BadInput
from tests.commands import arrears

CACHES = (words.template, words.word_books, words.languages, words._environment)
STANDARD = (policies.folder() / "strategies" / "standard.toml").read_text("utf-8")


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A copy of the policies to spoil, where the words are looked for."""
    shutil.copytree(policies.folder(), tmp_path / "policies")
    monkeypatch.setattr(words, "files", lambda package: tmp_path / package)
    for each in CACHES:
        each.cache_clear()
    yield tmp_path / "policies"
    for each in CACHES:
        each.cache_clear()


@pytest.mark.parametrize(
    ("spoilt", "text", "sentence"),
    [
        (
            "messages/hi/gentle.txt",
            "{{ lender }}: final notice! Reply STOP to end texts.",
            "strategy own.toml: message template policies/messages/hi/gentle.txt may not be sent: FALSE_URGENCY",
        ),
        (
            "messages/zh/gentle.txt",
            None,
            "strategy own.toml: message template 'gentle' is missing: put it at policies/",
        ),
        (
            "letters/it/lawyer.typ",
            "#facts.lender_name: final notice!",
            "strategy own.toml: letter template policies/letters/it/lawyer.typ may not be sent: FALSE_URGENCY",
        ),
    ],
)
def test_a_strategy_whose_words_may_not_be_sent_is_refused(
    shelf: Path, tmp_path: Path, spoilt: str, text: str | None, sentence: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(STANDARD, "utf-8")
    if text is None:
        (shelf / spoilt).unlink()
    else:
        (shelf / spoilt).write_text(text, "utf-8")
    with pytest.raises(BadInput) as refused:
        publish(file)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("named", "instead", "sentence"),
    [
        (
            'template = "gentle"',
            'template = "rude"',
            "message template 'rude' is missing: put it at policies/messages/",
        ),
        (
            'template = "lawyer"',
            'template = "rude"',
            "letter template 'rude' is missing: put it at policies/letters/en/",
        ),
    ],
)
async def test_a_template_that_nobody_wrote_is_refused(
    database_url: str, tmp_path: Path, named: str, instead: str, sentence: str
) -> None:
    file = tmp_path / "own.toml"
    assert named in STANDARD
    file.write_text(STANDARD.replace(named, instead).replace('name = "standard"', 'name = "own"'), "utf-8")
    done = await arrears(database_url, "strategy", "publish", file)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"strategy own.toml: {sentence}")
    assert done.err.count("\n") == 1


async def test_a_strategy_whose_words_may_be_sent_is_published(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(STANDARD.replace('name = "standard"', 'name = "own"'), "utf-8")
    done = await arrears(database_url, "strategy", "publish", file)
    assert (done.code, done.err) == (0, "")
