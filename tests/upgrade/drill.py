"""The upgrade drill: build B follows build A while cases sleep, are awake, and have a text at the carrier.

Everything that an operator does is done by the command they use (docs/versions.md).
"""

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from channels.simulator.script import Behaviour, Fault, Script
from ledger.clock import LedgerClock
from tests.upgrade.builds import Build
from tests.upgrade.counting import count
from tests.upgrade.running import Drill, Say, running
from workers.fleet import DEPLOYMENT

AT_CARRIER = 5.0  # seconds that the carrier takes to answer
LONGEST = 600.0
OPEN = "WorkflowType = 'CollectionCase' and ExecutionStatus = 'Running'"


async def upgrade_drill(folder: Path, cases: int, say: Say) -> dict[str, Any]:
    """Run it; `cases` in each of the three conditions, and as many that begin on B. Returns what was counted, and the failures.

    Raises:
        TimeoutError: it did not come to its end.
        AssertionError: a command failed, or the cases did not come to where they had to.
    """
    async with asyncio.timeout(LONGEST), running(folder, say) as drill:
        a, b = drill.builds
        await drill.command(a, "register")
        a.start(folder)
        say("build A is current, and its worker runs")
        await open_cases(drill, "asleep", cases)
        await open_cases(drill, "awake", cases)
        await until(drill, lambda: texted(drill, "asleep", "awake"), "the first texts to be sent")
        for loan in drill.loans["asleep"]:
            await drill.command(a, "send", loan, "place_hold", '{"reason": "hardship", "by": "c1"}')
        slow = Fault(kind="slow", seconds=AT_CARRIER, times=1)
        drill.simulator.script = Script(borrowers={"*": Behaviour(fault=slow)})
        await open_cases(drill, "mid-contact", cases)
        await until(drill, lambda: _at_carrier(drill), "a text to be at the carrier")
        await drill.command(b, "register")
        b.start(folder)
        caught = await drill.pool.fetchval("select count(*) from contacts where state = 'sending'")
        say(f"build B is current while {caught} texts are at the carrier; its worker runs beside A's")
        await open_cases(drill, "born on B", cases)
        before = await _builds_of_open(drill)
        say(f"open cases by build before the poke: {dict(sorted(before.items()))}")
        await poke(drill)
        await until(drill, lambda: all_on(drill, b.id), "every open case to be on B")
        say(f"after it: {dict(await _builds_of_open(drill))}")
        await until(drill, lambda: _drained(drill, a), "Temporal to call A drained")
        await a.stop()
        say("worker A is stopped")
        await pay_all(drill, b)
        await until(drill, lambda: all_closed(drill), "every case to close after its payment")
        say("every loan is paid, every case closed")
        return {"caught at the carrier": caught, "open by build before the poke": dict(before), **await count(drill)}


async def poke(drill: Drill) -> None:
    """Wake every case, as the runbook does."""
    await batch(drill, "workflow", "signal", "--query", OPEN, "--name", "poke", "--reason", "upgrade", "--yes")


async def batch(drill: Drill, *words: str) -> None:
    """Give one of Temporal's batch commands; a namespace has one at a time, so it waits for the one before."""
    for _ in range(60):
        try:
            await drill.temporal_command(*words)
            return
        except AssertionError as error:
            if "Max concurrent batch operations" not in str(error):
                raise
        await asyncio.sleep(1)
    raise AssertionError(f"another batch did not end in a minute: {' '.join(words[:2])}")


async def open_cases(drill: Drill, condition: str, cases: int) -> None:
    """Take in loans that are a day past due, and have a sweep open their cases."""
    known = sum(map(len, drill.loans.values()))
    names = [f"{condition.replace(' ', '-')}-{n}" for n in range(cases)]
    today = (await LedgerClock(drill.pool).now()).date()
    loans = [
        {
            "loan_id": name,
            "borrower_id": f"P-{name}",
            "borrower_name": "Annunziata Esposito",
            "borrower_kind": "person",
            "phone": f"+1201555{100 + (known + n) % 100:04}",
            "language": "it",
            "timezone": "Europe/Rome",
            "country": "IT",
            "currency": "EUR",
            "opened_on": today - timedelta(days=60),
            "product": "loan",
        }
        for n, name in enumerate(names)
    ]
    due = today - timedelta(days=1)
    instalments = [
        {"loan_id": name, "number": 1, "due_on": due, "principal": "100.00", "interest": "0.00", "fee": "0.00"}
        for name in names
    ]
    files = [
        _csv(drill.folder / f"{condition}-{kind}.csv", rows)
        for kind, rows in (("loans", loans), ("instalments", instalments))
    ]
    a = drill.builds[0]
    await drill.command(a, "intake", "--loans", files[0], "--instalments", files[1], "--strategy", "short")
    await drill.command(a, "sweep")
    drill.loans[condition] = names
    drill.say(f"{cases} cases opened: {condition}")


def _csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


async def until(drill: Drill, holds: Callable[[], Awaitable[bool]], what: str, seconds: float = 120.0) -> None:
    """Wait, and say how long it took.

    Raises:
        AssertionError: it did not come to that.
    """
    began = monotonic()
    while not await holds():
        if monotonic() - began > seconds:
            raise AssertionError(f"gave up waiting for {what} after {seconds:.0f} s")
        await asyncio.sleep(0.2)
    drill.say(f"waited {monotonic() - began:.0f} s for {what}")


async def texted(drill: Drill, *conditions: str) -> bool:
    """Whether each of these loans was written to."""
    wanted = [loan for condition in conditions for loan in drill.loans[condition]]
    sent = (
        "select count(distinct loan_id) from contacts where loan_id = any($1) and state not in ('reserved', 'sending')"
    )
    return bool(await drill.pool.fetchval(sent, wanted) == len(wanted))


async def _at_carrier(drill: Drill) -> bool:
    at = "select count(*) from contacts where loan_id = any($1) and state = 'sending'"
    return bool(await drill.pool.fetchval(at, drill.loans["mid-contact"]))


async def _builds_of_open(drill: Drill) -> Counter[str]:
    found: Counter[str] = Counter()
    for key in [k for names in drill.loans.values() for k in names]:
        told = await drill.client.get_workflow_handle(f"loan-default-{key}").describe()
        version = told.raw_description.workflow_execution_info.versioning_info.deployment_version
        found[version.build_id or "none yet"] += 1
    return found


async def all_on(drill: Drill, build_id: str) -> bool:
    """Whether every case is on that build."""
    return set(await _builds_of_open(drill)) == {build_id}


async def _drained(drill: Drill, build: Build) -> bool:
    words = ("describe-version", "--deployment-name", DEPLOYMENT, "--build-id", build.id, "--output", "json")
    told = json.loads(await drill.temporal_command("worker", "deployment", *words))
    return bool(told.get("drainageInfo", {}).get("drainageStatus") == "drained")


async def pay_all(drill: Drill, build: Build) -> None:
    """A payment of all that is due, for every loan."""
    today = (await LedgerClock(drill.pool).now()).date()
    rows = [
        {
            "entry_id": f"pay-{name}",
            "loan_id": name,
            "kind": "payment",
            "amount": "100.00",
            "currency": "EUR",
            "value_date": today,
        }
        for names in drill.loans.values()
        for name in names
    ]
    await drill.command(build, "entries", "--file", _csv(drill.folder / "entries.csv", rows))


async def all_closed(drill: Drill) -> bool:
    """Whether no case is open."""
    return not await drill.pool.fetchval("select exists (select from cases where open)")
