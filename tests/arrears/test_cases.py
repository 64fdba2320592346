"""What people read about a case and its tasks, in a terminal of eighty columns."""

import json

import pytest

import policies
from arrears.context import readable_step, say_folded
from domain.strategy import read_strategy
from tests.commands import arrears
from tests.ledger.samples import Pool, add_case, add_loan

TASK = """
insert into tasks (task_id, lender_id, loan_id, episode, step_id, ordinal, kind, status, opened_at, deadline, data)
values ($1, 'default', 'L-1', 1, 'house-manual-review', $2, 'manual_review', 'open', '2026-03-01', '2026-03-31', $3)
"""
PROMISE = """
insert into promises (promise_id, lender_id, loan_id, episode, amount, due_on, status, captured_at, captured_version)
values ('p', 'default', 'L-1', 1, 50, '2026-03-04', 'broken', '2026-03-01', 0)
"""


async def test_a_case_for_people(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    await add_case(pool)
    standard = (policies.folder() / "strategies" / "standard.toml").read_text("utf-8")
    await pool.execute(
        "update strategies set content = $1", read_strategy(standard, "standard.toml").model_dump(mode="json")
    )
    await pool.execute(PROMISE)
    done = await arrears(database_url, "case", "L-1")
    assert done.code == 0, done.err
    shown = done.out
    assert "arrears          100.00 EUR\n" in shown
    assert "promise          none; the last, of 50.00 EUR for 2026-03-04, is broken\n" in shown
    assert json.loads((await arrears(database_url, "case", "L-1", "--json")).out)["promise"] is None


async def test_tasks_keep_ids_and_dates_whole(pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    await add_loan(pool)
    await add_case(pool)
    long = "C-UNKNOWN_PROVIDER.1.house-manual-review.1"
    because = "every step of the strategy is finished, but file-suit was forbidden by house.LIMITATION"
    await pool.execute(TASK, "L-1.1.short.1", 1, {})
    await pool.execute(TASK, long, 2, {"because": because})
    await pool.execute("update tasks set owner = 'c1' where task_id = 'L-1.1.short.1'")
    lines = (await arrears(database_url, "tasks")).out.splitlines()
    assert lines == [
        "2026-03-31  open       manual review      default",
        f"            {long}",
        "            every step of the strategy is finished, but file-suit was forbidden",
        "            by house.LIMITATION",
        "2026-03-31  open       manual review      default  L-1.1.short.1  for c1",
    ]
    assert json.loads((await arrears(database_url, "tasks", "--json")).out)[0]["because"] == because


def test_a_text_is_folded_by_what_is_seen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    say_folded("您的账户有一笔款项已经到期，如已付款，谢谢；否则请尽快付款或与我们联系。", 2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert all(line.startswith("  ") and len(line) <= 2 + 19 for line in lines)


def test_a_step_reads_as_a_sentence() -> None:
    waits = {"what": "reconsider", "at": None, "why": "held: contact stopped"}
    assert readable_step(waits) == "nothing, until something is told (held: contact stopped)"
    comes = {"what": "send_sms", "at": "2026-03-03T13:21:05+00:00", "why": "sms-1 is next"}
    assert readable_step(comes) == "send sms, 2026-03-03 13:21 UTC (sms-1 is next)"
