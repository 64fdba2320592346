"""Takes the pictures of a case in the Temporal UI: a real stack, a real case, a real browser. `make picture` runs it."""

import asyncio
import shutil
import tempfile
from datetime import date
from pathlib import Path

from playwright.async_api import Page, async_playwright

from arrears.stack import Stack, running_stack
from domain.loan import LoanKey
from ledger.tape import TapeFiles, take_in

HERE = Path(__file__).parent
FINES = HERE.parent.parent / "examples" / "fines"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


async def main() -> None:
    """Start a stack, bring a case to its call stage, and photograph it."""
    with tempfile.TemporaryDirectory(prefix="arrears-picture-") as folder:
        async with running_stack(Path(folder), day_seconds=2, start=date(2007, 10, 9)) as stack:
            tape = TapeFiles(loans=FINES / "loans.csv", instalments=FINES / "instalments.csv")
            await take_in(stack.pool, tape, clock=stack.clock)
            key = await called_for(stack)
            await _photograph(f"{stack.ui}/namespaces/default/workflows/{key.workflow_id}")


async def called_for(stack: Stack) -> LoanKey:
    """The first case that has had its texts and now waits for a call."""
    for _ in range(240):
        row = await stack.pool.fetchrow(
            """
            select t.lender_id, t.loan_id from tasks t join contacts c using (lender_id, loan_id)
            where t.status = 'open' and t.kind = 'call' and c.state = 'sent' order by t.opened_at limit 1
            """
        )
        if row is not None:
            return LoanKey(*row)
        await asyncio.sleep(0.5)
    raise SystemExit("No case came to its call stage within two minutes.")


def chromium() -> str | None:
    """Where the browser is; None for Playwright's own."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


async def _photograph(address: str) -> None:
    async with async_playwright() as playing:
        browser = await playing.chromium.launch(executable_path=chromium(), args=[*QUIET])
        page = await browser.new_page(viewport={"width": 1420, "height": 1000})
        await page.goto(address)
        await page.get_by_text("Timeline", exact=True).last.wait_for()
        await _settled(page)
        await page.screenshot(path=HERE / "case.png")
        await page.get_by_text("User Metadata").first.click()
        await page.get_by_text("Current Details").first.wait_for()
        await page.wait_for_timeout(4000)  # the card is drawn in a frame of its own
        await page.screenshot(path=HERE / "card.png", clip={"x": 250, "y": 60, "width": 1170, "height": 700})
        await browser.close()


async def _settled(page: Page) -> None:
    """Wait until the timeline has drawn itself."""
    await page.get_by_text("send_sms").first.wait_for()
    await page.wait_for_timeout(1000)


if __name__ == "__main__":
    asyncio.run(main())
