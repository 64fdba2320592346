"""One machine's stack, met as a stranger meets it: the command line with --json, and HTTP."""

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import IO, Any, TypeVar

import httpx
import psutil
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from starters.signature import sign
from tests.commands import command
from tests.environment import in_memory

ARREARS = Path(sys.executable).with_name("arrears")
SECRET = "whsec_stack"
DAY = 2  # real seconds
T = TypeVar("T")
Json = dict[str, Any]


def clean_environment() -> dict[str, str]:
    """The environment without anything that names servers or accounts."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("ARREARS_", "TEMPORAL_", "TWILIO_"))}


def call(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [ARREARS, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**clean_environment(), **(environment or {})},
    )


def until(look: Callable[[], T | None], what: str, seconds: float = 45) -> T:
    """Look until there is something to see.

    Raises:
        AssertionError: there is not in the time given.
    """
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"gave up waiting: {what}"
        time.sleep(0.1)
    return seen


@dataclass
class Stack:
    """`arrears up` on a folder of its own; stopped and started again at will."""

    folder: Path
    options: tuple[str, ...]
    addresses: dict[str, str] = field(default_factory=dict)
    _process: "subprocess.Popen[str] | None" = None
    _log: IO[str] | None = None
    _anchor: tuple[float, datetime] = (0, datetime.min.replace(tzinfo=UTC))
    _loans: "count[int]" = field(default_factory=count)

    @property
    def day(self) -> float:
        """Real seconds that a business day lasts."""
        return float(self.options[self.options.index("--day") + 1])

    # --- up and down ---

    def start(self) -> "Stack":
        """Start it, and read the one line that says it is ready."""
        self._log = (self.folder / "up.log").open("a")
        self._process = subprocess.Popen(
            [ARREARS, "up", "--dir", self.folder / "state", "--json", *self.options],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**clean_environment(), "ARREARS_WEBHOOK_SECRET": SECRET},
            start_new_session=True,
        )
        assert self._process.stdout
        line = self._process.stdout.readline()  # the test's own timeout bounds it
        assert line, (self.folder / "up.log").read_text()
        ready = json.loads(line)
        assert ready.pop("ready", None) is True, line
        self.addresses = ready
        self._anchor = (time.monotonic(), self.now())
        return self

    def stop(self) -> int:
        """Press Ctrl-C, and wait for the end; its exit code."""
        assert self._process
        assert self._log
        assert self._process.stdout
        # The terminal sends it to all of the group.
        os.killpg(self._process.pid, signal.SIGINT)
        try:
            rest, _ = self._process.communicate(timeout=45)
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._log.close()
        assert rest == "", "up prints one line"
        return self._process.returncode

    @property
    def worker(self) -> int:
        """The process id of the worker."""
        assert self._process
        children = psutil.Process(self._process.pid).children(recursive=True)
        return next(c.pid for c in children if c.cmdline()[-2:] == ["arrears", "worker"])

    # --- the command line ---

    @property
    def environment(self) -> dict[str, str]:
        """What `arrears up` prints for other terminals."""
        return {"ARREARS_DATABASE_URL": self.addresses["database_url"], "TEMPORAL_ADDRESS": self.addresses["temporal"]}

    def ask(self, *arguments: str | Path, code: int = 0) -> Any:
        """What a command prints with --json."""
        done = command(clean_environment() | self.environment, *arguments, "--json")
        assert done.code == code, f"{arguments} exited {done.code}: {done.out}{done.err}"
        return json.loads(done.out)

    def refusal(self, *arguments: str | Path) -> str:
        """The sentence with which a command is refused."""
        error = self.ask(*arguments, code=2)["error"]
        assert set(error) == {"code", "message"}
        assert "\n" not in error["message"]
        return str(error["message"])

    def now(self) -> datetime:
        """The business time."""
        return datetime.fromisoformat(self.ask("report")["as_of"])

    def today(self) -> date:
        """The business date, give or take the moment since the clock was read."""
        read, at = self._anchor
        return (at + timedelta(days=(time.monotonic() - read) / self.day)).date()

    def tell(self, loan: str, message: str, code: int = 0, **body: object) -> Json:
        """Send a message to a case; the answer."""
        answer: Json = self.ask("send", loan, message, json.dumps(body, default=str), code=code)
        assert answer["accepted"] is (code == 0)
        return answer

    # --- HTTP ---

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.addresses["api"] + path, timeout=10)

    def case(self, loan: str) -> Json:
        """A case, as HTTP shows it."""
        lender, _, loan_id = loan.rpartition("/")
        answer = self.get(f"/v1/cases/{loan_id}?lender_id={lender or 'default'}")
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        return shown

    def pay(self, loan: str, amount: str, entry_id: str, on: date) -> int:
        """Post a payment; the HTTP status."""
        lender, _, loan_id = loan.rpartition("/")
        entry = {
            "entry_id": entry_id,
            "lender_id": lender or "default",
            "loan_id": loan_id,
            "kind": "payment",
            "amount": amount,
            "currency": "EUR",
            "value_date": on.isoformat(),
        }
        body = json.dumps(entry).encode()
        headers = {"Arrears-Signature": sign(SECRET, body), "Content-Type": "application/json"}
        return httpx.post(f"{self.addresses['api']}/v1/entries", content=body, headers=headers, timeout=10).status_code

    def texts(self, number: str) -> list[str]:
        """What arrived at a number, oldest first."""
        found = httpx.get(f"{self.addresses['simulator']}/_simulator/messages", timeout=10).json()["messages"]
        return [m["body"] for m in found if m["to"] == number]

    def reply(self, number: str, text: str) -> None:
        """Let somebody answer a text."""
        order = {"from": number, "text": text}
        httpx.post(f"{self.addresses['simulator']}/_simulator/reply", json=order, timeout=10).raise_for_status()

    # --- stories ---

    def loan(self, number: str, *, past: int, lender: str = "default", strategy: str = "quick") -> str:
        """Take in a loan of 100 EUR, so many days past due today; its name."""
        name = f"S{next(self._loans)}"
        today = self.today()
        rows = {
            "loans": {
                "lender_id": lender,
                "loan_id": name,
                "borrower_id": f"P-{name}",
                "borrower_name": "Annunziata Esposito",
                "borrower_kind": "person",
                "phone": number,
                "language": "it",
                "timezone": "Europe/Rome",
                "country": "IT",
                "currency": "EUR",
                "opened_on": today - timedelta(days=past + 60),
                "product": "loan",
            },
            "instalments": {
                "lender_id": lender,
                "loan_id": name,
                "number": 1,
                "due_on": today - timedelta(days=past),
                "principal": "100.00",
                "interest": "0.00",
                "fee": "0.00",
            },
        }
        files: list[str | Path] = []
        for kind, row in rows.items():
            path = self.folder / f"{name}-{kind}.csv"
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, row)
                writer.writeheader()
                writer.writerow(row)
            files += [f"--{kind}", path]
        report = self.ask("intake", *files, "--strategy", strategy)
        assert (report["loans"]["new"], report["instalments"]["new"]) == (1, 1), report
        return f"{lender}/{name}"

    def open_task(self, loan: str, kind: str = "call", seconds: float = 45) -> str:
        """The id of a case's task of this kind, once it is open."""
        until(lambda: self._waits_for(loan, kind), f"a {kind} task of {loan}", seconds)
        lender, _, loan_id = loan.rpartition("/")
        found = [t for t in self.ask("tasks", "--lender", lender) if (t["loan_id"], t["kind"]) == (loan_id, kind)]
        return str(found[0]["task_id"])

    def _waits_for(self, loan: str, kind: str) -> bool:
        step = self.case(loan)["next_step"]
        return step is not None and step["why"].startswith(f"{kind} task")

    def journal(self, loan: str) -> list[str]:
        """What happened in a case, oldest first."""
        return [event["kind"] for event in self.ask("why", loan)["events"]]

    def signals(self, loan: str) -> list[str]:
        """The signals in the history of a case, as the Temporal UI shows them."""

        async def look() -> list[str]:
            client = await Client.connect(self.addresses["temporal"])
            history = await client.get_workflow_handle(f"loan-{loan.replace('/', '-')}").fetch_history()
            told = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
            return [
                e.workflow_execution_signaled_event_attributes.signal_name
                for e in history.events
                if e.event_type == told
            ]

        return asyncio.run(look())

    def lose(self, loan: str) -> None:
        """Terminate the workflow of a case behind its back."""

        async def terminate() -> None:
            client = await Client.connect(self.addresses["temporal"])
            await client.get_workflow_handle(f"loan-{loan.replace('/', '-')}").terminate("a test")

        asyncio.run(terminate())


@contextmanager
def machine(*options: str) -> Iterator[Stack]:
    """A stack that runs, on a folder that is gone afterwards."""
    # Not in pytest's folder, which each new run closes to the account that PostgreSQL has in root's stead.
    folder = Path(mkdtemp(prefix="arrears-stack-", dir=in_memory()))
    stack = Stack(folder, options).start()
    try:
        yield stack
    finally:
        assert stack.stop() == 0
        rmtree(folder)
