"""What the committed histories tell, a story for each feature: tests/histories/record.py lives and records them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from temporalio.client import WorkflowHistory

from channels.simulator import Behaviour, Callee, Script
from domain.loan import EntryKind
from domain.strategy import Stage, Step
from ledger.inbound import Reply, Trouble, take_receipt, take_reply
from tests.case import Case, poll
from tests.histories.sweeps import STANDARD, reminders, sweep
from tests.scenario import Scene


class Lived(Protocol):
    """What a story leaves behind: a case, or a sweep."""

    async def histories(self) -> list[WorkflowHistory]:
        """The history of every run."""
        ...


Story = Callable[[Scene], Awaitable[Lived]]


async def sms_cure(scene: Scene) -> Case:
    """Two texts, then the money."""
    case = await scene.case()
    await case.until(lambda n: n.what == "open_call_task")
    await case.pay("100")
    await case.until_closed()
    return case


async def legal_cure(scene: Scene) -> Case:
    """All the way to the demand letter, withdrawn by counsel after the money came."""
    case = await to_the_letter(scene)
    await case.pay("300")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    await case.until_closed()
    return case


async def to_the_letter(scene: Scene) -> Case:
    case = await scene.case((1, "300"))
    await case.until_task("call")
    await case.answer("call", "NO_ANSWER")
    await case.until_task("call")
    await case.answer("call", "RPC_REFUSED")
    await case.until_task("visit")
    await case.until(lambda n: n.what == "book_visit")  # nobody went in time
    await case.until_task("visit")
    await case.answer("visit", "MET_BORROWER")
    review = await case.until_task("pre_legal_review")
    await case.answer("pre_legal_review", "APPROVED", by="s1")
    await case.taken("approve", task_id=review["task_id"], by="s2")
    return case


async def suit(scene: Scene) -> Case:
    """A suit is filed and withdrawn."""
    case = await to_the_letter(scene)
    await case.until_task("file_suit")
    await case.answer("file_suit", "FILED", by="counsel")
    await case.pay("300")
    await case.answer("withdraw_suit", "WITHDRAWN", by="counsel")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    await case.until_closed()
    return case


async def bounce(scene: Scene) -> Case:
    """Cured while a call was asked for, then the payment is returned."""
    case = await scene.case()
    await case.until_task("call")
    await case.pay("100", entry_id=f"paid-{case.key.loan_id}")
    await scene.days(2)
    await case.reverse(f"paid-{case.key.loan_id}", "100")
    await case.until_task("call")
    await case.pay("100")
    await case.until_closed()
    return case


async def promise(scene: Scene) -> Case:
    """A promise that is broken, and one that is kept."""
    case = await scene.case()
    await case.until_task("call")
    await case.answer("call", "RPC_PTP", amount="100", due_on=(await scene.day(4)).isoformat())
    await case.until(lambda n: n.what not in {"remind_of_promise", "judge_promise"})
    await case.taken("promise_to_pay", amount="100", due_on=(await scene.day(4)).isoformat(), by="c1")
    await case.wake()
    await case.pay("100")
    await case.until_closed()
    return case


async def on_a_plan(scene: Scene) -> Case:
    """Three instalments are agreed, and the letter is taken back."""
    case = await to_the_letter(scene)
    dates = [{"due_on": (await scene.day(7 * n)).isoformat(), "amount": "100"} for n in (1, 2, 3)]
    await case.taken("agree_plan", instalments=dates, by="c1")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    return case


async def plan(scene: Scene) -> Case:
    """An instalment plan that takes the letter back, and is kept."""
    case = await on_a_plan(scene)
    for _ in range(3):
        await scene.days(7)
        await case.pay("100")
    await case.until_closed()
    return case


async def hold(scene: Scene) -> Case:
    """A dispute, resolved; a hold that ends by itself; the case closed by hand."""
    case = await scene.case()
    await case.until_task("call")
    await case.taken("raise_dispute", by="c1")
    await scene.days(3)
    await case.taken("resolve_dispute", by="c1")
    await case.taken("place_hold", reason="complaint", until=(await scene.day(4)).isoformat(), by="c1")
    await case.until_task("call")
    await case.taken("reassign", to="c7", by="s1")
    await case.poke()
    await case.taken("close_case", reason="sold", by="s1")
    return case


async def carrier_away(scene: Scene) -> Case:
    """Put off by the stop button, refused, then lost on the way: the text counts, and the case goes on."""
    await scene.stop(channel="sms")
    case = await scene.case()
    await case.wake()
    scene.carrier_does("refuse", code=20429, status=429, times=1)
    await scene.go(channel="sms")
    scene.carrier_does("drop")
    await case.until(lambda n: n.what == "open_call_task")
    await case.pay("100")
    await case.until_closed()
    return case


async def rollover(scene: Scene) -> Case:
    """The same in short runs, each begun with what the last one left."""
    case = await scene.loan()
    await case.open(roll_over_after=12)
    await case.until_task("call")
    await case.answer("call", "RPC_REFUSED")
    await case.pay("100")
    await case.until_closed()
    return case


async def by_voice(scene: Scene) -> Case:
    """An automated call in which the borrower promises, and keeps it."""
    calls = Stage(name="call", from_dpd=1, steps=(Step(id="voice-1", do="voice", attempts=2),))
    case = await scene.loan(strategy=await scene.strategy(STANDARD, stages=(calls,)), language="en")
    await scene.pool.execute("update contact_points set postcode = '80142' where kind = 'address'")
    await scene.pool.execute(
        """
        insert into consents (lender_id, party_id, contact_value, scope, given_on)
        select lender_id, party_id, value, 'voice_auto', '2026-01-01' from contact_points where kind = 'mobile'
        """
    )
    callee = Callee(answers="human", keys=("1", "42", "2", "5#"), seconds=30)
    scene.simulator.play(Script(borrowers={"*": Behaviour(call=callee)}))
    await case.open()
    await case.until(lambda n: n.what != "place_voice_call")

    async def over() -> bool:
        return [c["carrier_status"] for c in await case.contacts()] == ["completed"]

    await poll(over, "the call to end")
    await scene.settle()
    await case.until(lambda n: n.what == "judge_promise")
    await case.pay("100")
    await case.until_closed()
    return case


async def wrote_back(scene: Scene) -> Case:
    """The borrower asks to be called, is, and says that they have paid: a person looks, and they had not."""
    case = await scene.case()
    await case.wake()
    await _says(scene, Reply.CALLBACK)
    await case.until_task("callback")
    await case.answer("callback", "RPC_REFUSED")
    await _says(scene, Reply.ALREADY_PAID)
    await case.until_task("answer")
    holds = await scene.pool.fetch("select hold_id from holds where released_at is null")
    for hold in holds:
        await case.taken("release_hold", hold_id=hold["hold_id"], by="c1")
    await case.answer("answer", "ANSWERED")
    await case.until_task("call")
    await case.pay("100")
    await case.until_closed()
    return case


async def _says(scene: Scene, about: Reply) -> None:
    """A text comes in from the number that every borrower of a story has."""
    number = await scene.pool.fetchval("select value from contact_points where kind = 'mobile'")
    count: int = await scene.pool.fetchval("select count(*) from inbound")
    await take_reply(scene.pool, scene.clock, carrier_id=f"SM{count}", sender=number, body="...", about=about)
    await scene.settle()


async def put_right(scene: Scene) -> Case:
    """The number is dead, a fee comes on top, then late money shows a text to have been wrong: a person puts it right."""
    case = await scene.case()
    await case.wake()
    day = await scene.today()
    [text] = await case.contacts()
    await take_receipt(
        scene.pool,
        scene.clock,
        contact_id=text["contact_id"],
        carrier_id=text["carrier_id"],
        status="undelivered",
        error_code=30005,
        trouble=Trouble.DEAD_NUMBER,
    )
    await scene.settle()
    await case.post(EntryKind.LATE_FEE, "5")
    await scene.days(2)
    await case.pay("105", value_date=day - timedelta(days=1))
    await case.until_task("remedy")
    await case.answer("remedy", "DONE", by="s1", note="apologised")
    await case.until_closed()
    return case


async def misposted(scene: Scene) -> Case:
    """The payment that cured the case was another borrower's: the lender puts that right before they are contacted again."""
    case = await scene.case()
    await case.wake()
    await case.pay("100", entry_id=f"paid-{case.key.loan_id}")
    await case.reverse(f"paid-{case.key.loan_id}", "100", reason="misposted")
    await case.until_task("remedy")
    await case.answer("remedy", "DONE", by="s1", note="apologised")
    await case.until_task("call")
    await case.pay("100")
    await case.until_closed()
    return case


async def broken_plan(scene: Scene) -> Case:
    """An instalment plan that is paid once and then no more; the letter goes out again, and the money comes."""
    case = await on_a_plan(scene)
    await scene.days(7)
    await case.pay("100")
    await case.until(lambda n: n.what != "judge_plan")
    await case.pay("200")
    await case.answer("withdraw_letter", "WITHDRAWN", by="counsel")
    await case.until_closed()
    return case


async def unwritable(scene: Scene) -> Case:
    """A text without its template fails for good, three times; a person calls instead."""
    texts, call = STANDARD.stages[:2]
    broken = texts.model_copy(update={"steps": (texts.steps[0].model_copy(update={"template": "nowhere"}),)})
    case = await scene.case(strategy=await scene.strategy(STANDARD, stages=(broken, call)))
    await case.until_task("call")
    await case.pay("100")
    await case.until_closed()
    return case


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        sms_cure,
        legal_cure,
        suit,
        bounce,
        promise,
        plan,
        hold,
        carrier_away,
        rollover,
        by_voice,
        wrote_back,
        put_right,
        misposted,
        broken_plan,
        unwritable,
        sweep,
        reminders,
    )
}
