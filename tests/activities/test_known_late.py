"""What is known late: a hold with an earlier beginning, and money that was only pending."""

from datetime import timedelta
from decimal import Decimal

from domain.loan import EntryKind, EntryStatus
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from tests.activities.bench import Bench


async def remedies(bench: Bench) -> list[tuple[str, dict[str, object]]]:
    rows = await bench.pool.fetch("select loan_id, data from tasks where kind = 'remedy' order by task_id")
    return [(r["loan_id"], r["data"]) for r in rows]


async def test_a_backdated_hold_lists_what_was_done_inside(bench: Bench) -> None:
    case = await bench.case()
    order = await bench.due(case)
    began = bench.clock.at - timedelta(minutes=1)
    await bench.carry_out(order)
    [made] = await bench.contacts(case)
    fee = NewEntry(
        entry_id="fee",
        loan_id=case.loan_id,
        kind=EntryKind.LATE_FEE,
        amount=Decimal(5),
        currency="EUR",
        value_date=bench.clock.at.date(),
    )
    await post_entry(bench.pool, fee, bench.clock)
    bench.clock.at += timedelta(hours=2)
    for message_id in ("m", "m"):  # told twice, listed once
        await bench.tell(case, "place_hold", message_id, reason="attorney", since=began.isoformat())
    [(loan, listed)] = await remedies(bench)
    assert loan == case.loan_id
    assert listed["contacts"] == [made["contact_id"]]
    assert "late_fees" not in listed  # an attorney stops contact alone
    await bench.tell(case, "place_hold", reason="insolvency", since=began.isoformat())
    assert [d.get("late_fees") for _, d in await remedies(bench)] == [None, ["fee"]]
    assert ("undone", "not_on_record") not in await bench.violations()


async def test_a_backdated_hold_on_a_person_is_about_all_their_loans(bench: Bench) -> None:
    one = await bench.case((1, "200"), borrower="P-two")
    other = await bench.case((1, "100"), borrower="P-two")
    order = await bench.due(one)
    began = bench.clock.at - timedelta(minutes=1)
    await bench.carry_out(order)
    bench.clock.at += timedelta(hours=1)
    await bench.tell(other, "place_hold", reason="bereavement", since=began.isoformat())
    assert [loan for loan, _ in await remedies(bench)] == [one.loan_id]


async def test_a_hold_from_now_on_lists_nothing(bench: Bench) -> None:
    case = await bench.case()
    await bench.carry_out(await bench.due(case))
    bench.clock.at += timedelta(hours=1)
    await bench.tell(case, "place_hold", reason="bereavement")
    began = bench.clock.at - timedelta(minutes=30)  # after the text
    await bench.tell(case, "place_hold", reason="insolvency", since=began.isoformat())
    assert await remedies(bench) == []


async def test_money_that_came_back_keeps_nobody_quiet(bench: Bench) -> None:
    case = await bench.case()
    await bench.pay(case, entry_id="paid", status=EntryStatus.PENDING)
    waits = await bench.carry_out(await bench.due(case))
    assert "house.IN_FLIGHT" in waits.done
    assert bench.texts() == []
    await bench.pay(case, entry_id="paid", status=EntryStatus.RETURNED)
    order = await bench.due(case)
    assert order.decision.at is not None
    assert order.decision.at < bench.clock.at + timedelta(days=1)
    assert (await bench.carry_out(order)).done.startswith("sms")
    assert len(bench.texts()) == 1
