"""What the carrier's no means: for the attempt, for the number, for everybody."""

import pytest

from channels.simulator.script import Behaviour, Fault, Script
from domain.decision import Action
from tests.activities.bench import Bench


def refuse(bench: Bench, code: int, status: int = 400, times: int | None = None) -> None:
    fault = Fault(kind="refuse", code=code, status=status, times=times)
    bench.simulator.play(Script(borrowers={"*": Behaviour(fault=fault)}))


async def test_a_busy_carrier_is_asked_again_ever_later_and_never_given_up(bench: Bench) -> None:
    case = await bench.case()
    refuse(bench, 20429, status=429)
    waits = []
    for _ in range(6):
        order = await bench.due(case)
        assert order.decision.action is Action.SEND_SMS
        result = await bench.carry_out(order)
        assert result.decision.at is not None
        waits.append(result.decision.at - bench.clock.at)
    assert waits[0] >= waits[0].__class__(minutes=15)
    assert {s["state"] for s in await bench.pool.fetch("select state from steps")} == {"postponed"}
    bench.simulator.play(Script())
    await bench.carry_out(await bench.due(case))
    assert (await bench.contacts(case))[-1]["state"] == "sent"
    assert bench.texts() == ["+12015550101"]


async def test_a_dead_number_is_marked_and_the_step_is_impossible(bench: Bench) -> None:
    case = await bench.case()
    refuse(bench, 21211)
    await bench.carry_out(await bench.due(case))
    assert await bench.pool.fetchval("select status from contact_points where kind = 'mobile'") == "dead"
    assert await bench.pool.fetchval("select state from steps") == "impossible"


async def test_who_told_the_carrier_to_stop_is_left_alone(bench: Bench) -> None:
    case = await bench.case()
    refuse(bench, 21610)
    await bench.carry_out(await bench.due(case))
    assert await bench.pool.fetchval("select value from suppressions") == "+12015550101"


@pytest.mark.parametrize("code", [20003, 21606])
async def test_a_fault_of_ours_stops_the_channel_for_all_and_is_told_once(bench: Bench, code: int) -> None:
    first, second = await bench.case(), await bench.case(phone="+12015550102")
    refuse(bench, code, status=401 if code == 20003 else 400)
    await bench.carry_out(await bench.due(first))
    [stop] = await bench.pool.fetch("select lender_id, channel, strategy, released_order from stops")
    assert tuple(stop) == ("default", "sms", "*", None)
    result = await bench.carry_out(await bench.due(second))
    assert result.done == "deferred by core.STOPPED"
    about = await bench.pool.fetch("select about from alerts where cleared_at is null")
    assert len(about) == 1
    assert "+1201" not in about[0]["about"]
