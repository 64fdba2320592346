"""What Temporal keeps of a case: ids, figures and reasons. Names, numbers and streets stay in the ledger and in the texts."""

import json
from collections.abc import Iterator

from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import WorkflowHistory

from tests.case import Case
from tests.scenario import NAME, SENDER, STREET, Scene

PHONE = "+12015550142"
PERSONAL = (*NAME.split(), PHONE, PHONE[2:], PHONE[-7:], SENDER, STREET, "Tribunali", "Napoli")


def everything_in(history: WorkflowHistory) -> Iterator[str]:
    """Every value that the history holds, decoded: payloads, headers, summaries, search attributes, failures."""
    for event in history.events:
        yield json.dumps(MessageToDict(event))
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


async def full_journey(scene: Scene) -> Case:
    case = await scene.case((1, "300"), phone=PHONE)
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
    await case.reverse("paid", "300", reason=f"{NAME} rang from {PHONE}")
    await case.wake()
    await case.pay("300")
    await case.until_closed()
    return case


async def test_a_full_journey_leaves_no_personal_data_with_temporal(scene: Scene) -> None:
    case = await full_journey(scene)
    texts = " ".join(scene.texts())
    assert texts, "nothing was sent, so nothing is proven"
    values = [value for history in await case.histories() for value in everything_in(history)]
    assert any(case.key.loan_id in v for v in values), "the walk finds nothing at all"
    assert any("supervisor" in v or "pre_legal_review" in v for v in values)
    for secret in PERSONAL:
        assert [v[:200] for v in values if secret in v] == [], secret
    execution = WorkflowExecution(workflow_id=case.key.workflow_id)
    described = await scene.client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace="default", execution=execution)
    )
    shown = " ".join([str(described), *_payloads(described)])
    assert "standard 1" in shown
    for secret in PERSONAL:
        assert secret not in shown


async def test_the_journal_and_the_reasons_hold_no_personal_data(scene: Scene) -> None:
    case = await full_journey(scene)
    story = str([dict(e) for e in await case.journal()]) + str(
        [dict(r) for r in await scene.pool.fetch("select * from outbox")]
    )
    for secret in PERSONAL:
        assert secret not in story, secret
