"""What the daily tape changes afterwards makes no contact wrong that was right when it was made."""

from pathlib import Path

from ledger.tape import TapeFiles, take_in
from tests.activities.bench import Bench


def written(folder: Path, name: str, *lines: str) -> Path:
    file = folder / f"{name}.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


async def test_a_text_stays_right_when_its_instalment_is_rescheduled(bench: Bench, tmp_path: Path) -> None:
    case = await bench.case()
    await bench.carry_out(await bench.due(case))
    assert len(bench.texts()) == 1
    row = f"{case.loan_id},1,2026-06-01,100,0,0"
    file = written(tmp_path, "instalments", "loan_id,number,due_on,principal,interest,fee", row)
    report = await take_in(bench.pool, TapeFiles(instalments=file), clock=bench.clock)
    assert report.counts["instalments"].changed == 1
    assert await bench.violations() == []


async def test_a_text_after_the_instalment_was_rescheduled_is_wrong(bench: Bench, tmp_path: Path) -> None:
    case = await bench.case()
    row = f"{case.loan_id},1,2026-06-01,100,0,0"
    file = written(tmp_path, "instalments", "loan_id,number,due_on,principal,interest,fee", row)
    await take_in(bench.pool, TapeFiles(instalments=file), clock=bench.clock)
    await bench.pool.execute("update instalments set due_on = '2026-03-01'")  # as if nobody had seen it
    await bench.carry_out(await bench.due(case))
    await bench.pool.execute("update instalments set due_on = '2026-06-01'")
    assert ("quiet", "contact_after_cure") in await bench.violations()


async def test_a_balance_that_differs_opens_a_task_that_the_proof_knows(bench: Bench, tmp_path: Path) -> None:
    case = await bench.case()
    row = f"{case.loan_id},{bench.clock.at.date()},40,40,{bench.clock.at.date()}"
    file = written(tmp_path, "balances", "loan_id,as_of,outstanding,arrears,oldest_due_on", row)
    await take_in(bench.pool, TapeFiles(balances=file), clock=bench.clock)
    assert await bench.pool.fetchval("select kind from tasks where status = 'open'") == "reconcile_balance"
    await bench.pay(case)  # it cures, and the question who is right stays
    assert await bench.pool.fetchval("select status from tasks") == "open"
    assert await bench.violations() == []
