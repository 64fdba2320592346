"""The way back: the build that follows A fails whenever a case hears something, and its cases are moved back to A (docs/runbooks/upgrade.md)."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.upgrade.builds import Build, bad_build
from tests.upgrade.drill import LONGEST, all_closed, all_on, batch, open_cases, pay_all, poke, texted, until
from tests.upgrade.running import Drill, Say, running
from workers.fleet import DEPLOYMENT


async def back_drill(folder: Path, cases: int, say: Say) -> dict[str, Any]:
    """Run it; returns what was counted, and the failures.

    Raises:
        TimeoutError: it did not come to its end.
        AssertionError: a command failed, or the cases did not come to where they had to.
    """
    async with asyncio.timeout(LONGEST), running(folder, say) as drill:
        a, bad = drill.builds[0], await asyncio.to_thread(bad_build, folder, drill.environment)
        try:
            await drill.command(a, "register")
            a.start(folder)
            await open_cases(drill, "asleep", cases)
            await until(drill, lambda: texted(drill, "asleep"), "the first texts to be sent")
            await drill.command(bad, "register")
            bad.start(folder)
            await poke(drill)
            await until(drill, lambda: all_on(drill, bad.id), "every case to be on BAD")
            await poke(drill)
            await until(drill, lambda: _failing(drill, bad, cases), "every case to fail on BAD")
            told = json.loads(await drill.command(bad, "replay", "--json"))
            say(
                f"replay on BAD: {told['replayed']} replayed, {len(told['diverged'])} diverge, {len(told['failing'])} fail"
            )
            await drill.command(a, "register")
            await _move(drill, bad, a)
            await poke(drill)
            await until(drill, lambda: all_on(drill, a.id), "every case to be on A again")
            await until(drill, lambda: _failing(drill, a, 0), "no case to fail")
        finally:
            await bad.stop()
        say("worker BAD is stopped")
        await pay_all(drill, a)
        await until(drill, lambda: all_closed(drill), "every case to close after its payment")
        verified = json.loads(await drill.command(a, "verify", "--json"))
        return {
            "cases": cases,
            "failed on BAD": len(told["failing"]),
            "failures": {
                "diverged on BAD": told["diverged"],
                "verify": [c["name"] for c in verified["checks"] if not c["ok"]],
            },
        }


async def _failing(drill: Drill, build: Build, cases: int) -> bool:
    told = json.loads(await drill.command(build, "replay", "--json", code=None))
    return len(told["failing"]) == cases


async def _move(drill: Drill, bad: Build, good: Build) -> None:
    """A run of the bad build cannot hear that another is current: it is moved by hand, once."""
    on_bad = f"TemporalWorkerDeploymentVersion = '{DEPLOYMENT}:{bad.id}'"
    query = f"ExecutionStatus = 'Running' and {on_bad} and TemporalReportedProblems is not null"
    override = ("--versioning-override-behavior", "one_time", "--versioning-override-deployment-name", DEPLOYMENT)
    version = ("--versioning-override-build-id", good.id, "--reason", "back", "--yes")
    await batch(drill, "workflow", "update-options", "--query", query, *override, *version)
