"""After the cure: a payment that comes back, one the lender had posted wrongly, and a new debt."""

from domain.loan import EntryKind
from tests.case import Case, poll
from tests.scenario import Scene


async def refused(scene: Scene, *instalments: tuple[int, str]) -> Case:
    """A case that was called for in vain."""
    case = await scene.case(*instalments)
    await case.until_task("call")
    await case.answer("call", "RPC_REFUSED")
    return case


async def cured(scene: Scene, *instalments: tuple[int, str]) -> Case:
    """A case that was called for and then paid, in probation."""
    return await paid(await refused(scene, *instalments))


async def paid(case: Case) -> Case:
    await case.pay("100", entry_id=f"paid-{case.key.loan_id}")
    await case.until(lambda n: "thank" not in n.what)
    assert (await case.row())["stage"] == "probation"
    return case


async def test_a_returned_payment_goes_on_where_the_case_was(scene: Scene) -> None:
    case = await refused(scene)
    stage = (await case.row())["stage"]
    await paid(case)
    before = await case.sent()
    await scene.days(5)
    at = await scene.now()
    await case.reverse(f"paid-{case.key.loan_id}", "100")
    row = await case.row()
    assert (row["episode"], row["chain_from"], row["relapse"]) == (2, 1, "bounce")
    assert row["stage"] == stage
    assert (await case.sent())[: len(before)] == before
    assert (await scene.proof())["ok"]
    coming = await case.until(lambda n: n.what == "book_visit")
    assert await case.sent() == [*before, "sms house-bounce-notice sent"]
    assert coming.at
    assert (coming.at - at).days >= 3  # the policy's days before anything escalates
    await case.until_task("visit")
    # No fresh budget: what was sent before stays counted, and is not sent again.
    assert await case.sent() == [*before, "sms house-bounce-notice sent"]
    await scene.days(1)
    await case.pay("100")
    await case.until_closed()
    assert (await case.sent()).count("sms house-bounce-notice sent") == 1


async def test_limits_go_on_over_a_returned_payment(scene: Scene) -> None:
    case = await scene.case()
    await case.wake()
    await case.pay("100", entry_id="paid")
    await scene.days(2)
    await case.reverse("paid", "100")
    await case.until(lambda n: n.what == "open_call_task")
    texts = [(c["step_id"], c["episode"]) for c in await case.contacts_by("sms")]
    assert texts == [("sms-1", 1), ("house-thanks", 1), ("house-bounce-notice", 2), ("sms-2", 2)]


async def test_the_lenders_own_mistake_is_put_right_before_the_borrower_hears_of_it(scene: Scene) -> None:
    case = await refused(scene)
    stage = (await case.row())["stage"]
    await paid(case)
    before, texts = await case.sent(), scene.texts()
    await scene.days(2)
    await case.reverse(f"paid-{case.key.loan_id}", "100", reason="misposted")
    assert [t["kind"] for t in await case.tasks()] == ["remedy"]
    assert (await case.row())["stage"] == stage
    await scene.days(25)
    assert (await case.sent(), scene.texts()) == (before, texts)
    assert (await scene.proof())["ok"]
    await case.answer("remedy", "DONE", by="s1")
    await case.until_task("visit")
    assert (await case.sent(), scene.texts()) == (before, texts)
    assert (await scene.proof())["ok"]


async def test_a_mistake_that_is_put_right_by_money_leaves_the_borrower_alone(scene: Scene) -> None:
    case = await cured(scene)
    before = await case.sent()
    await case.reverse(f"paid-{case.key.loan_id}", "100", reason="misposted")
    await case.pay("100")
    await scene.days(3)
    assert await case.sent() == before
    assert [t["kind"] for t in await case.tasks()] == ["remedy"]
    await case.answer("remedy", "DONE", by="s1")
    await case.until_closed()


async def test_new_arrears_in_probation_begin_afresh(scene: Scene) -> None:
    case = await cured(scene, (1, "100"), (-20, "50"))
    await case.until(lambda n: n.stage != "probation")
    row = await case.row()
    assert (row["episode"], row["chain_from"], row["relapse"]) == (2, 2, "arrears")
    await case.until(lambda n: "sms-2" in n.why)
    assert (await case.sent())[-1] == "sms sms-1 sent"
    assert (await case.sent()).count("sms sms-1 sent") == 2
    await case.pay("50")
    await case.until_closed()


async def test_a_returned_payment_after_the_close_is_a_new_case(scene: Scene) -> None:
    case = await scene.case()
    await case.wake()
    await case.pay("100", entry_id="paid")
    await case.until_closed()
    await case.reverse("paid", "100")
    await case.post(EntryKind.LATE_FEE, "5")
    await poll(case.is_open, "the case to be opened again")
    await scene.settle()
    assert (await case.row())["episode"] == 2
    assert [t["task_id"] for t in await case.tasks()] == [f"{case.key.loan_id}.2.call-1.1"]  # a month past due by now
    assert (await scene.proof())["ok"]
