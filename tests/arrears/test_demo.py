from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from arrears.demo import people, run_demo, view
from arrears.demo.feed import arrives_at
from arrears.demo.people import HABITS, answers_at
from arrears.demo.story import (
    AGREED_ON,
    BUSINESS,
    END,
    FINDING,
    FINES,
    SCRIPTED,
    SHOP,
    START,
    STRATEGY,
    Tape,
    entries,
    instalment,
    payments,
    plan_days,
    script,
)
from domain.errors import BadInput
from domain.loan import Entry, EntryKind, Instalment
from domain.outcomes import codes_of
from domain.position import Position, position
from domain.strategy import Stage, Strategy
from ledger.new_entry import NewEntry
from ledger.strategies import shipped


def the_strategy() -> Strategy:
    return next(s for s in shipped() if s.name == STRATEGY)


def stage(name: str) -> Stage:
    return next(s for s in the_strategy().stages if s.name == name)


def schedule(tape: Tape, loan_id: str) -> list[Instalment]:
    return [
        Instalment(
            int(r["number"]),
            date.fromisoformat(r["due_on"]),
            *(Decimal(r[part]) for part in ("principal", "interest", "fee")),
        )
        for r in tape.rows("instalments.csv")
        if r["loan_id"] == loan_id
    ]


def on_file(loan_id: str) -> list[Entry]:
    read = [NewEntry.read(r) for r in entries() if r["loan_id"] == loan_id]
    return [Entry(e.entry_id, e.kind, e.amount, e.value_date) for e in read]


def at_the_end(loan_id: str) -> Position:
    tape = SHOP if loan_id in BUSINESS else FINES
    return position(schedule(tape, loan_id), on_file(loan_id), END)


def fines() -> list[str]:
    return [r["loan_id"] for r in FINES.rows("loans.csv")]


@pytest.mark.parametrize("tape", [FINES, SHOP], ids=lambda t: t.name)
def test_tapes_hang_together(tape: Tape) -> None:
    loans = tape.rows("loans.csv")
    ids = {r["loan_id"] for r in loans}
    assert len(ids) == len(loans)
    assert {r["loan_id"] for r in tape.rows("instalments.csv")} == ids
    assert {r["loan_id"] for r in tape.rows("entries.csv")} <= ids
    assert all(r["phone"][-7:-2] == "55501" for r in loans)


def test_every_entry_can_be_posted() -> None:
    read = [NewEntry.read(row) for row in entries()]
    assert len({e.entry_id for e in read}) == len(read) == 77 + 3


def test_the_fines_are_a_good_mix() -> None:
    due = {loan: schedule(FINES, loan)[0].due_on for loan in fines()}
    assert all(START + timedelta(days=2) < day < START + timedelta(days=20) for day in due.values())
    days_late = [
        min((day - due[loan]).days for day, _ in payments(loan) if day < END)
        for loan in fines()
        if payments(loan) and payments(loan)[0][0] < END
    ]
    first_text = 1 + the_strategy().stages[0].steps[0].day
    assert sum(late < first_text for late in days_late) >= 4
    assert sum(late > first_text for late in days_late) >= 4
    ends = {loan: at_the_end(loan) for loan in fines()}
    assert sum(e.cured and e.fee_arrears > 0 for e in ends.values()) >= 5
    assert sum(e.cured and e.arrears == 0 for e in ends.values()) >= 1
    assert sum(not e.cured for e in ends.values()) >= 30


def test_one_debtor_pays_while_the_letter_is_out() -> None:
    legal = stage("legal")
    wait = next(s.then_wait for s in legal.steps if s.then_wait)
    due = schedule(FINES, "F-A10964")[0].due_on
    paid = payments("F-A10964")[0][0]
    assert legal.from_dpd + 7 < (paid - due).days < legal.from_dpd + wait.count
    assert people.review("F-A10964", 1, paid).code == "APPROVED"


def test_the_plan_repays_the_shop_and_fits_its_cash_flow() -> None:
    week = sum((d.amount for d in plan_days() if d.due_on == plan_days()[0].due_on), Decimal(0))
    assert week <= Decimal(FINDING["weekly_takings"]) - Decimal(FINDING["weekly_costs"])
    for loan_id in BUSINESS:
        mine = [d for d in plan_days() if d.loan_id == loan_id]
        owed = at_the_end(loan_id)
        assert sum(d.amount for d in mine) == owed.outstanding - owed.fee_arrears
        assert all(later.due_on - earlier.due_on == timedelta(weeks=1) for earlier, later in pairwise(mine))
    policy = the_strategy().plan
    assert plan_days()[0].due_on > AGREED_ON
    assert (plan_days()[-1].due_on - AGREED_ON).days <= policy.approval_over_days
    assert plan_days()[-1].due_on + timedelta(days=1 + the_strategy().probation.days) < END


def test_the_shop_has_a_guarantor_on_both_loans() -> None:
    guarantors = [r for r in SHOP.rows("parties.csv") if r["role"] == "guarantor"]
    assert {r["loan_id"] for r in guarantors} == set(BUSINESS)
    assert all(r["value"][-7:-2] == "55501" for r in SHOP.rows("contacts.csv") if r["kind"] == "mobile")


def test_entries_arrive_on_their_own_day_charges_first() -> None:
    for row in entries():
        assert arrives_at(row).date().isoformat() == row["value_date"]
    days = [r for r in entries() if r["value_date"] == "2007-10-18"]
    latest_charge = max(arrives_at(r) for r in days if r["kind"] != "payment")
    assert all(arrives_at(r) > latest_charge for r in days if r["kind"] == "payment")


@pytest.mark.parametrize("kind", sorted(HABITS))
def test_people_know_only_the_codes_of_their_tasks(kind: str) -> None:
    said = Counter(
        HABITS[kind].says(loan, ordinal, date(2007, 11, 1)).code for loan in [*fines(), *BUSINESS] for ordinal in (1, 2)
    )
    assert set(said) <= set(codes_of(kind))


def test_every_kind_of_task_has_somebody() -> None:
    kinds = {
        s.do.removeprefix("task.") for stage in the_strategy().stages for s in stage.steps if s.do.startswith("task.")
    }
    assert kinds | {"withdraw_letter", "manual_review"} <= set(HABITS)


def test_promises_are_within_the_limits() -> None:
    policy = the_strategy().promise
    for loan in fines():
        for today in (START + timedelta(days=n) for n in range(10, 60)):
            said = people.call(loan, 1, today)
            if said.code == "RPC_PTP":
                assert 0 <= (date.fromisoformat(said.data["due_on"]) - today).days <= policy.max_days
                assert Decimal(said.data["amount"]) <= instalment(loan)


def test_people_come_at_working_hours_before_the_deadline() -> None:
    for hour in range(24):
        opened = arrives_at(entries()[0]).replace(hour=hour)
        task = {
            "kind": "call",
            "loan_id": "F-A10384",
            "task_id": "F-A10384.1.call-1.1",
            "opened_at": opened,
            "status": "open",
        }
        at = answers_at(task)
        assert 9 <= at.hour < 18
        assert timedelta(hours=2) <= at - opened < timedelta(days=3)


def test_scripted_telephones_are_of_debtors_who_never_pay() -> None:
    assert set(SCRIPTED) <= set(fines())
    assert not any(payments(loan) for loan in SCRIPTED)
    assert len(script().borrowers) == len(SCRIPTED)


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("payment_received", {"body": {"amount": "49.00", "currency": "EUR"}}, "49.00 EUR came in"),
        (
            "payment_received",
            {"body": {"entries": [{"amount": "1.00", "currency": "EUR"}, {"amount": "2.00", "currency": "EUR"}]}},
            "1.00 EUR came in, 2.00 EUR came in",
        ),
        (
            "record_outcome",
            {"body": {"task_id": "X.1.visit-1.1", "code": "MET_BORROWER", "data": FINDING}},
            "visit: met borrower, weak cash flow",
        ),
        ("record_outcome", {"refused": "no"}, "refused: no"),
        ("deferred", {}, ""),
    ],
)
def test_events_are_told_in_words(kind: str, data: dict[str, object], words: str) -> None:
    assert view.told(kind, data) == words


async def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(BadInput, match="not empty"):
        await run_demo(keep=False, day_seconds=2, directory=tmp_path)


async def test_a_day_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="2 seconds or more"):
        await run_demo(keep=False, day_seconds=0.5, directory=tmp_path)


def test_kinds_of_entries_are_only_those_that_the_source_has() -> None:
    assert {e.kind for loan in fines() for e in on_file(loan)} == {EntryKind.LATE_FEE, EntryKind.PAYMENT}
