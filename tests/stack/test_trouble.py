"""What a stack does when a part dies, when it is stopped for a while, when its strategies change, and when it is asked nonsense."""

import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stack.machine import Stack, call, machine, until

HERE = Path(__file__).parent


def test_a_killed_worker_comes_back(stack: Stack) -> None:
    number = "+12015550131"
    loan = stack.loan(number, past=1)
    until(lambda: stack.texts(number), "the first text")
    before = stack.worker
    os.kill(before, signal.SIGKILL)
    until(lambda: len(stack.texts(number)) == 2, "the second text")
    assert stack.worker != before
    assert stack.open_task(loan)
    assert len(stack.texts(number)) == 2
    assert stack.ask("verify")["ok"] is True


def test_a_stopped_stack_goes_on_where_it_was(stack: Stack) -> None:
    """The business clock stands while the stack does; cases that slept go on; a folder has one stack; a taken port is given up."""
    number = "+12015550132"
    loan = stack.loan(number, past=1)
    until(lambda: stack.texts(number), "the first text")
    busy = call("up", "--dir", stack.folder / "state", environment=stack.environment)
    assert busy.returncode == 2
    assert "already running" in busy.stderr
    assert len(busy.stderr.splitlines()) == 1

    was, asked, at = stack.addresses, time.monotonic(), stack.now()
    assert stack.stop() == 0
    stopped = time.monotonic()
    down = call("case", loan, environment=stack.environment)
    assert (down.returncode, "database cannot be reached" in down.stderr) == (2, True)
    down = call("sweep", environment=stack.environment)
    assert (down.returncode, "cannot be reached" in down.stderr) == (2, True)
    away = time.monotonic() - stopped
    with taken(was["api"]):
        stack.start()
    passed = stack.now() - at
    assert passed <= timedelta(days=(time.monotonic() - asked - away) / stack.day)
    assert stack.addresses["api"] != was["api"]
    assert stack.get("/healthz").status_code == 200
    until(lambda: len(stack.texts(number)) == 2, "the second text")
    assert stack.open_task(loan)
    assert stack.ask("verify")["ok"] is True


@contextmanager
def taken(url: str) -> Iterator[None]:
    """Somebody else has the port of an address meanwhile."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # it is not free as it is
            other.bind(("127.0.0.1", int(url.rpartition(":")[2])))
            other.listen()
        yield


def test_a_case_keeps_its_strategy(stack: Stack) -> None:
    """Version 2 is for new cases; an old one sleeps on under version 1, and replays."""
    old = stack.loan("+12015550133", past=1)
    until(lambda: stack.texts("+12015550133"), "the first text of the old case")
    second = stack.folder / "second.toml"
    words = (HERE / "quick.toml").read_text()
    second.write_text(
        words.replace("version = 1", "version = 2").replace('"sms-1"', '"first"').replace('"gentle"', '"firm"')
    )
    changed = stack.folder / "changed.toml"
    changed.write_text(words.replace("days = 60", "days = 61"))
    assert "raise its version" in stack.refusal("strategy", "publish", changed)
    assert stack.ask("strategy", "publish", second)["new"] is True
    assert stack.ask("strategy", "publish", second)["new"] is False

    new = stack.loan("+12015550134", past=1)
    until(lambda: stack.texts("+12015550134"), "the first text of the new case")
    until(lambda: len(stack.texts("+12015550133")) == 2, "the second text of the old case")
    assert [c["step_id"] for c in stack.ask("why", old)["contacts"]] == ["sms-1", "sms-2"]
    assert stack.ask("why", new)["contacts"][0]["step_id"] == "first"
    replayed = stack.ask("replay")
    assert replayed["replayed"] >= 2
    assert (replayed["diverged"], replayed["failing"]) == ([], [])


def test_a_lost_case_is_rebuilt(stack: Stack) -> None:
    """Temporal forgot it: the ledger did not, and nobody is written to twice."""
    number = "+12015550135"
    loan = stack.loan(number, past=1)
    until(lambda: stack.texts(number), "the first text")
    stack.lose(loan)
    assert stack.ask("rebuild", loan)["workflow_id"] == f"loan-{loan.replace('/', '-')}"
    assert stack.open_task(loan)
    contacts = stack.ask("why", loan)["contacts"]
    assert [(c["step_id"], c["ordinal"]) for c in contacts if c["channel"] == "sms"] in (
        [("sms-1", 1), ("sms-2", 1)],
        [("first", 1), ("sms-2", 1)],
    )
    assert len(stack.texts(number)) == 2
    assert stack.ask("verify")["ok"] is True


def test_a_new_lender_is_in_shadow_until_go(stack: Stack) -> None:
    """All is decided and written down, nobody is contacted; `go` ends that and `stop` puts off."""
    number = "+12015550136"
    loan = stack.loan(number, past=1, lender="west")
    # Until somebody names the rules that hold for a lender, its contacts are forbidden even on paper.
    stack.ask("go", "--lender", "west", "--channel", "letter", "--rulebooks", "house")
    until(lambda: "contact_shadow" in stack.journal(loan), "a contact that is only written down")
    assert {c["state"] for c in stack.ask("why", loan)["contacts"]} <= {"shadow", "forbidden"}
    assert stack.texts(number) == []

    stack.ask("go", "--lender", "west")
    heard = "+12015550137"
    stack.loan(heard, past=1, lender="west")
    until(lambda: stack.texts(heard), "a text of a lender that is live")
    stack.ask("stop", "--lender", "west", "--reason", "a test")
    unheard = stack.loan("+12015550138", past=1, lender="west")
    until(lambda: "deferred" in stack.journal(unheard), "the stop in the journal")
    assert stack.texts("+12015550138") == []
    stack.ask("go", "--lender", "west")


def test_a_tape_of_real_debts_twice(stack: Stack) -> None:
    fines = HERE.parent / "tapes" / "fines"
    tape = [x for kind in ("loans", "instalments", "entries") for x in (f"--{kind}", fines / f"{kind}.csv")]
    with machine("--day", "60", "--start", "2008-03-01") as other:
        rejects = other.folder / "rejects.csv"
        first = other.ask("intake", *tape, "--rejects", rejects)
        assert (first["loans"]["new"], first["entries"]["new"], first["entries"]["rejected"]) == (144, 424, 4)
        refused = [line.split(",")[:2] for line in rejects.read_text().splitlines()[1:]]
        sources = (fines / "entries.csv").read_text().splitlines()
        assert [["entries.csv", str(n)] for n, row in enumerate(sources, 1) if ",0.00," in row] == refused
        second = other.ask("intake", *tape)
        for kind in ("loans", "instalments", "entries"):
            assert (second[kind]["new"], second[kind]["changed"]) == (0, 0)
        assert second["loans"]["unchanged"] == 144


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["case", "X"], {}, "ARREARS_DATABASE_URL is not set"),
        (["case", "X"], {"ARREARS_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/a"}, "database cannot be reached"),
        (["case", "X"], {"ARREARS_DATABASE_URL": "nonsense"}, "ARREARS_DATABASE_URL"),
        (["sweep"], {"TEMPORAL_ADDRESS": "127.0.0.1:1"}, "Temporal at 127.0.0.1:1 cannot be reached"),
        (["strategy", "publish", "no/such.toml"], {}, "no/such.toml"),
        (["replay", "no/such/folder"], {}, "no/such/folder"),
        (["up", "--day", "1"], {}, "2 seconds or more"),
        (["up", "--start", "01.03.2008"], {}, "2008-03-01"),
    ],
)
def test_a_clear_sentence_each(arguments: list[str], environment: Mapping[str, str], says: str) -> None:
    """Bad use and parts that are down: one sentence, exit code 2, no traceback."""
    done = call(*arguments, environment=environment)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == ""
