"""Takes the pictures of Prometheus: our figures over some minutes, and an alert that rings for a worker killed. `make picture` runs it.

The rules are the shipped ones; of `deploy/prometheus/systemd.yml` the ports are changed, and the seconds, so that minutes are enough.
"""

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from playwright.async_api import Page, async_playwright

from arrears.stack import Stack, running_stack
from docs.pictures.take import FINES, HERE, QUIET, chromium
from ledger.tape import TapeFiles, take_in
from workers.embedded.child import Child
from workers.embedded.ports import pick

ROOT = HERE.parent.parent
UNPACKED = ROOT / ".venv" / "prometheus"  # where `make picture` puts Debian's, which has the older pages
COMMANDS = {
    "worker-cases": ("worker", "--queues", "cases"),
    "worker-contact": ("worker", "--queues", "contact"),
    "worker-office": ("worker", "--queues", "office"),
    "relay": ("relay",),
}
SHOWN = (
    "sum by (stage) (arrears_open_cases)",
    "histogram_quantile(0.99, sum by (le, task_queue) (rate(temporal_activity_schedule_to_start_latency_seconds_bucket[1m])))",
)


async def main() -> None:
    """Start a stack and its services with figures of their own, kill one, and photograph what Prometheus says."""
    with tempfile.TemporaryDirectory(prefix="arrears-picture-") as folder:
        async with running_stack(Path(folder), day_seconds=4, start=date(2007, 10, 9)) as stack:
            tape = TapeFiles(loans=FINES / "loans.csv", instalments=FINES / "instalments.csv")
            await take_in(stack.pool, tape, clock=stack.clock)
            async with (
                _services(Path(folder), stack) as (ports, children),
                _prometheus(_configured(Path(folder) / "prometheus", stack, ports)) as asking,
            ):
                await _until_all_are_up(asking, children)
                await asyncio.sleep(60)
                os.kill(children["worker-office"].pid, signal.SIGKILL)
                await _until_it_rings(asking, "NobodyWorks")
                await _photograph(str(asking.base_url).rstrip("/"))


@asynccontextmanager
async def _services(folder: Path, stack: Stack) -> AsyncIterator[tuple[dict[str, int], dict[str, Child]]]:
    """The workers and the relay as the units start them, beside the stack's own; the port of each one's figures."""
    ports = {name: pick() for name in COMMANDS}
    shared = {
        **os.environ,
        **stack.environment(),
        "ARREARS_PUBLIC_URL": stack.api,
        "ARREARS_TWILIO_BASE_URL": stack.simulator,
        "TWILIO_ACCOUNT_SID": stack.carrier.account_sid,
        "TWILIO_AUTH_TOKEN": stack.carrier.auth_token,
        "TWILIO_FROM": "+12015550199",
        "PYTHONPATH": str(ROOT),
    }
    async with AsyncExitStack() as running:
        children = {}
        for name, command in COMMANDS.items():
            children[name] = Child(
                name,
                [sys.executable, "-m", "arrears", *command],
                directory=folder,
                log=folder / f"{name}.log",
                stop_signals=[signal.SIGTERM],
                environment=shared | {"ARREARS_METRICS_ADDRESS": f"127.0.0.1:{ports[name]}"},
            )
            running.push_async_callback(children[name].stop)
        yield ports, children


def _configured(folder: Path, stack: Stack, ports: dict[str, int]) -> Path:
    """A folder with our configuration, its ports and seconds changed, and our rules as they are."""
    folder.mkdir()
    shipped = ROOT / "deploy" / "prometheus"
    configuration = (shipped / "systemd.yml").read_text("utf-8").replace("interval: 15s", "interval: 1s")
    configuration = configuration.replace("127.0.0.1:8080", urlsplit(stack.api).netloc)
    for name, port in ports.items():
        configuration = re.sub(
            rf"127\.0\.0\.1:\d+(?=\"\], labels: {{service: {name}}})", f"127.0.0.1:{port}", configuration
        )
    (folder / "prometheus.yml").write_text(configuration, "utf-8")
    shutil.copy(shipped / "rules.yml", folder)
    return folder


@asynccontextmanager
async def _prometheus(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A Prometheus that loads what is in the folder, to be asked."""
    address = f"127.0.0.1:{pick()}"
    command = [
        str(UNPACKED / "usr/bin/prometheus"),
        "--config.file=prometheus.yml",
        f"--web.listen-address={address}",
        f"--web.local-assets={UNPACKED / 'usr/share/prometheus/web'}",
        "--storage.tsdb.path=data",
    ]
    child = Child(
        "Prometheus",
        command,
        directory=folder,
        log=folder / "log",
        stop_signals=[signal.SIGTERM],
        environment=os.environ,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}") as asking:
            yield asking
    finally:
        await child.stop()


async def _until_all_are_up(asking: httpx.AsyncClient, services: dict[str, Child]) -> None:
    """Wait until every target has answered."""
    for _ in range(120):
        await asyncio.sleep(0.5)
        for child in services.values():
            if not child.running:
                raise child.failure("it ended at once")
        found = (await _asked(asking, "targets")).get("activeTargets", [])
        if len(found) == len(services) + 1 and {target["health"] for target in found} == {"up"}:
            return
    raise SystemExit("Not every service told Prometheus its figures within a minute.")


async def _until_it_rings(asking: httpx.AsyncClient, alert: str) -> None:
    for _ in range(240):
        await asyncio.sleep(1)
        found = (await _asked(asking, "alerts")).get("alerts", [])
        if any(each["labels"]["alertname"] == alert and each["state"] == "firing" for each in found):
            return
    raise SystemExit(f"{alert} did not ring within four minutes.")


async def _asked(asking: httpx.AsyncClient, what: str) -> dict[str, Any]:
    """What Prometheus knows; nothing while it is not ready."""
    try:
        answer = await asking.get(f"/api/v1/{what}")
    except httpx.TransportError:
        return {}
    return dict(answer.json()["data"]) if answer.status_code == httpx.codes.OK else {}


async def _photograph(address: str) -> None:
    async with async_playwright() as playing:
        browser = await playing.chromium.launch(executable_path=chromium(), args=[*QUIET])
        page = await browser.new_page(viewport={"width": 1420, "height": 1000})
        await page.goto(f"{address}/classic/alerts")
        await page.get_by_text("NobodyWorks").first.click()
        await page.wait_for_timeout(1000)
        await page.screenshot(path=HERE / "alerts.png", full_page=True)
        await _graph(page, address)
        await browser.close()


async def _graph(page: Page, address: str) -> None:
    asked = {f"g{n}.{key}": value for n, expr in enumerate(SHOWN) for key, value in _panel(expr).items()}
    await page.goto(f"{address}/classic/graph?{urlencode(asked)}")
    await page.wait_for_timeout(5000)  # the graphs draw themselves
    await page.screenshot(path=HERE / "figures.png", full_page=True)


def _panel(expr: str) -> dict[str, str]:
    return {"expr": expr, "tab": "0", "stacked": "0", "range_input": "4m"}


if __name__ == "__main__":
    asyncio.run(main())
