"""Whoever asked to be left alone is not announced a text: the case says what the gate will say."""

from typing import Any

from activities.contracts import CaseRef
from ledger.case_view import case_view
from tests.activities.bench import Bench


async def next_step(bench: Bench, case: CaseRef) -> Any:
    async with bench.pool.acquire() as conn:
        return (await case_view(conn, case.key, bench.clock.at))["next_step"]


async def test_after_stop_the_next_text_is_said_not_to_go(bench: Bench) -> None:
    case, other = await bench.case(), await bench.case(phone="+12015550102")
    order = await bench.due(case)
    await bench.decide(other)
    assert "OPTED_OUT" not in (await next_step(bench, case))["why"]
    async with bench.pool.acquire() as conn:
        await conn.execute(
            "insert into suppressions (lender_id, channel, value, since, reason) values ('default', 'sms', '+12015550101', $1, 'STOP')",
            bench.clock.at,
        )
    step = await next_step(bench, case)
    assert step["what"] == "send_sms"
    assert step["why"].endswith("(core.OPTED_OUT), so it will not be sent")
    assert "OPTED_OUT" not in (await next_step(bench, other))["why"]
    assert (await bench.carry_out(order)).done == "forbidden: core.OPTED_OUT"
