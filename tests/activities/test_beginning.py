"""Loans past due without a late instalment, by a balance or an entry: the sweep finds them, and reads no other."""

from datetime import timedelta
from pathlib import Path

import pytest

from activities.case_in_hand import CASES
from activities.contracts import CaseRef, SweepRequest
from activities.opening import Opening
from domain.loan import LoanKey
from ledger.money import position_of
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
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


@pytest.mark.parametrize(
    ("entries", "late"),
    [
        ((("refund", "25"),), True),
        ((("adjustment", "40"),), True),
        ((("accelerate", "100"),), True),
        ((("payment", "60"), ("refund", "25")), False),  # taken back from what was paid in advance
        ((("late_fee", "15"),), False),  # a charge makes no day past due
        ((), False),
    ],
    ids=["refund", "adjustment", "accelerated", "in advance", "late fee", "nothing"],
)
async def test_a_case_for_what_fell_due_without_an_instalment(
    bench: Bench, entries: tuple[tuple[str, str], ...], late: bool
) -> None:
    today = bench.clock.at.date()
    key, _ = await add_loan(bench.pool, today, (-20, "100"))
    for number, (kind, amount) in enumerate(entries):
        entry = {
            "entry_id": f"E{number}",
            "loan_id": key.loan_id,
            "kind": kind,
            "amount": amount,
            "currency": "EUR",
            "value_date": str(today - timedelta(days=9 - number)),
            "component": "principal" if kind == "adjustment" else None,
        }
        await post_entry(bench.pool, NewEntry.read(entry), bench.clock)
    async with bench.pool.acquire() as conn:
        assert ((await position_of(conn, key, today)).days_past_due > 0) == late
    await Starts(bench.desk, None).start_due_cases(SweepRequest())  # type: ignore[arg-type]  # nothing is started here
    assert await bench.pool.fetchval("select count(*) from cases where open") == int(late)
