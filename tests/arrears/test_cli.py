"""How every command ends: the codes of design.md 9, and with `--json` an error that a program can read."""

import json
import os
import sys
from typing import Any

import pytest

from arrears import cli
from arrears.commands import cases
from domain.messages import Answer
from tests.commands import arrears


def _called(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["arrears", *words])
    return cli._run()


def _error(text: str) -> tuple[str, str]:
    error: dict[str, Any] = json.loads(text)["error"]
    assert set(error) == {"code", "message"}
    return error["code"], error["message"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("case --json", "Missing argument 'loan': see `arrears case --help`."),
        ("nosuch --json", "No such command 'nosuch': see `arrears --help`."),
        ("intake --json", "Missing option '--loans': see `arrears intake --help`."),
        ("strategy nosuch --json", "No such command 'nosuch': see `arrears strategy --help`."),
    ],
)
def test_bad_use_is_told_to_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, sentence: str
) -> None:
    assert _called(monkeypatch, *words.split()) == 2
    assert _error(capsys.readouterr().out) == ("bad_use", sentence)


@pytest.mark.parametrize("most", ["x", "-1", "0", "99999999999999999999"])
def test_a_number_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], most: str
) -> None:
    assert _called(monkeypatch, "tasks", "--json", "--most", most) == 2
    assert _error(capsys.readouterr().out)[1].startswith("Invalid value for '--most': ")


def test_an_error_that_nobody_expected_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> None:
        raise KeyError("what a borrower wrote")

    monkeypatch.setattr(cases, "run", fails)
    for words in (("tasks", "--json"), ("tasks",)):
        assert _called(monkeypatch, *words) == 2
        told = capsys.readouterr()
        code, sentence = _error(told.out) if "--json" in words else ("internal", told.err)
        assert code == "internal"
        assert sentence.startswith("KeyError at tests.arrears.test_cli:")
        assert "borrower" not in sentence
        assert "Traceback" not in told.err


def test_a_refused_message_has_an_error_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(main: Any) -> Answer:
        return Answer(accepted=False, reason="nothing is past due.")

    monkeypatch.setattr(cases, "run", refuses)
    assert _called(monkeypatch, "send", "L-1", "poke", "--json") == 2
    assert json.loads(capsys.readouterr().out) == {
        "accepted": False,
        "reason": "nothing is past due.",
        "next_step": None,
        "error": {"code": "refused", "message": "nothing is past due."},
    }


async def test_kinds_of_errors_have_codes_of_their_own(
    postgres: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TEMPORAL_ADDRESS", "127.0.0.1:1")
    for url, words, code in (
        (database_url, ["case", "nosuch"], "unknown_loan"),
        (database_url, ["sweep"], "part_down"),
        ("postgresql://x@127.0.0.1:1/x", ["case", "nosuch"], "part_down"),
        (postgres, ["case", "nosuch"], "part_down"),  # a database without our schema
        (database_url, ["rules", "show", "nosuch"], "bad_use"),
    ):
        done = await arrears(url, *words, "--json")
        assert (done.code, _error(done.out)[0]) == (2, code), done
