"""Promises and plans: what was said, and what the ledger says of it."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.case import Case
from tests.scenario import Scene
from tests.workflows.beginnings import at_call, in_legal

# --- promises ---


async def promised(scene: Scene, days: int, amount: str = "100") -> Case:
    case = await at_call(scene)
    await case.answer("call", "RPC_PTP", amount=amount, due_on=(await scene.day(days)).isoformat())
    return case


async def test_a_promise_is_reminded_of_the_day_before_and_kept(scene: Scene) -> None:
    case = await promised(scene, 6)
    reminder = await case.next()
    assert reminder.what == "remind_of_promise"
    assert reminder.at
    assert reminder.at.date() == await scene.day(5)
    await case.wake()
    assert (await case.sent())[-1].endswith("sent")
    assert (await case.contacts())[-1]["purpose"] == "service"
    assert (await case.next()).what == "judge_promise"
    await case.pay("100")
    assert "promise_kept" in await case.told()
    await case.until_closed()
    assert len([s for s in await case.sent() if "reminder" in s]) == 1


async def test_a_broken_promise_lets_the_strategy_go_on(scene: Scene) -> None:
    case = await promised(scene, 3)
    before = len(await case.contacts_by("sms"))
    await case.until(lambda n: n.what not in {"remind_of_promise", "judge_promise"})
    assert "promise_broken" in await case.told()
    assert len(await case.contacts_by("sms")) == before + 1  # the reminder
    assert (await case.next()).what == "book_visit"


async def test_a_promise_kept_in_part_counts_half(scene: Scene) -> None:
    case = await promised(scene, 3)
    await case.pay("40")
    await case.until(lambda n: n.what not in {"remind_of_promise", "judge_promise"})
    assert "promise_part_kept" in await case.told()
    for n in range(2):
        due = (await scene.day(1)).isoformat()
        answer = await case.tell("promise_to_pay", amount="60", due_on=due, by="c1")
        assert answer.accepted, n
        await case.until(lambda n: n.what != "judge_promise")
    third = await case.tell("promise_to_pay", amount="60", due_on=(await scene.day(1)).isoformat(), by="c1")
    assert not third.accepted
    assert third.reason == "2 promises were broken: agree a plan instead."


async def test_a_promise_beyond_the_limits_is_refused_and_changes_nothing(scene: Scene) -> None:
    case = await scene.case()
    before = await case.next()
    for amount, days in (("100", 15), ("100", -1), ("101", 3)):
        answer = await case.tell("promise_to_pay", amount=amount, due_on=(await scene.day(days)).isoformat(), by="c1")
        assert not answer.accepted
    assert await case.next() == before
    with pytest.raises(WorkflowUpdateFailedError):
        await case.tell("promise_to_pay", amount="-5", due_on="2026-03-09", by="c1")


# --- plans ---


async def weekly(scene: Scene, *amounts: str) -> list[dict[str, str]]:
    return [{"due_on": (await scene.day(7 * n)).isoformat(), "amount": a} for n, a in enumerate(amounts, 1)]


async def test_a_part_payment_does_not_end_legal_steps(scene: Scene) -> None:
    case = await in_legal(scene)
    before = await case.next()
    await case.pay("200")
    assert (await case.next())[:2] == before[:2]
    assert "letter letter open" in await case.effects()


async def test_a_plan_withdraws_the_letter_and_is_kept(scene: Scene) -> None:
    case = await in_legal(scene)
    await case.taken("agree_plan", instalments=await weekly(scene, "100", "100", "100"), by="c1")
    assert "letter letter with_counsel" in await case.effects()
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    assert (await case.next()).what == "judge_plan"
    for _ in range(3):
        await scene.days(7)
        await case.pay("100")
    assert "plan_kept" in await case.told()
    assert (await case.next()).stage == "probation"
    await case.until_closed()
    assert len(await case.contacts_by("letter")) == 1


async def test_a_broken_plan_goes_back_to_the_letter(scene: Scene) -> None:
    case = await in_legal(scene)
    await case.taken("agree_plan", instalments=await weekly(scene, "100", "100", "100"), by="c1")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    await scene.days(7)
    await case.pay("100")
    await case.until(lambda n: n.what != "judge_plan")
    assert "plan_broken" in await case.told()
    letters = [f"{c['ordinal']} {c['state']}" for c in await case.contacts() if c["channel"] == "letter"]
    assert letters == ["1 sent", "2 sent"]
    assert (await case.row())["stage"] == "legal"


async def test_a_long_plan_needs_a_second_person(scene: Scene) -> None:
    case = await scene.case((5, "300"))
    long = [{"due_on": (await scene.day(d)).isoformat(), "amount": "100"} for d in (40, 80, 120)]
    for who in ({}, {"by": "c1"}, {"by": "c1", "approved_by": "c1"}, {"approved_by": "c1"}):
        answer = await case.tell("agree_plan", instalments=long, **who)
        assert not answer.accepted, who
    await case.taken("agree_plan", instalments=long, by="c1", approved_by="s1")
