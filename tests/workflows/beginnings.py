"""Where stories begin."""

from tests.case import Case
from tests.scenario import Scene


async def at_call(scene: Scene) -> Case:
    """A case with an open call task, ten days past due."""
    case = await scene.case()
    await case.until_task("call")
    return case


async def in_legal(scene: Scene) -> Case:
    """A case of 300 EUR whose demand letter is out."""
    case = await scene.case((70, "300"))
    await case.until_task("call")
    await case.answer("call", "RPC_REFUSED")
    await case.until_task("visit")
    await case.answer("visit", "SHIFTED")
    review = await case.until_task("pre_legal_review")
    await case.answer("pre_legal_review", "APPROVED", by="s1")
    await case.taken("approve", task_id=review["task_id"], by="s2")
    assert len(await case.contacts_by("letter")) == 1
    return case
