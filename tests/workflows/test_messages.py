"""What people and the ledger tell a case, and what it does then."""

from datetime import timedelta

import pytest

from tests.scenario import Scene
from tests.workflows.beginnings import at_call, in_legal

# --- payments ---


async def test_a_payment_ends_an_open_call_task_at_once(scene: Scene) -> None:
    case = await at_call(scene)
    task = await case.task("call")
    await case.pay("100", silently=True)
    (withdrawn,) = await case.tasks("withdrawn")  # before the case has heard of it
    assert withdrawn["task_id"] == task["task_id"]
    late = await case.tell("record_outcome", task_id=task["task_id"], code="RPC_REFUSED", by="c1")
    assert not late.accepted
    assert late.reason == f"task {task['task_id']} is withdrawn (cured): it takes no outcome any more."
    await scene.settle()
    assert await case.effects() == ["task call-1 ended"]
    assert "withdraw_task" in await case.acted()
    await case.until_closed()
    assert await case.sent() == ["sms sms-1 sent", "sms sms-2 sent", "sms house-thanks sent"]


async def test_a_part_payment_takes_back_what_is_not_due_yet(scene: Scene) -> None:
    case = await scene.case((9, "100"), (2, "100"))
    await case.until_task("call")
    at = await scene.now()
    await case.pay("100")
    assert await case.tasks() == []
    assert (await case.tasks("withdrawn"))[0]["kind"] == "call"
    coming = await case.next()
    assert coming.what == "open_call_task"
    assert coming.at
    assert coming.at > at  # again when the rest is that old
    await case.until_task("call")
    assert (await case.sent()).count("sms sms-1 sent") == 1


async def test_two_small_part_payments_do_not_begin_the_stage_anew(scene: Scene) -> None:
    case = await scene.case((1, "100"))
    await case.until(lambda n: "sms-2" in n.why)
    before = await case.next()
    await case.pay("10")
    await scene.days(1)
    await case.pay("10")
    after = await case.next()
    assert (after.what, after.at) == (before.what, before.at)
    await case.wake()
    assert await case.sent() == ["sms sms-1 sent", "sms sms-2 sent"]


async def test_a_payment_dated_ahead_counts_from_its_day(scene: Scene) -> None:
    case = await scene.case()
    await case.wake()
    day = await scene.day(3)
    await case.pay("100", value_date=day)
    assert (await case.row())["stage"] == "sms"
    await case.until(lambda n: n.stage == "probation")
    assert (await scene.now()).date() == day
    await case.until_closed()
    assert "sms sms-2 sent" not in await case.sent()


# --- holds and disputes ---


async def test_a_hold_takes_back_the_call_and_its_release_goes_on_with_what_was_left(scene: Scene) -> None:
    case = await scene.case()
    await case.until(lambda n: "sms-2" in n.why)
    due = (await case.next()).at
    assert due
    left = due - await scene.now()
    await case.taken("place_hold", reason="hardship", by="c1")
    assert (await case.next()).at is None
    await scene.days(20)
    assert await case.sent() == ["sms sms-1 sent"]
    await case.taken("release_hold", reason="hardship", by="c1")
    again = (await case.next()).at
    assert again
    longer = again - await scene.now() - left
    assert timedelta(minutes=-1) < longer <= timedelta(days=1)  # at the borrower's hour
    await case.wake()
    assert await case.sent() == ["sms sms-1 sent", "sms sms-2 sent"]


async def test_a_hold_that_ends_by_itself_wakes_the_case(scene: Scene) -> None:
    case = await at_call(scene)
    until = await scene.day(9)
    await case.taken("place_hold", reason="complaint", until=until.isoformat(), by="c1")
    assert (await case.tasks("withdrawn"))[0]["kind"] == "call"
    assert (await case.latest()).standing.hold_scopes == ("contact", "escalation")
    coming = await case.next()
    assert coming.what == "reconsider"
    assert coming.at
    assert coming.at.date() == until
    await case.until_task("call")
    assert (await case.latest()).standing.hold_scopes == ()


async def test_a_dispute_stops_the_case_until_it_is_resolved(scene: Scene) -> None:
    case = await at_call(scene)
    await case.taken("raise_dispute", by="c1")
    assert await case.tasks() == []
    await scene.days(30)
    assert (await case.next()).at is None
    assert "dispute" in str(await scene.pool.fetchval("select reason from holds"))
    await case.taken("resolve_dispute", by="c1")
    await case.until_task("call")
    nothing = await case.tell("resolve_dispute", by="c1")
    assert not nothing.accepted


async def test_no_money_is_spent_on_a_disputed_instalment(scene: Scene) -> None:
    case = await scene.case((9, "100"), (2, "100"))
    wrong = await case.tell("raise_dispute", instalment=9, by="c1")
    assert wrong.reason == (
        f"loan {case.key} has no instalment 9: `arrears case {case.key} --export DIR` lists those it has."
    )
    await case.taken("raise_dispute", instalment=1, reason="never delivered", by="c1")
    await case.pay("200")
    standing = (await case.latest()).standing
    assert standing.arrears == 100  # the second is paid; what is left waits beside the first
    await case.taken("resolve_dispute", by="c1")
    await scene.days(1)
    await case.poke()
    assert (await case.latest()).standing.arrears == 0


async def test_a_hold_on_the_person_reaches_the_other_loan(scene: Scene) -> None:
    one = await scene.case(borrower="P-two-loans")
    other = await scene.case((9, "100"), borrower="P-two-loans")
    await one.taken("place_hold", reason="bereavement", by="c1")
    assert "held" in (await other.next()).why
    await scene.days(10)
    assert scene.texts() == []
    await other.taken("release_hold", reason="bereavement", by="c1")
    assert "held" not in (await one.next()).why


async def test_two_loans_may_be_told_under_the_same_id(scene: Scene) -> None:
    one, other = await scene.case(), await scene.case()
    for case in (one, other):
        await case.taken("place_hold", id="from-the-desk", reason="complaint", by="c1")
        assert "held" in (await case.next()).why, "accepted, and lost"


async def test_the_same_message_again_changes_nothing(scene: Scene) -> None:
    case = await scene.case()
    first = await case.tell("place_hold", id="twice", reason="complaint", by="c1")
    again = await case.tell("place_hold", id="twice", reason="complaint", by="c1")
    assert (first.accepted, again.accepted) == (True, True)
    assert (await case.told()).count("place_hold") == 1


# --- by hand ---


async def test_closing_by_hand_undoes_first(scene: Scene) -> None:
    case = await at_call(scene)
    await case.taken("close_case", reason="sold", by="s1")
    assert not await case.is_open()
    assert (await case.acted())[-3:] == ["absorb", "withdraw_task", "close_case"]
    assert await case.effects() == ["task call-1 ended"]
    (task,) = await case.tasks("withdrawn")
    assert task["kind"] == "call"


async def test_a_case_closed_in_legal_waits_for_counsel(scene: Scene) -> None:
    case = await in_legal(scene)
    await case.taken("close_case", reason="sold", by="s1")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    assert not await case.is_open()
    assert "letter letter ended" in await case.effects()


async def test_a_closed_case_takes_no_more(scene: Scene) -> None:
    case = await scene.case()
    await case.taken("close_case", by="s1")
    with pytest.raises(Exception, match=r"completed|not found"):
        await case.tell("place_hold", reason="complaint")


async def test_a_case_or_one_task_is_handed_to_another_collector(scene: Scene) -> None:
    case = await at_call(scene)
    task = await case.task("call")
    await case.taken("reassign", to="c7", task_id=task["task_id"], by="s1")
    assert (await case.task("call"))["owner"] == "c7"
    await case.taken("reassign", to="c9", by="s1")
    assert (await case.latest()).standing.collector == "c9"
    await case.until(lambda n: n.what == "open_call_task")
    await case.until_task("call")
    assert (await case.task("call"))["owner"] == "c9"


async def test_a_second_person_waives_a_step(scene: Scene) -> None:
    case = await at_call(scene)
    await case.answer("call", "NO_ANSWER")
    await case.taken("approve", waive="call-1", by="s1")
    assert (await case.next()).what == "book_visit"
    unknown = await case.tell("approve", waive="nowhere", by="s1")
    assert not unknown.accepted


async def test_a_poke_makes_it_decide_again(scene: Scene) -> None:
    case = await scene.case()
    before = await case.next()
    await case.poke()
    assert await case.next() == before
    assert await case.told() == ["poke"]


async def test_a_hold_of_no_known_reason_is_refused(scene: Scene) -> None:
    case = await scene.case()
    answer = await case.tell("place_hold", reason="moon", by="c1")
    assert not answer.accepted
    assert answer.reason
    assert answer.reason.startswith("hold reason 'moon' is unknown: use one of ")


async def test_a_message_that_cannot_be_kept_is_refused_and_the_case_goes_on_hearing(scene: Scene) -> None:
    case = await scene.case()
    poison = (
        {"reason": "complaint", "until": "9999-12-31"},
        {"reason": "complaint", "until": "9999-12-31T23:59:59-12:00"},
        {"reason": "complaint", "since": "0001-01-01T00:00:00+14:00"},
        {"reason": "complaint", "by": "c1\x00"},
        {"reason": "complaint", "subject": "contact_point", "subject_id": "\x00"},
    )
    for body in poison:
        answer = await case.tell("place_hold", **body)
        assert not answer.accepted, body
    await case.wake()
    assert await case.sent() == ["sms sms-1 sent"]
