"""What the daily sweep does beside opening cases: late fees and reminders, on the real ledger and carrier."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.charging import Charging
from activities.contracts import CaseRef, SweepRequest, SweepResult
from activities.gate import CONTACTS
from activities.opening import furthest
from activities.reminding import Reminding
from domain.loan import EntryKind, EntryStatus, LoanKey
from domain.strategy import Stage, Step, Strategy
from ledger.case_view import case_view
from ledger.late_fees import choose_late_fee, late_fee_policy
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.strategies import publish
from tests.activities.bench import Bench
from tests.activities.test_crash import Died, DyingCarrier
from tests.scenario import add_loan


async def charge(bench: Bench, **policy: Any) -> SweepResult:
    async with bench.pool.acquire() as conn:
        since = bench.clock.at.date() - timedelta(days=30)
        await choose_late_fee(conn, "default", since, **({"amount": Decimal(15)} | policy))
    return await Charging(bench.desk).charge_late_fees(SweepRequest())


async def fees(bench: Bench, ref: CaseRef) -> list[Any]:
    return list(
        await bench.pool.fetch("select * from entries where kind = 'late_fee' and loan_id = $1 order by 2", ref.loan_id)
    )


async def test_a_late_instalment_is_charged_once_and_its_case_is_told(bench: Bench) -> None:
    ref = await bench.case((3, "100"), (-27, "100"))
    for _ in range(2):
        await charge(bench)
    [fee] = await fees(bench, ref)
    assert (fee["entry_id"], fee["amount"], fee["instalment"], fee["source"]) == (
        f"policy/fee/{ref.loan_id}/1",
        Decimal("15.00"),
        1,
        "policy",
    )
    assert fee["value_date"] == bench.clock.at.date() - timedelta(days=2)
    told = await bench.pool.fetch("select message from outbox where loan_id = $1", ref.loan_id)
    assert [row["message"] for row in told] == ["ledger_changed"]
    assert await bench.violations() == []


async def test_nothing_is_charged_inside_a_hold_of_fees(bench: Bench) -> None:
    ref = await bench.case((3, "100"))
    since = bench.clock.at - timedelta(days=5)
    await bench.pool.execute(
        "insert into holds values ('H1', 'default', 'loan', $1, 'disaster', '{fees}', $2, null, null, 'operator')",
        ref.loan_id,
        since,
    )
    await charge(bench)
    assert await fees(bench, ref) == []
    await bench.pool.execute("update holds set released_at = $1", bench.clock.at)
    await charge(bench)
    assert await fees(bench, ref) == []  # for good


async def test_a_lender_in_shadow_charges_nothing(bench: Bench) -> None:
    ref = await bench.case((3, "100"))
    await bench.pool.execute("update lenders set mode = 'shadow'")
    await charge(bench)
    assert await fees(bench, ref) == []


async def test_days_in_shadow_are_not_charged_afterwards(bench: Bench) -> None:
    before, after = await bench.case((3, "100")), await bench.case((-1, "100"), (3, "1"))
    await bench.pool.execute("update lenders set mode = 'shadow'")
    await charge(bench, grace_days=1)
    async with bench.pool.acquire() as conn:
        await CONTACTS.set_mode(conn, mode="live", lenders=["default"], now=bench.clock.at)
    for _ in range(4):
        await Charging(bench.desk).charge_late_fees(SweepRequest())
        bench.clock.at += timedelta(days=1)
    assert await fees(bench, before) == []
    assert [fee["instalment"] for fee in await fees(bench, after)] == [1]


async def test_to_go_live_again_moves_no_first_day_and_makes_no_policy(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        for mode in ("live", "shadow"):
            await bench.pool.execute("update lenders set mode = $1", mode)
            await CONTACTS.set_mode(conn, mode="live", lenders=["default"], now=bench.clock.at)
            assert await late_fee_policy(conn, "default") is None
        await charge(bench)
        chosen = await late_fee_policy(conn, "default")
        await CONTACTS.set_mode(conn, mode="live", lenders=["default"], now=bench.clock.at)
        assert await late_fee_policy(conn, "default") == chosen


async def test_a_payment_that_was_in_time_after_all_lists_the_fee_for_remedy(bench: Bench) -> None:
    ref = await bench.case((3, "100"))
    await charge(bench)
    await bench.pay(ref, value_date=bench.clock.at.date() - timedelta(days=10))
    [task] = await bench.pool.fetch("select data from tasks where kind = 'remedy' and loan_id = $1", ref.loan_id)
    assert task["data"]["late_fees"] == [f"policy/fee/{ref.loan_id}/1"]


async def standing(bench: Bench) -> list[str]:
    """Late fees that nothing took back."""
    rows = await bench.pool.fetch(
        """select entry_id from entries e where kind = 'late_fee'
           and not exists (select from entries r where r.reverses = e.entry_id and r.amount = e.amount) order by 1"""
    )
    return [row["entry_id"] for row in rows]


async def theirs(bench: Bench, ref: CaseRef, days: int = 0, **more: Any) -> None:
    """The lender posts a late fee of its own."""
    on = bench.clock.at.date() - timedelta(days=days)
    fee = {
        "loan_id": ref.loan_id,
        "currency": "EUR",
        "kind": EntryKind.LATE_FEE,
        "amount": Decimal(20),
        "value_date": on,
    }
    await post_entry(bench.pool, NewEntry(**{"entry_id": "theirs", **fee, **more}), bench.clock)


@pytest.mark.parametrize(
    ("more", "stays"),
    [
        ({"instalment": 1}, False),
        ({"days": 1}, False),
        ({"instalment": 2}, True),
        ({"days": 3}, True),
        ({"days": 1, "status": EntryStatus.PENDING}, True),
        ({"days": 1, "kind": EntryKind.COST}, True),
    ],
)
async def test_the_lenders_own_fee_takes_the_place_of_ours(bench: Bench, more: dict[str, Any], stays: bool) -> None:
    ref = await bench.case((3, "100"), (-27, "100"))
    await charge(bench)
    await theirs(bench, ref, **more)
    ours = f"policy/fee/{ref.loan_id}/1"
    assert (ours in await standing(bench)) is stays
    assert await bench.violations() == []
    if more.get("status"):
        await theirs(bench, ref, **more | {"status": EntryStatus.SETTLED})
        assert await standing(bench) == ["theirs"]
    await charge(bench)
    assert len(await standing(bench)) == 1 + (stays and not more.get("status") and not more.get("kind"))


async def test_a_fee_of_an_older_release_gives_way_and_two_that_stand_are_found(bench: Bench) -> None:
    ref = await bench.case((3, "100"))
    await charge(bench)
    await bench.pool.execute("update entries set entry_id = $1", f"fee-{ref.loan_id}-1")
    await bench.pool.execute("update outbox set payload = jsonb_set(payload, '{entry_id}', $1)", f"fee-{ref.loan_id}-1")
    await theirs(bench, ref)
    assert await standing(bench) == ["theirs"]
    await bench.pool.execute("update entries set reverses = 'another' where kind = 'reversal'")
    assert await bench.violations() == [("entries", "two_late_fees")]


async def test_an_id_of_the_lenders_is_in_nobodys_way(bench: Bench) -> None:
    ref = await bench.case((3, "100"))
    await theirs(bench, ref, entry_id=f"fee-{ref.loan_id}-1", kind=EntryKind.COST)
    await charge(bench)
    assert len(await fees(bench, ref)) == 1


# --- reminders ---

AHEAD = Strategy(
    name="reminds",
    version=1,
    calendar="IT",
    stages=(
        Stage(name="reminder", from_dpd=-3, steps=(Step(id="remind-1", do="sms", template="upcoming"),)),
        Stage(name="sms", from_dpd=1, steps=(Step(id="sms-1", do="sms", template="gentle"),)),
    ),
)


@pytest.fixture
async def coming(bench: Bench) -> LoanKey:
    """A loan without a case, of which an instalment falls due in two days."""
    async with bench.pool.acquire() as conn:
        await publish(conn, AHEAD)
    key, _ = await add_loan(bench.pool, bench.clock.at.date(), (-2, "100"), strategy="reminds")
    return key


async def remind(bench: Bench) -> SweepResult:
    return await Reminding(bench.contact).remind(SweepRequest())


async def sent(bench: Bench, key: LoanKey) -> list[tuple[str, str, str]]:
    rows = await bench.pool.fetch("select step_id, purpose, state from contacts where loan_id = $1", key.loan_id)
    return [tuple(row) for row in rows]


async def test_one_reminder_of_each_instalment_and_no_case(bench: Bench, coming: LoanKey) -> None:
    async with bench.pool.acquire() as conn:
        assert await furthest(conn) == 3
    for _ in range(2):
        assert await remind(bench) == SweepResult(started=0)
    assert await sent(bench, coming) == [("remind-1/1", "reminder", "sent")]
    [text] = [m.body for m in bench.simulator.messages]
    assert "100,00" in text
    assert "4 marzo 2026" in text
    assert await bench.violations() == []
    async with bench.pool.acquire() as conn:
        shown = await case_view(conn, coming, bench.clock.at)
    assert shown["status"] == "current"
    assert shown["contacts"]["sms"] == 1


async def test_who_paid_early_is_not_reminded(bench: Bench, coming: LoanKey) -> None:
    await bench.pay(CaseRef(lender_id=coming.lender_id, loan_id=coming.loan_id))
    await remind(bench)
    assert await sent(bench, coming) == []


async def test_who_pays_while_a_reminder_waits_for_its_turn_is_not_reminded(bench: Bench, coming: LoanKey) -> None:
    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        await bench.pay(CaseRef(lender_id=coming.lender_id, loan_id=coming.loan_id))
        yield

    await Reminding(bench.contact, turn()).remind(SweepRequest())
    assert await sent(bench, coming) == []
    assert bench.texts() == []


@pytest.mark.parametrize("before", [True, False], ids=["before it asked", "after the carrier took it"])
async def test_a_reminder_whose_worker_died_is_looked_up_and_never_sent_again(
    bench: Bench, coming: LoanKey, before: bool
) -> None:
    dying = bench.with_carrier(DyingCarrier(bench.carrier, before))
    with pytest.raises(Died):
        await Reminding(dying.contact).remind_of(coming)
    assert [state for _, _, state in await sent(bench, coming)] == ["sending"]
    for _ in range(2):
        await remind(bench)
    assert [state for _, _, state in await sent(bench, coming)] == ["unknown" if before else "sent"]
    assert len(bench.texts()) == int(not before)
    assert await bench.violations() == []


async def test_two_who_remind_of_one_instalment_at_once_send_one_text(bench: Bench, coming: LoanKey) -> None:
    await asyncio.gather(*(Reminding(bench.contact).remind_of(coming) for _ in range(4)))
    assert len(bench.texts()) == 1
    assert await sent(bench, coming) == [("remind-1/1", "reminder", "sent")]


async def test_a_loan_that_was_reminded_keeps_to_the_strategy_it_was_reminded_by(bench: Bench) -> None:
    def reminds(version: int, **days: int) -> Strategy:
        ahead = [
            Stage(name=name, from_dpd=day, steps=(Step(id=name, do="sms", template="upcoming"),))
            for name, day in days.items()
        ]
        return AHEAD.model_copy(update={"version": version, "stages": (*ahead, AHEAD.stages[-1])})

    async with bench.pool.acquire() as conn:
        await publish(conn, reminds(1, early=-10, late=-3))
    key, _ = await add_loan(bench.pool, bench.clock.at.date(), (-9, "100"), strategy="reminds")
    await remind(bench)
    async with bench.pool.acquire() as conn:
        await publish(conn, reminds(2))  # reminds of nothing
        assert await furthest(conn) == 10
    bench.clock.at += timedelta(days=7)
    await remind(bench)
    assert [step for step, _, _ in await sent(bench, key)] == ["early/1", "late/1"]


async def test_who_pays_while_a_reminder_waits_for_the_morning_is_not_reminded(bench: Bench, coming: LoanKey) -> None:
    noon = bench.clock.at
    bench.clock.at = noon.replace(hour=2)
    await remind(bench)
    assert [state for _, _, state in await sent(bench, coming)] == ["reserved"]
    await bench.pay(CaseRef(lender_id=coming.lender_id, loan_id=coming.loan_id))
    bench.clock.at = noon
    await remind(bench)
    assert [state for _, _, state in await sent(bench, coming)] == ["cancelled"]
    assert bench.texts() == []


async def test_outside_the_hours_it_waits(bench: Bench, coming: LoanKey) -> None:
    noon = bench.clock.at
    bench.clock.at = noon.replace(hour=2)
    page = await remind(bench)
    assert bench.texts() == []
    assert page.again_at is not None
    assert bench.clock.at < page.again_at < noon
    bench.clock.at = page.again_at
    await remind(bench)
    assert len(bench.texts()) == 1
    assert await bench.violations() == []


async def test_who_asked_for_no_texts_or_is_held_is_not_reminded(bench: Bench, coming: LoanKey) -> None:
    await bench.pool.execute(
        "insert into suppressions values ('default', 'sms', '+12015550101', $1, 'STOP')", bench.clock.at
    )
    await remind(bench)
    assert bench.texts() == []
    assert [state for _, _, state in await sent(bench, coming)] == ["forbidden"]


async def test_in_shadow_it_is_only_written_down(bench: Bench, coming: LoanKey) -> None:
    await bench.pool.execute("update lenders set mode = 'shadow'")
    await remind(bench)
    assert bench.texts() == []
    assert [state for _, _, state in await sent(bench, coming)] == ["shadow"]


async def test_a_case_that_opens_afterwards_is_a_first_episode(bench: Bench, coming: LoanKey) -> None:
    from activities.case_in_hand import CASES

    await remind(bench)
    bench.clock.at += timedelta(days=4)
    async with bench.pool.acquire() as conn:
        named = {"lender_id": coming.lender_id, "loan_id": coming.loan_id, "workflow_id": coming.workflow_id}
        await CASES.open_case(conn, **named, strategy="reminds", strategy_version=1, now=bench.clock.at)
    ref = CaseRef(lender_id=coming.lender_id, loan_id=coming.loan_id)
    row = await bench.pool.fetchrow("select episode, relapse, open from cases where loan_id = $1", coming.loan_id)
    assert row is not None
    assert tuple(row) == (1, None, True)
    decided = (await bench.decide(ref)).decision
    assert decided.step_id == "sms-1"
    await remind(bench)
    assert len(bench.texts()) == 1
    assert await bench.violations() == []
