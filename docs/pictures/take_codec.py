"""Takes the pictures of a sealed case in the Temporal UI, without the codec server and with it: `make picture` runs it."""

import asyncio
import os
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import uvicorn
from playwright.async_api import Page, async_playwright

from arrears.stack import running_stack
from docs.pictures.take import FINES, HERE, QUIET, called_for, chromium
from ledger.tape import TapeFiles, take_in
from workers.codec import codec, make_key
from workers.codec_server import create_codec_app

TOKEN = secrets.token_urlsafe(16)
SHOWN = {"x": 0, "y": 0, "width": 1420, "height": 760}


async def main() -> None:
    """Start a stack whose payloads are sealed, bring a case to its call stage, and photograph what the UI shows of one activity."""
    os.environ["ARREARS_CODEC_KEYS"] = make_key("2026-11")
    with tempfile.TemporaryDirectory(prefix="arrears-picture-") as folder:
        async with running_stack(Path(folder), day_seconds=2, start=date(2007, 10, 9)) as stack:
            tape = TapeFiles(loans=FINES / "loans.csv", instalments=FINES / "instalments.csv")
            await take_in(stack.pool, tape, clock=stack.clock)
            key = await called_for(stack)
            case = f"{stack.ui}/namespaces/default/workflows/{key.workflow_id}"
            async with _serving(stack.ui) as endpoint, async_playwright() as playing:
                browser = await playing.chromium.launch(executable_path=chromium(), args=[*QUIET])
                page = await browser.new_page(viewport={"width": 1420, "height": 1000})
                await _photograph(page, case, "codec-off.png")
                await page.goto(endpoint)
                await page.get_by_label("Token").fill(TOKEN)
                await page.get_by_role("button").click()
                await _point_at(page, stack.ui, endpoint)
                await _photograph(page, case, "codec-on.png")
                await browser.close()


@asynccontextmanager
async def _serving(ui: str) -> AsyncIterator[str]:
    """The codec server, for the UI's page alone; its address."""
    found = codec()
    assert found is not None
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_codec_app(found, token=TOKEN, origins=[ui])
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


async def _point_at(page: Page, ui: str, endpoint: str) -> None:
    """Give the UI the codec server's address, as a person does."""
    await page.goto(f"{ui}/namespaces/default/workflows")
    await page.get_by_role("button", name="Configure Codec Server").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Use my browser setting").check()
    await dialog.get_by_role("textbox").first.fill(endpoint)
    await dialog.get_by_text("cross-origin").click()
    await dialog.get_by_role("button", name="Apply").click()
    await dialog.wait_for(state="hidden")


async def _photograph(page: Page, case: str, name: str) -> None:
    await page.goto(case)
    await page.get_by_text("Timeline", exact=True).last.wait_for()
    await page.get_by_text("send_sms").first.wait_for()
    await page.wait_for_timeout(4000)  # payloads are opened one by one
    await page.screenshot(path=HERE / name, clip=SHOWN)


if __name__ == "__main__":
    asyncio.run(main())
