"""The card of a case, as the Temporal UI asks for it: what an operator wants to know, and nothing about a person."""

from temporalio.api.sdk.v1 import WorkflowMetadata

from activities.contracts import Result
from tests.case import Case
from tests.scenario import Scene
from tests.workflows.beginnings import at_call
from workflows.card import card, readable


async def card_of(case: Case) -> dict[str, str]:
    """The rows of the card by their label."""
    metadata = await case.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    cells = [line.strip("| ").split(" | ") for line in metadata.current_details.splitlines()[3:]]
    return {cell[0].strip("*"): cell[1].strip("*") for cell in cells}


async def test_it_tells_of_a_promise_and_the_last_contacts(scene: Scene) -> None:
    case = await at_call(scene)
    told = await card_of(case)
    assert "Promise" not in told
    today, due = await scene.today(), await scene.day(6)
    texts = [c["sending_at"].date() for c in await case.contacts_by("sms")]
    assert told["Contacts"] == f"{texts[1]} sms-2 sent<br>{texts[0]} sms-1 sent"

    await case.answer("call", "RPC_PTP", amount="90", due_on=due.isoformat())
    await case.pay("30")
    told = await card_of(case)
    assert told["Promise"] == f"90 EUR, 30 of it paid, due {due}"
    assert told["Contacts"].startswith(f"{today} call-1 RPC_PTP<br>")
    assert told["Next"] == "remind of promise: promise reminder"
    await case.wake()
    told = await card_of(case)
    assert told["Last"] == "promise reminder sent"
    assert told["Contacts"].startswith(f"{await scene.today()} promise reminder sent<br>")
    assert "house" not in str(told)


async def test_it_tells_of_a_plan_and_its_next_date(scene: Scene) -> None:
    case = await at_call(scene)
    dates = [await scene.day(7), await scene.day(14)]
    await case.taken("agree_plan", instalments=[{"due_on": d.isoformat(), "amount": "50"} for d in dates], by="c1")
    assert (await card_of(case))["Plan"] == f"100 EUR, 0 of it paid, next due {dates[0]}"
    await case.pay("50")
    assert (await card_of(case))["Plan"] == f"100 EUR, 50 of it paid, next due {dates[1]}"


async def test_a_case_of_an_older_release_has_a_card(scene: Scene) -> None:
    case = await scene.case()
    latest = (await case.latest()).model_dump(mode="json")
    for field in ("promise", "plan", "contacts"):
        del latest["standing"][field]

    assert "| Contacts | none |" in card(case.ref, Result.model_validate(latest), 0)


def test_a_task_is_named_by_the_id_that_commands_take() -> None:
    waits = "manual_review task A-1.1.house-manual-review.1 waits; house-thanks follows"
    assert readable(waits) == "manual_review task A-1.1.house-manual-review.1 waits; thanks follows"
