"""What the upgrade drill left behind: every run of every case, its build, and whether it replays where it should and only there."""

import json
from collections import Counter
from typing import Any

from temporalio.client import WorkflowHistory

from tests.upgrade.running import Drill


async def count(drill: Drill) -> dict[str, Any]:
    """Walk all histories; figures, and failures by kind."""
    a, b = drill.builds
    failures: dict[str, list[str]] = {"failed workflow tasks": [], "on the wrong build": [], "unended": []}
    runs: Counter[str] = Counter()
    for condition, names in drill.loans.items():
        for name in names:
            built = [_run(drill, name, history, failures) for history in await _histories(drill, name)]
            runs.update(built)
            wanted = ["B"] if condition == "born on B" else ["A", "B"]
            if list(dict.fromkeys(built)) != wanted:
                failures["on the wrong build"].append(f"{name}: {built}, not {wanted}")
            if (await drill.client.get_workflow_handle(f"loan-default-{name}").describe()).close_time is None:
                failures["unended"].append(name)
    texts = Counter((m.to, m.body) for m in drill.simulator.messages)
    failures["twice"] = [f"{to} got one text {n} times" for (to, _), n in texts.items() if n > 1]
    failures["diverged on A"] = await _diverged(drill, a.id, a.id)
    failures["diverged on B"] = await _diverged(drill, b.id, b.id)
    crossed = await _diverged(drill, a.id, b.id)
    failures["B is no other build"] = [] if len(crossed) == runs["A"] else [f"only {crossed} of A's diverge on it"]
    verified = json.loads(await drill.command(b, "verify", "--json"))
    failures["verify"] = [c["name"] for c in verified["checks"] if not c["ok"]]
    return {
        "cases": sum(map(len, drill.loans.values())),
        "runs on A, on B": f"{runs['A']}, {runs['B']}",
        "runs of A that B cannot replay": len(crossed),
        "texts": len(texts),
        "failures": failures,
    }


async def _histories(drill: Drill, name: str) -> list[WorkflowHistory]:
    """Of each run of a case, the oldest first."""
    runs = [run async for run in drill.client.list_workflows(f"WorkflowId = 'loan-default-{name}'")]
    runs.sort(key=lambda run: run.start_time)
    return [await drill.client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history() for run in runs]


def _run(drill: Drill, name: str, history: WorkflowHistory, failures: dict[str, list[str]]) -> str:
    """Keep the history with those of its build; the build."""
    done = [e for e in history.events if e.HasField("workflow_task_completed_event_attributes")]
    builds = {e.workflow_task_completed_event_attributes.deployment_version.build_id for e in done}
    if len(builds) != 1:
        failures["on the wrong build"].append(f"{name}: one run on {sorted(builds)}")
    if any(e.HasField("workflow_task_failed_event_attributes") for e in history.events):
        failures["failed workflow tasks"].append(name)
    build = sorted(builds)[0]
    folder = drill.folder / f"histories-{build}"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}-{history.events[0].event_time.seconds}-{id(history)}.json").write_text(
        history.to_json(), "utf-8"
    )
    return build


async def _diverged(drill: Drill, recorded_on: str, replayed_on: str) -> list[str]:
    """Histories of one build that diverge on another, or the same."""
    [build] = [each for each in drill.builds if each.id == replayed_on]
    told = json.loads(
        await drill.command(build, "replay", drill.folder / f"histories-{recorded_on}", "--json", code=None)
    )
    return sorted(each["workflow_id"] for each in told["diverged"])
