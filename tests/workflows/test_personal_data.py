"""What Temporal keeps of a case: ids, figures and reasons. Names, numbers and streets stay in the ledger and in the texts."""

import json
import re
from collections.abc import Iterator

from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus, WorkflowHistory

from ledger.inbound import take_reply
from starters.replies import about
from starters.sweeps import start_sweep
from tests.case import Case, poll
from tests.scenario import NAME, SENDER, STREET, Scene

PHONE = "+12015550142"
GUARANTOR, MAIL = "Immacolata Ruoppolo", "annunziata.esposito@example.com"
WROTE = "ho perso il lavoro, chiamate mia sorella"


async def personal_in(scene: Scene) -> dict[str, str]:
    """Everything that the ledger knows of people, by where it stands, with the forms in which it may turn up elsewhere."""
    found: dict[str, str] = {}
    for party in await scene.pool.fetch("select party_id, name from parties"):
        for word in (party["name"], *party["name"].split()):
            found[word] = f"the name of {party['party_id']}"
    for point in await scene.pool.fetch("select party_id, kind, value from contact_points"):
        forms = [point["value"], *re.split(r"[ ,@]+", point["value"]), point["value"][2:], point["value"][-7:]]
        found |= {form: f"the {point['kind']} of {point['party_id']}" for form in forms if len(form) > 3}
    found |= {
        body: f"the text of {sender}" for sender, body in await scene.pool.fetch("select sender, body from inbound")
    }
    # Domains of mail and words that say nothing of anybody.
    return {text: where for text, where in found.items() if text not in {"example.com", "dei"}}


def told(values: list[str], personal: dict[str, str]) -> list[str]:
    """What of it stands in values, each with where it comes from."""
    return sorted({f"{where}: {text}" for text, where in personal.items() if any(text in value for value in values)})


def everything_in(history: WorkflowHistory) -> Iterator[str]:
    """Every value that the history holds, decoded: payloads, headers, memos, summaries, search attributes, failures."""
    for event in history.events:
        yield json.dumps(MessageToDict(event), ensure_ascii=False)
        yield from _payloads(event)


def _payloads(message: object) -> Iterator[str]:
    if isinstance(message, Payload):
        yield message.data.decode("utf-8", "replace")
        return
    fields = getattr(message, "ListFields", None)
    if fields is None:
        return
    for _, value in fields():
        for each in _each(value):
            yield from _payloads(each)


def _each(value: object) -> list[object]:
    if hasattr(value, "values"):
        return list(value.values())
    if hasattr(value, "append"):
        return list(value)  # type: ignore[call-overload, no-any-return]
    return [value]


async def known_to_temporal(scene: Scene, case: Case) -> list[str]:
    """All that the server keeps of a case: its histories, and what it shows of it in lists."""
    values = [value for history in await case.histories() for value in everything_in(history)]
    execution = WorkflowExecution(workflow_id=case.key.workflow_id)
    described = await scene.client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace="default", execution=execution)
    )
    return [*values, json.dumps(MessageToDict(described), ensure_ascii=False), *_payloads(described)]


async def full_journey(scene: Scene) -> Case:
    case = await scene.loan((1, "300"), phone=PHONE)
    await scene.pool.execute("insert into parties (lender_id, party_id, name) values ('default', 'G', $1)", GUARANTOR)
    await scene.pool.execute(
        "insert into contact_points (lender_id, party_id, kind, value) values ('default', 'G', 'mobile', '+12015550143'), ('default', $1, 'email', $2)",
        case.party,
        MAIL,
    )
    await scene.pool.execute(
        "insert into loan_parties (lender_id, loan_id, party_id, role) values ('default', $1, 'G', 'guarantor')",
        case.key.loan_id,
    )
    await case.open()
    scene.carrier_does("refuse", code=20429, status=429, times=1)
    await case.wake()
    assert await case.sent() == ["sms sms-1 failed"]
    scene.carrier_is_well()
    await case.wake()
    await take_reply(scene.pool, scene.clock, carrier_id="SM1", sender=PHONE, body=WROTE, about=about(WROTE))
    await scene.settle()
    await case.until_task("call")
    due = (await scene.day(3)).isoformat()
    await case.answer("call", "RPC_PTP", amount="50", due_on=due)
    await case.until_task("visit")
    await case.answer("visit", "SHIFTED")
    review = await case.until_task("pre_legal_review")
    await case.answer("pre_legal_review", "APPROVED", by="s1")
    await case.taken("approve", task_id=review["task_id"], by="s2")
    await case.taken("place_hold", reason="hardship", by="c1")
    await case.taken("release_hold", reason="hardship", by="c1")
    await case.pay("300", entry_id="paid", payer=NAME, reason=f"from {NAME}")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    await scene.days(2)
    scene.carrier_does("refuse", code=21211)
    await case.reverse("paid", "300", reason=f"{NAME} rang from {PHONE}")
    await case.wake()
    await case.pay("300")
    await case.until_closed()
    assert await scene.pool.fetchval("select status from contact_points where value = $1", PHONE) == "dead"
    return case


async def test_a_full_journey_leaves_no_personal_data_with_temporal(scene: Scene) -> None:
    case = await full_journey(scene)
    assert " ".join(scene.texts()), "nothing was sent, so nothing is proven"
    personal, values = await personal_in(scene), await known_to_temporal(scene, case)
    assert {NAME, WROTE, "Esposito", GUARANTOR, PHONE, STREET, "Tribunali", MAIL, "5550143"} <= personal.keys()
    for seen in (case.key.loan_id, "pre_legal_review", "standard 1", "sms-1", "past due", "reply_received"):
        assert any(seen in value for value in values), f"the walk misses {seen}"
    assert told(values, personal) == []
    assert told(values, {SENDER: "our own number"}) == []


async def test_a_sweep_leaves_no_personal_data_with_temporal(scene: Scene) -> None:
    case = await scene.loan(phone=PHONE)
    handle = scene.client.get_workflow_handle(await start_sweep(scene.client))

    async def swept() -> bool:  # asked, not awaited, which would move the clock
        return (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED

    await poll(swept, "the sweep to end")
    scene.cases.append(case)
    assert await case.is_open()
    values = list(everything_in(await handle.fetch_history()))
    assert any("DelinquencySweep" in value for value in values)
    assert told([*values, *await known_to_temporal(scene, case)], await personal_in(scene)) == []


async def test_the_walk_finds_what_is_planted(scene: Scene) -> None:
    case = await scene.case(phone=PHONE)
    personal = await personal_in(scene)
    assert told(await known_to_temporal(scene, case), personal) == []
    # What a workflow must never be told; a name in an id of a task that nobody has is refused, and stands in the history all the same.
    await case.tell("record_outcome", task_id=f"call {NAME}", code="NO_ANSWER", by="c1")
    await case.tell("record_outcome", task_id="none", code="NO_ANSWER", by="c1", data={"at": f"{PHONE}, {STREET}"})
    found = told(await known_to_temporal(scene, case), personal)
    assert f"the name of {case.party}: {NAME}" in found
    assert f"the mobile of {case.party}: {PHONE}" in found
    assert f"the address of {case.party}: {STREET}" in found


async def test_the_journal_and_the_reasons_hold_no_personal_data(scene: Scene) -> None:
    await full_journey(scene)
    story = await scene.pool.fetch("select to_jsonb(e)::text as told from case_events e")
    story += await scene.pool.fetch("select to_jsonb(o)::text as told from outbox o")
    assert told([row["told"] for row in story], await personal_in(scene)) == []
