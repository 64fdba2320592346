"""Takes the picture of a case in the Temporal UI: a real stack, a real case, a real browser. `make picture` runs it."""

import asyncio
import shutil
import tempfile
from datetime import date
from pathlib import Path

from playwright.async_api import async_playwright

from arrears.stack import Stack, running_stack
from domain.loan import LoanKey
from examples import FINES
from ledger.tape import TapeFiles, take_in

HERE = Path(__file__).parent
PICTURES = {"case.png": "timeline", "history.png": "history"}


async def a_case_with_a_call(stack: Stack) -> LoanKey:
    """The first case whose call task is open."""
    while True:
        row = await stack.pool.fetchrow("select lender_id, loan_id from tasks where status = 'open' and kind = 'call' order by opened_at limit 1")
        if row is not None:
            return LoanKey(*row)
        await asyncio.sleep(0.5)


async def main() -> None:
    """Start a stack, bring a case to its call stage, and photograph it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory(prefix="arrears-picture-") as folder:
        async with running_stack(Path(folder), day_seconds=2, start=date(2007, 4, 1)) as stack, async_playwright() as p:
            await take_in(stack.pool, TapeFiles(loans=FINES / "loans.csv", instalments=FINES / "instalments.csv"), clock=stack.clock)
            key = await a_case_with_a_call(stack)
            browser = await p.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = await browser.new_page(viewport={"width": 1400, "height": 1000})
            for name, view in PICTURES.items():
                await page.goto(f"{stack.ui}/namespaces/default/workflows/{key.workflow_id}")
                await page.wait_for_load_state("networkidle")
                await page.screenshot(path=HERE / name)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
