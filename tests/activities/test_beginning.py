"""Loans that begin with a balance and have no schedule: the sweep finds what of them is past due, and reads no other."""

from datetime import timedelta
from pathlib import Path

from activities.case_in_hand import CASES
from activities.contracts import CaseRef, SweepRequest
from activities.opening import Opening
from domain.loan import LoanKey
from ledger.tape import TapeFiles, take_in
from tests.activities.bench import Bench
from tests.scenario import add_loan


class Starts(Opening):
    """Starts nothing."""

    async def start(self, key: LoanKey) -> None:
        """The row is what is looked at."""


async def test_a_case_for_a_balance_in_arrears(bench: Bench, tmp_path: Path) -> None:
    today = bench.clock.at.date()
    names = ["late", "early", "paid", "scheduled", "in part"]
    keys = {name: (await add_loan(bench.pool, today))[0] for name in names}
    await bench.pool.execute("delete from instalments")
    as_of, due = today - timedelta(days=20), today - timedelta(days=30)
    file = tmp_path / "balances.csv"
    rows = [
        f"{key.loan_id},{as_of},1000,{0 if name == 'early' else 100},{'' if name == 'early' else due}"
        for name, key in keys.items()
    ]
    file.write_text("\n".join(["loan_id,as_of,outstanding,arrears,oldest_due_on", *rows]) + "\n")
    await take_in(bench.pool, TapeFiles(balances=file), clock=bench.clock)
    refs = {name: CaseRef(lender_id=key.lender_id, loan_id=key.loan_id) for name, key in keys.items()}
    for name, amount in (("paid", "100"), ("scheduled", "100"), ("in part", "99")):
        await bench.pay(refs[name], amount, value_date=today - timedelta(days=10))
    file = tmp_path / "instalments.csv"
    ahead = f"{keys['scheduled'].loan_id},1,{today + timedelta(days=9)},900,0,0"
    file.write_text(f"loan_id,number,due_on,principal,interest,fee\n{ahead}\n")
    await take_in(bench.pool, TapeFiles(instalments=file), clock=bench.clock)

    async with bench.pool.acquire() as conn:
        place = {"after_lender": "", "after_loan": "", "lender": None, "loan": None, "today": today, "page": 9}
        read = {r["loan_id"] async for r in CASES.due_loans(conn, **place)}
    assert read == {keys[name].loan_id for name in ("late", "in part")}
    await Starts(bench.desk, None).start_due_cases(SweepRequest())  # type: ignore[arg-type]  # nothing is started here
    opened = {r["loan_id"] for r in await bench.pool.fetch("select loan_id from cases where open")}
    assert opened == read
    assert (await bench.decide(refs["late"])).decision.step_id is not None
    assert await bench.violations() == []
