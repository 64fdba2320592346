"""Money that comes back, or comes to be known late, over a whole case."""

from datetime import timedelta
from typing import Any

from domain.loan import EntryKind, EntryStatus
from ledger.case_view import case_view
from tests.case import Case, poll
from tests.scenario import Scene


async def called_for(scene: Scene) -> Case:
    """A case that was texted and called for; ten days past due."""
    case = await scene.case()
    await case.until_task("call")
    return case


async def proven(scene: Scene) -> None:
    """`arrears verify` finds nothing wrong at this very moment."""
    proof = await scene.proof()
    assert proof["ok"], [c["violations"] for c in proof["checks"]]


async def counts(scene: Scene, case: Case) -> Any:
    """Contacts by channel over all episodes, as `arrears case` counts them."""
    async with scene.pool.acquire() as conn:
        return (await case_view(conn, case.key, await scene.now()))["contacts"]


async def test_a_bounce_after_a_cure_leaves_stage_and_counts_as_they_were(scene: Scene) -> None:
    case = await called_for(scene)
    await case.answer("call", "RPC_REFUSED")
    stage = (await case.row())["stage"]
    await case.pay("60", entry_id="one")
    await case.pay("40", entry_id="two", status=EntryStatus.PENDING)
    assert (await case.row())["stage"] == stage
    await case.pay("40", entry_id="two", value_date=await scene.today())
    await case.until(lambda n: "thank" not in n.what)
    assert (await case.row())["stage"] == "probation"
    before, had = await case.sent(), await counts(scene, case)
    await case.reverse("two", "40")
    row = await case.row()
    assert (row["stage"], row["relapse"], row["episode"]) == (stage, "bounce", 2)
    await proven(scene)
    await case.until(lambda n: n.what == "book_visit")
    assert await case.sent() == [*before, "sms house-bounce-notice sent"]
    assert await counts(scene, case) == {**had, "sms": had["sms"] + 1}
    await case.pay("40", entry_id="three")
    await case.until_closed()
    await proven(scene)


async def test_contacts_that_late_money_made_wrong_are_put_right_before_the_case_closes(scene: Scene) -> None:
    case = await scene.case()
    await case.wake()
    day = await scene.today()
    assert await case.sent() == ["sms sms-1 sent"]
    await scene.days(2)
    await case.pay("100", value_date=day - timedelta(days=1))
    task = await case.task("remedy")
    contact = (await case.contacts_by("sms"))[0]["contact_id"]
    assert task["data"]["contacts"] == [contact]
    await scene.days(40)
    assert (await case.row())["stage"] == "probation"
    await case.answer("remedy", "DONE", by="s1", note="apologised")
    assert (await case.tasks("done"))[0]["data"] == {**task["data"], "note": "apologised"}
    await case.until_closed()


async def test_the_lenders_error_after_the_close_is_put_right_before_anybody_is_contacted(scene: Scene) -> None:
    case = await scene.case()
    await case.wake()
    await case.pay("100", entry_id="paid")
    await case.until_closed()
    before, had = await case.sent(), await counts(scene, case)
    await case.reverse("paid", "100", reason="misposted")
    await poll(case.is_open, "the case to be opened again")
    await scene.settle()
    assert (await case.row())["relapse"] == "misposted"
    assert [t["kind"] for t in await case.tasks()] == ["remedy"]
    await scene.days(20)
    assert (await case.sent(), await counts(scene, case)) == (before, had)
    assert len(scene.texts()) == had["sms"]
    await proven(scene)
    await case.answer("remedy", "DONE", by="s1")
    await case.until_task("call")


async def test_a_bounce_after_the_close_opens_the_case_again_by_itself(scene: Scene) -> None:
    case = await called_for(scene)
    await case.pay("100", entry_id="paid")
    await case.until_closed()
    before = await case.sent()
    await case.reverse("paid", "100")
    await poll(case.is_open, "the case to be opened again")
    await scene.settle()
    row = await case.row()
    assert (row["episode"], row["relapse"]) == (2, "arrears")
    assert await case.sent() == before
    await proven(scene)
    assert (await scene.pool.fetchval("select result from outbox order by id desc limit 1")) == "closed"


async def test_a_charge_after_the_close_that_makes_no_day_past_due_opens_nothing(scene: Scene) -> None:
    case = await scene.case()
    await case.pay("100")
    await case.until_closed()
    told = await scene.pool.fetchval("select count(*) from outbox")
    await case.post(EntryKind.LATE_FEE, "5")
    assert await scene.pool.fetchval("select count(*) from outbox") == told
    assert not await case.is_open()
