"""What people tell is either read to its end or refused: nothing that sounds like an agreement is taken and forgotten."""

from datetime import timedelta

import pytest

from domain.messages import PromiseToPay
from tests.scenario import Scene
from tests.workflows.beginnings import at_call


async def test_a_plan_agreed_on_the_telephone_is_a_plan(scene: Scene) -> None:
    case = await at_call(scene)
    task = (await case.task("call"))["task_id"]
    half = await case.tell("record_outcome", task_id=task, code="RPC_PLAN", by="c1", data={"amount": "100"})
    assert half.reason
    assert "instalments" in half.reason
    dates = [{"due_on": (await scene.day(7)).isoformat(), "amount": "100"}]
    await case.answer("call", "RPC_PLAN", instalments=dates, minutes="4.5")
    coming = await case.next()
    assert (coming.what, coming.stage) == ("judge_plan", "plan")


async def test_what_no_outcome_of_that_code_reads_is_refused(scene: Scene) -> None:
    case = await at_call(scene)
    task = (await case.task("call"))["task_id"]
    for field in ("amount", "due_on", "instalments"):
        answer = await case.tell("record_outcome", task_id=task, code="RPC_REFUSED", by="c1", data={field: "50"})
        assert answer.reason
        assert answer.reason.startswith(f"RPC_REFUSED reads no {field}: leave it out; money is posted as a payment")
    await case.answer("call", "UNKNOWN_PROVIDER", note="the line was dead")
    assert await case.tasks() == []


async def test_a_hold_that_would_never_hold_is_refused(scene: Scene) -> None:
    case = await scene.case()
    now = await scene.now()
    for moments in ({"until": now - timedelta(days=1)}, {"since": now, "until": now}):
        answer = await case.tell("place_hold", reason="complaint", **{k: v.isoformat() for k, v in moments.items()})
        assert answer.reason
        assert "would end before it begins" in answer.reason
    assert await scene.pool.fetchval("select count(*) from holds") == 0


def test_an_amount_is_never_a_float() -> None:
    assert PromiseToPay.model_validate({"amount": "50.10", "due_on": "2026-02-01"}).amount
    with pytest.raises(ValueError, match=r"50\.1 is no exact amount, write it as a string"):
        PromiseToPay.model_validate({"amount": 50.1, "due_on": "2026-02-01"})
