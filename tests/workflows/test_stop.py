"""The stop button, as the cases feel it: they wait, cost next to nothing meanwhile, and go on when it is released."""

from datetime import timedelta

import pytest

from tests.scenario import Scene

EVENTS_A_LOOK = 11  # a timer and an activity (design.md 8)
BUTTONS = [{}, {"lender_id": "default"}, {"channel": "sms"}, {"strategy": "standard"}]


@pytest.mark.parametrize("button", BUTTONS, ids=str)
async def test_a_week_at_the_stop_button_costs_a_look_a_day_and_the_release_wakes_the_case(
    scene: Scene, button: dict[str, str]
) -> None:
    await scene.stop(**button)
    case = await scene.case()
    await case.wake()
    coming = await case.next()
    assert coming.why.endswith("core.STOPPED holds it until the button is released")
    before = await case.events()
    await scene.days(7)
    spent = await case.events() - before
    print(f"\na week at the stop button: {spent} events")
    assert spent <= 8 * EVENTS_A_LOOK
    assert scene.texts() == []

    coming = await case.next()
    assert coming.at
    assert coming.at - await scene.now() > timedelta(hours=1)
    assert await scene.go(**button) == 1
    assert "ledger_changed" in await case.told()
    assert "core.STOPPED" not in (await case.next()).why
    assert await case.sent() == ["sms sms-1 sent"]  # at once: it is the borrower's hour for texts


async def test_work_that_was_stopped_is_handed_out_at_the_release(scene: Scene) -> None:
    await scene.stop(channel="call")
    case = await scene.case((12, "100"))
    await case.until(lambda n: "core.STOPPED" in n.why)
    assert await case.tasks() == []
    assert await scene.go(channel="call") == 1
    assert [t["kind"] for t in await case.tasks()] == ["call"]


async def test_a_promise_is_judged_on_its_day_though_its_reminder_is_stopped(scene: Scene) -> None:
    case = await scene.case()
    await case.taken("promise_to_pay", amount="100", due_on=(await scene.day(6)).isoformat(), by="c1")
    await scene.stop(channel="sms")
    await scene.days(9)
    assert "promise_broken" in await case.told()


async def test_a_release_wakes_who_waits_at_another_button_too_and_they_wait_on(scene: Scene) -> None:
    await scene.stop(lender_id="default")
    await scene.stop(channel="sms")
    case = await scene.case()
    await case.wake()
    assert await scene.go(channel="sms") == 1
    assert "core.STOPPED" in (await case.next()).why
    assert await scene.go(lender_id="default") == 1
    assert await case.sent() == ["sms sms-1 sent"]
