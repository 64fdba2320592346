"""A loan that its lender takes back: nobody is contacted from the commit on, what stands is undone, and the case closes."""

from pathlib import Path

from ledger.tape import TapeFiles, take_in
from tests.case import Case
from tests.scenario import Scene


async def take_back(scene: Scene, case: Case, folder: Path, reason: str) -> None:
    """The lender's recalls file of today; the cases hear of it when the relay comes by."""
    file = folder / "recalls.csv"
    file.write_text(f"loan_id,reason,as_of\n{case.key.loan_id},{reason},{await scene.today()}\n", encoding="utf-8")
    report = await take_in(scene.pool, TapeFiles(recalls=file), clock=scene.clock)
    assert report.rejected == 0


async def test_a_sold_loan_in_the_call_stage(scene: Scene, tmp_path: Path) -> None:
    case = await scene.case()
    await case.until_task("call")
    before = await case.sent()
    await take_back(scene, case, tmp_path, "sold")
    assert await case.tasks() == []  # gone from the list with the commit, before the case has heard of it
    await scene.settle()
    await case.until_closed()
    assert not await case.is_open()
    assert await case.effects() == ["task call-1 ended"]
    assert await case.sent() == before
    (closed,) = await scene.pool.fetch("select closing, closed_at from cases where loan_id = $1", case.key.loan_id)
    assert closed["closing"] == "the loan was sold"
    assert closed["closed_at"] is not None


async def test_a_recall_after_a_letter_asks_counsel(scene: Scene, tmp_path: Path) -> None:
    case = await scene.case()
    await case.until_task("call")
    await case.answer("call", "RPC_REFUSED")
    await case.until_task("visit")
    await case.answer("visit", "MET_BORROWER")
    review = await case.until_task("pre_legal_review")
    await case.answer("pre_legal_review", "APPROVED", by="s1")
    await case.taken("approve", task_id=review["task_id"], by="s2")
    await take_back(scene, case, tmp_path, "recalled")
    await scene.settle()
    assert [t["kind"] for t in await case.tasks()] == ["withdraw_letter"]
    before = await case.sent()
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    await case.until_closed()
    assert not await case.is_open()
    assert await case.sent() == before
