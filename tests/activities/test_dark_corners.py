"""Where two things meet that seldom meet."""

from datetime import timedelta

from activities.absorbing import Absorbing
from activities.contracts import Absorb, Message, SweepRequest
from activities.opening import Opening
from domain.decision import Action
from domain.loan import LoanKey
from tests.activities.bench import Bench


async def test_an_outcome_that_comes_after_a_dated_payment_began_to_count_is_refused(bench: Bench) -> None:
    """The money came days ago and counts from today: no posting withdraws the task today."""
    case = await bench.case((10, "100"))
    await bench.carry_out(await bench.due(case))
    tomorrow = bench.clock.at + timedelta(days=1)
    await bench.pay(case, value_date=tomorrow.date())
    bench.clock.at = tomorrow
    task = await bench.pool.fetchval("select task_id from tasks")
    result = await bench.tell(case, "record_outcome", "m1", task_id=task, code="RPC_REFUSED", by="c1")
    assert not result.answers["m1"].accepted
    assert result.decision.action is Action.WITHDRAW_TASK
    assert await bench.contacts(case) == []
    assert await bench.violations() == []


async def test_a_payment_and_its_return_before_the_case_has_looked(bench: Bench) -> None:
    case = await bench.case((10, "100"))
    await bench.carry_out(await bench.due(case))
    await bench.pay(case, entry_id="paid")
    await bench.reverse(case, "paid")
    result = await bench.decide(case)
    assert result.decision.action is Action.OPEN_CALL_TASK  # the first task was withdrawn by the posting
    await bench.carry_out(await bench.due(case))
    await bench.pay(case)
    for _ in range(2):
        order = await bench.due(case)
        assert order.decision.action is Action.WITHDRAW_TASK
        await bench.carry_out(order)
    assert (await bench.decide(case)).decision.stage == "probation"
    assert await bench.violations() == []


async def test_a_case_whose_workflow_was_never_started_is_started_by_the_next_sweep(bench: Bench) -> None:
    """The process died between the commit of the row and the start."""
    case = await bench.case()
    started: list[LoanKey] = []

    class Starts(Opening):
        async def start(self, key: LoanKey) -> None:
            started.append(key)

    opening = Starts(bench.desk, None)  # type: ignore[arg-type]  # nothing is started here
    await opening.start_due_cases(SweepRequest())
    assert started == [case.key]
    await bench.decide(case)
    await opening.start_due_cases(SweepRequest())
    assert started == [case.key]


async def test_money_that_came_while_a_case_was_closed_is_not_held_against_the_next_one(bench: Bench) -> None:
    case = await bench.case((1, "100"), (-40, "50"))
    await bench.pay(case)
    for _ in range(2):
        await bench.carry_out(await bench.due(case))
    assert not (await bench.pool.fetchval("select open from cases"))
    await bench.pay(case, "10")
    bench.clock.at += timedelta(days=30)

    class Quiet(Opening):
        async def start(self, key: LoanKey) -> None:
            await bench.decide(case)

    assert await Quiet(bench.desk, None).open(case.key)  # type: ignore[arg-type]
    assert await bench.violations() == []


async def test_a_hold_that_begins_while_a_text_is_on_its_way_is_no_reason_to_lose_it(bench: Bench) -> None:
    case = await bench.case()
    order = await bench.due(case)
    await bench.contact.send_sms(order)
    await bench.tell(case, "place_hold", reason="complaint", by="c1")
    again = await bench.contact.send_sms(order)
    assert again.done == "overtaken by events"
    assert len(bench.texts()) == 1


async def test_a_message_that_was_delivered_twice_is_taken_in_once(bench: Bench) -> None:
    case = await bench.case()
    news = Message(message_id="outbox-1", kind="ledger_changed", body={"about": "tape"})
    due = (bench.clock.at + timedelta(days=3)).date().isoformat()
    promise = Message(message_id="p", kind="promise_to_pay", body={"amount": "100", "due_on": due, "by": "c1"})
    absorbing = Absorbing(bench.desk)
    first = await absorbing.absorb(Absorb(case=case, messages=(news, promise, news)))
    again = await absorbing.absorb(Absorb(case=case, messages=(promise, news)))  # its result was lost
    assert (first.answers["p"].accepted, again.answers["p"].accepted) == (True, True)
    assert await bench.pool.fetchval("select count(*) from case_events where message_id is not null") == 2
    assert await bench.pool.fetchval("select string_agg(status, ' ') from promises") == "active"


async def test_a_refusal_told_again_is_the_same_refusal(bench: Bench) -> None:
    case = await bench.case()
    first = await bench.tell(case, "place_hold", "m", reason="moon")
    again = await bench.tell(case, "place_hold", "m", reason="moon")
    assert first.answers["m"].reason == again.answers["m"].reason
    assert not again.answers["m"].accepted
