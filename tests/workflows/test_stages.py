"""From the first text to the court and back: what each stage does, and what a cure undoes."""

from typing import Any

from domain.strategy import Strategy
from ledger.strategies import shipped
from tests.scenario import Scene

STANDARD: Strategy = next(s for s in shipped() if s.name == "standard")


async def test_a_cure_in_the_sms_stage(scene: Scene) -> None:
    case = await scene.case()
    await case.wake()
    assert await case.sent() == ["sms sms-1 sent"]
    await scene.days(1)
    await case.pay("100")
    await case.until_closed()
    assert await case.sent() == ["sms sms-1 sent", "sms house-thanks sent"]
    assert not await case.is_open()
    events = await case.events()
    print(f"\na cure in the sms stage: {events} events")
    assert await case.acted() == ["decide", "send_sms", "absorb", "thank_borrower", "close_case"]
    assert events <= 40


async def test_a_cure_in_the_legal_stage(scene: Scene) -> None:
    case = await scene.case()
    await case.until_task("call")
    assert await case.sent() == ["sms sms-1 sent", "sms sms-2 sent"]
    await case.answer("call", "RPC_REFUSED")
    await case.until_task("visit")
    await case.answer("visit", "MET_BORROWER", by="agent-7")

    review = await case.until_task("pre_legal_review")
    await case.answer("pre_legal_review", "APPROVED", by="s1")
    await case.taken("approve", task_id=review["task_id"], by="s2")
    (letter,) = await case.contacts_by("letter")
    pdf = await scene.pool.fetchval("select pdf from letters where contact_id = $1", letter["contact_id"])
    assert pdf.startswith(b"%PDF-")
    assert (await case.next()).what == "open_filing_task"

    await scene.days(3)
    await case.pay("100")
    assert [t["kind"] for t in await case.tasks()] == ["withdraw_letter"]
    assert await case.effects() == [
        "task call-1 ended",
        "task visit-1 ended",
        "task review ended",
        "letter letter with_counsel",
    ]
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    assert "letter letter ended" in await case.effects()
    assert (await case.next()).stage == "probation"
    await case.until_closed()
    assert (await case.sent())[-1] == "sms house-thanks sent"
    events = await case.events()
    print(f"\na cure in the legal stage: {events} events")
    assert events <= 140


async def test_nothing_legal_happens_before_a_second_person_agrees(scene: Scene) -> None:
    case = await scene.case((200, "100"))
    await case.until_task("call")
    await case.answer("call", "RPC_REFUSED")
    await case.until_task("visit")
    await case.answer("visit", "SHIFTED")
    review = await case.until_task("pre_legal_review")
    task_id = review["task_id"]
    nobody = await case.tell("record_outcome", task_id=task_id, code="APPROVED")
    assert not nobody.accepted
    assert "say in `by` who answers it" in str(nobody.reason)
    await case.answer("pre_legal_review", "APPROVED", by="s1")
    same = await case.tell("approve", task_id=task_id, by="s1")
    assert not same.accepted
    assert same.reason == f"task {task_id} was answered by s1: a second person must approve it."
    assert (await case.task("pre_legal_review"))["status"] == "answered"
    assert await case.contacts_by("letter") == []
    await case.until(lambda n: n.what == "open_pre_legal_review")  # nobody agreed in time
    assert await case.contacts_by("letter") == []
    again = await case.until_task("pre_legal_review")
    await case.answer("pre_legal_review", "APPROVED", by="s1")
    await case.taken("approve", task_id=again["task_id"], by="s2")
    assert len(await case.contacts_by("letter")) == 1
    task: Any = await scene.pool.fetchrow("select * from tasks where task_id = $1", again["task_id"])
    assert (task["answered_by"], task["approved_by"]) == ("s1", "s2")


async def test_an_arrival_at_200_days_gets_what_legal_steps_require_first(scene: Scene) -> None:
    case = await scene.case((200, "100"))
    await case.until(lambda n: n.what == "open_call_task")
    assert await case.sent() == ["sms sms-1 sent", "sms sms-2 sent"]
    await case.until_task("call")
    await case.answer("call", "DISCONNECTED")
    await case.until_task("visit")
    await case.answer("visit", "SHIFTED")
    await case.until_task("pre_legal_review")
    assert (await case.row())["stage"] == "legal"


async def test_an_arrival_older_than_three_years_goes_to_a_person(scene: Scene) -> None:
    case = await scene.case((1200, "100"))
    assert [t["kind"] for t in await case.tasks()] == ["manual_review"]
    assert (await case.task("manual_review"))["data"]["because"].endswith("days past due is more than 1095")
    await scene.days(40)
    assert await case.contacts() == []
    assert set(await case.acted()) == {"decide", "open_manual_review", "miss_deadline"}
    await case.answer("manual_review", "REVIEWED")
    await scene.days(40)
    assert await case.contacts() == []
    assert (await case.next()).at is None
    assert await case.tasks() == []


async def test_a_review_that_is_rejected_ends_what_is_automatic(scene: Scene) -> None:
    case = await scene.case((200, "100"))
    await case.until_task("call")
    await case.answer("call", "RPC_REFUSED")
    await case.until_task("visit")
    await case.answer("visit", "LOCKED")
    await case.until_task("visit")
    await case.answer("visit", "LOCKED")
    await case.until_task("pre_legal_review")
    await case.answer("pre_legal_review", "REJECTED", by="s1")
    assert [t["kind"] for t in await case.tasks()] == ["manual_review"]
    await scene.days(60)
    assert await case.contacts_by("letter") == []


async def test_a_task_nobody_answers_misses_its_deadline_and_is_tried_again(scene: Scene) -> None:
    case = await scene.case((10, "100"))
    await case.until_task("visit")
    calls = [s for s in await case.steps() if s.startswith("call-1")]
    assert calls == ["call-1 1.1 missed", "call-1 1.2 missed", "call-1 1.3 missed"]
    assert await case.contacts_by("call") == []


async def test_a_number_that_opted_out_is_not_written_to(scene: Scene) -> None:
    await scene.pool.execute(
        "insert into suppressions values ('default', 'sms', '+12015550101', now(), 'STOP')",
    )
    case = await scene.case()
    await case.until_task("call")
    assert scene.texts() == []
    assert [c["state"] for c in await case.contacts()] == ["forbidden", "forbidden"]
    assert "core.OPTED_OUT" in str([dict(e) for e in await case.journal()])


async def test_a_borrower_without_a_number_is_called_for_by_other_means(scene: Scene) -> None:
    case = await scene.case(phone=None)
    await case.until_task("call")
    assert scene.texts() == []
    assert await case.steps() == ["sms-1 1.1 forbidden", "sms-2 1.1 forbidden", "call-1 1.1 open"]


async def test_in_shadow_mode_everything_is_written_down_and_nobody_is_reached(scene: Scene) -> None:
    await scene.pool.execute("update lenders set mode = 'shadow'")
    case = await scene.case()
    await case.until_task("manual_review")
    assert scene.texts() == []
    assert await case.sent() == []
    assert [f"{c['step_id']} {c['state']}" for c in await case.contacts()] == [
        "sms-1 shadow",
        "sms-2 shadow",
        "letter shadow",
    ]
    kinds = {t["kind"] for t in await case.tasks("open", "answered", "done", "missed", "withdrawn")}
    assert kinds <= {"manual_review"}
    assert await scene.pool.fetchval("select count(*) from letters") == 0


async def test_a_country_without_rules_is_not_contacted(scene: Scene) -> None:
    await scene.pool.execute("""update lenders set packs = '{"IT": ["house"]}'""")
    case = await scene.case(country="FR")
    await case.wake()
    (contact,) = await case.contacts()
    assert contact["state"] == "forbidden"
    assert contact["permit"]["verdict"]["rules"] == ["core.NO_JURISDICTION"]
    await case.until_task("pre_legal_review")
    assert await case.sent() == []
    assert scene.texts() == []


async def test_a_text_that_cannot_be_written_is_a_fact_and_the_case_goes_on(scene: Scene) -> None:
    sms, call = STANDARD.stages[0], STANDARD.stages[1]
    broken = sms.model_copy(update={"steps": (sms.steps[0].model_copy(update={"template": "nowhere"}),)})
    name = await scene.strategy(STANDARD, stages=(broken, call))
    case = await scene.case(strategy=name)
    await case.until_task("call")
    assert [s for s in await case.steps() if s.startswith("sms-1")] == [
        "sms-1 1.1 failed",
        "sms-1 1.2 failed",
        "sms-1 1.3 failed",
    ]
    assert (await case.told()).count("step_failed") == 3
    assert scene.texts() == []
