"""A worker that dies on the way: whatever it had done, the next one writes to nobody twice, and ends no work that stands."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from activities.contracts import Order
from channels.carrier import AnswerLost, Carrier, CarrierMessage, LookUpFailed, SmsAnswer, SmsRequest
from channels.simulator.script import Behaviour, Fault, Script
from domain.decision import Action
from tests.activities.bench import Bench


class Died(BaseException):
    """The process is gone."""


@dataclass
class DyingCarrier:
    """A carrier in a process that dies beside it: before it is asked, or after it took the message."""

    real: Carrier
    before: bool
    asked: list[str] = field(default_factory=list)

    async def send_sms(self, request: SmsRequest) -> SmsAnswer:
        self.asked.append(request.attempt_id)
        if not self.before:
            await self.real.send_sms(request)
        raise Died

    async def find_sms(self, to: str, sender: str, since: datetime, reference: str) -> list[CarrierMessage]:
        return await self.real.find_sms(to, sender, since, reference)

    async def fetch(self, carrier_id: str) -> CarrierMessage:
        return await self.real.fetch(carrier_id)

    async def close(self) -> None: ...


async def died(bench: Bench, order: Order, *, before: bool) -> None:
    """A worker commits the contact and dies."""
    carrier = DyingCarrier(bench.carrier, before)
    with pytest.raises(Died):
        await bench.with_carrier(carrier).contact.send_sms(order)
    assert len(carrier.asked) == 1
    (contact,) = await bench.contacts(order.case)
    assert contact["state"] == "sending"


async def test_a_worker_that_dies_after_the_carrier_took_the_text_is_made_good_by_looking_it_up(bench: Bench) -> None:
    order = await bench.due(await bench.case())
    await died(bench, order, before=False)
    result = await bench.contact.send_sms(order)
    assert result.done == "sms-1 sent"
    assert len(bench.texts()) == 1
    (contact,) = await bench.contacts(order.case)
    assert (contact["state"], contact["carrier_id"]) == ("sent", next(iter(bench.simulator.messages)).sid)
    assert result.decision.step_id == "sms-2"
    assert await bench.violations() == []


async def test_a_worker_that_dies_before_it_asked_sends_nothing_later(bench: Bench) -> None:
    order = await bench.due(await bench.case())
    await died(bench, order, before=True)
    result = await bench.contact.send_sms(order)
    assert bench.texts() == []
    (contact,) = await bench.contacts(order.case)
    assert contact["state"] == "unknown"
    assert result.decision.step_id == "sms-2"
    assert await bench.violations() == []


async def test_an_activity_done_again_after_its_answer_was_lost_does_nothing(bench: Bench) -> None:
    order = await bench.due(await bench.case())
    first = await bench.contact.send_sms(order)
    again = await bench.contact.send_sms(order)
    assert again.done == "overtaken by events"
    assert again.decision == first.decision
    assert len(bench.texts()) == 1


async def test_a_new_run_that_finds_a_text_on_its_way_does_not_send_it_again(bench: Bench) -> None:
    order = await bench.due(await bench.case())
    await died(bench, order, before=False)
    for days in (0, 1, 2):  # the workflow is lost too, and begun anew
        bench.clock.at += timedelta(days=days)
        due = await bench.due(order.case)
        if due.decision.action is Action.SEND_SMS:
            await bench.contact.send_sms(due)
    steps = [c["step_id"] for c in await bench.contacts(order.case)]
    assert steps == ["sms-1", "sms-2"][: len(steps)]
    assert len(bench.texts()) == len(steps)


async def test_a_payment_while_the_answer_is_awaited_leaves_the_text_on_record(bench: Bench) -> None:
    order = await bench.due(await bench.case())
    await died(bench, order, before=False)
    await bench.pay(order.case)
    result = await bench.contact.send_sms(order)
    (contact,) = await bench.contacts(order.case)
    assert contact["state"] == "sent"
    assert result.decision.stage == "probation"
    assert await bench.violations() == []


async def test_a_text_that_was_reserved_and_overtaken_is_never_sent_and_may_be_meant_again(bench: Bench) -> None:
    bench.clock.at = bench.clock.at.replace(hour=21)  # quiet hours in Rome
    case = await bench.case()
    order = Order(case=case, decision=(await bench.decide(case)).decision)
    assert (await bench.decide(case)).decision.at
    bench.clock.at = order.decision.at or bench.clock.at
    await bench.pool.execute("insert into stops values ('default', 'sms', '*', now(), 'wait')")
    deferred = await bench.contact.send_sms(order)
    assert deferred.done == "deferred by core.STOPPED"
    assert [c["state"] for c in await bench.contacts(case)] == ["reserved"]
    await bench.pool.execute("delete from stops")

    paid = await bench.pay(case, entry_id="paid")
    assert paid.cured
    (contact,) = await bench.contacts(case)
    assert (contact["state"], contact["reason"]) == ("cancelled", "cured")
    overtaken = await bench.contact.send_sms(order)
    assert overtaken.done == "overtaken by events"
    assert bench.texts() == []

    await bench.reverse(case, "paid")
    again = await bench.due(case)
    while again.decision.action is not Action.SEND_SMS:
        await bench.carry_out(again)
        again = await bench.due(case)
    await bench.contact.send_sms(again)
    made = [(c["step_id"], c["episode"], c["state"]) for c in await bench.contacts(case)]
    assert made == [
        ("sms-1", 1, "cancelled"),
        ("house-bounce-notice", 2, "sent"),
        ("sms-1", 2, "sent"),
    ]
    assert await bench.violations() == []


async def test_a_number_that_was_found_wrong_after_the_text_was_reserved_is_not_written_to(bench: Bench) -> None:
    case = await bench.case()
    order = await bench.due(case)
    await bench.pool.execute("insert into stops values ('default', 'sms', '*', now(), 'wait')")
    await bench.contact.send_sms(order)
    await bench.pool.execute("delete from stops")
    await bench.pool.execute("update contact_points set status = 'wrong' where kind = 'mobile'")
    result = await bench.contact.send_sms(order)
    assert result.done == "forbidden: core.NO_CONTACT_POINT"
    assert bench.texts() == []


async def test_a_text_goes_to_the_number_that_counts_when_it_is_sent(bench: Bench) -> None:
    case = await bench.case()
    order = await bench.due(case)
    await bench.pool.execute("insert into stops values ('default', 'sms', '*', now(), 'wait')")
    await bench.contact.send_sms(order)
    await bench.pool.execute("delete from stops")
    await bench.pool.execute("update contact_points set value = '+12015550177' where kind = 'mobile'")
    await bench.contact.send_sms(order)
    assert bench.texts() == ["+12015550177"]
    assert [c["contact_value"] for c in await bench.contacts(case)] == ["+12015550177"]


async def test_a_failed_look_up_proves_nothing(bench: Bench) -> None:
    @dataclass
    class Deaf(DyingCarrier):
        async def send_sms(self, request: SmsRequest) -> SmsAnswer:
            await self.real.send_sms(request)
            return AnswerLost("gone")

        async def find_sms(self, to: str, sender: str, since: datetime, reference: str) -> list[CarrierMessage]:
            raise LookUpFailed("away")

    order = await bench.due(await bench.case())
    result = await bench.with_carrier(Deaf(bench.carrier, False)).contact.send_sms(order)
    assert "the carrier's answer is lost" in result.done
    (contact,) = await bench.contacts(order.case)
    assert contact["state"] == "unknown"
    again = await bench.contact.send_sms(order)
    assert again.done == "overtaken by events"
    assert len(bench.texts()) == 1


async def test_a_task_handed_out_by_a_worker_that_died_is_not_handed_out_twice(bench: Bench) -> None:
    case = await bench.case((15, "100"))
    order = await bench.due(case)
    assert order.decision.action is Action.OPEN_CALL_TASK
    await bench.office.open_call_task(order)
    await bench.office.open_call_task(order)
    assert await bench.pool.fetchval("select count(*) from tasks") == 1
    assert await bench.pool.fetchval("select count(*) from effects") == 1


async def test_the_carrier_is_asked_outside_of_any_transaction(bench: Bench) -> None:
    """Else one slow carrier would hold the person's lock, and their payment would wait."""
    bench.simulator.play(Script(borrowers={"*": Behaviour(fault=Fault(kind="hang"))}))
    order = await bench.due(await bench.case())

    @dataclass
    class Paying(DyingCarrier):
        async def send_sms(self, request: SmsRequest) -> SmsAnswer:
            await bench.pay(order.case)  # would wait for ever, were the loan locked
            return AnswerLost("gone")

    await bench.with_carrier(Paying(bench.carrier, False)).contact.send_sms(order)
    assert await bench.pool.fetchval("select count(*) from entries") == 1
    assert await bench.violations() == []


async def test_two_who_were_given_the_same_order_write_once_and_mean_nothing_more(bench: Bench) -> None:
    """As when Temporal has given up an attempt that lives: who comes second looks the text up, and plans from what became of it."""
    bench.simulator.play(Script(borrowers={"*": Behaviour(fault=Fault(kind="slow", seconds=0.2))}))
    order = await bench.due(await bench.case())
    results = await asyncio.gather(bench.contact.send_sms(order), bench.contact.send_sms(order))
    assert len(bench.texts()) == 1
    assert {r.decision.step_id for r in results} == {"sms-2"}
    assert [c["state"] for c in await bench.contacts(order.case)] == ["sent"]
