"""What the activities bring to the gate: each fact in the ledger reaches the verdict."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader

from activities.contracts import CaseRef, Result
from domain.decision import Action
from domain.loan import EntryStatus
from ledger.stops import press_stop, release_stop
from ledger.strategies import publish, shipped
from tests.activities.bench import Bench


async def sent(bench: Bench, case: CaseRef) -> tuple[str, list[str]]:
    """The state of the text that is due, and the rules that spoke about it."""
    await bench.carry_out(await bench.due(case))
    contact = (await bench.contacts(case))[-1]
    if contact["state"] == "reserved":
        rules = await bench.pool.fetchval(
            "select data -> 'rules' from case_events where loan_id = $1 and kind = 'deferred' order by id desc limit 1",
            case.loan_id,
        )
        return "deferred", rules
    return contact["state"], contact["permit"]["verdict"]["rules"]


async def point(bench: Bench, case: CaseRef, **changes: Any) -> None:
    for name, value in changes.items():
        await bench.pool.execute(
            f"""
            update contact_points set {name} = $1 where kind = 'mobile' and party_id = (
                select borrower_id from loans where loan_id = $2)
            """,
            value,
            case.loan_id,
        )


async def test_a_permit_names_rules_facts_and_rulebooks_and_keeps_their_content(bench: Bench) -> None:
    case = await bench.case()
    assert (await sent(bench, case))[0] == "sent"
    permit = (await bench.contacts(case))[0]["permit"]
    assert permit["engine"] == 1
    assert permit["request"] == {"channel": "sms", "purpose": "collect"}
    assert permit["facts"]["zones"] == ["Europe/Rome"]
    [kept] = await bench.pool.fetch(
        "select name, content from rulebooks where digest = $1", permit["rulebooks"]["house"]
    )
    assert kept["name"] == "house"
    assert "house.HOURS" in {rule["id"] for rule in kept["content"]["rules"]}


async def test_without_a_rulebook_for_the_place_nobody_is_contacted(bench: Bench) -> None:
    case = await bench.case()
    await bench.pool.execute("update lenders set packs = '{}'")
    assert await sent(bench, case) == ("forbidden", ["core.NO_JURISDICTION"])


async def test_the_packs_of_the_place_govern(bench: Bench) -> None:
    case = await bench.case(country="US")
    await bench.pool.execute("update loans set creditor_role = 'agency' where loan_id = $1", case.loan_id)
    await sent(bench, case)
    [contact] = await bench.contacts(case)
    record = contact["permit"] or await bench.pool.fetchval(
        "select data -> 'permit' from case_events where kind = 'deferred'"
    )
    assert {"us-reg-f", "us-tcpa", "house"} <= set(record["rulebooks"])


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+12015550101", ["America/New_York"]),
        ("+390655501", ["Europe/Rome"]),
    ],
)
async def test_a_number_tells_the_zone_where_the_tape_does_not(bench: Bench, number: str, zones: list[str]) -> None:
    case = await bench.case()
    await bench.pool.execute("update contact_points set timezone = null")
    await point(bench, case, value=number)
    await sent(bench, case)
    [contact] = await bench.contacts(case)
    record = contact["permit"] or await bench.pool.fetchval(
        "select data -> 'permit' from case_events where kind = 'deferred'"
    )
    assert record["facts"]["zones"] == zones


async def test_an_opted_out_number_is_left_alone(bench: Bench) -> None:
    case = await bench.case()
    await bench.pool.execute(
        "insert into suppressions values ('default', 'sms', '+12015550101', $1, 'asked')", bench.clock.at
    )
    assert await sent(bench, case) == ("forbidden", ["core.OPTED_OUT"])


async def test_a_held_number_is_passed_over_and_the_case_goes_on(bench: Bench) -> None:
    case = await bench.case()
    await bench.tell(
        case,
        "place_hold",
        reason="data_quality",
        subject="contact_point",
        subject_id="+12015550101",
        scopes=["contact"],
    )
    assert (await bench.decide(case)).decision.action is Action.SEND_SMS
    assert await sent(bench, case) == ("forbidden", ["core.NO_CONTACT_POINT"])


@pytest.mark.parametrize("reason", ["bereavement", "cease"])
async def test_a_hold_on_a_guarantor_keeps_their_number_quiet(bench: Bench, reason: str) -> None:
    base = next(s for s in shipped() if s.name == "standard")
    stages = tuple(
        stage.model_copy(update={"steps": tuple(s.model_copy(update={"to": "guarantor"}) for s in stage.steps)})
        for stage in base.stages
    )
    async with bench.pool.acquire() as conn:
        await publish(conn, base.model_copy(update={"name": "guarantors", "stages": stages}))
    case = await bench.case(strategy="guarantors")
    await bench.pool.execute("insert into parties (lender_id, party_id, name) values ('default', 'G-1', 'Gil')")
    await bench.pool.execute(
        "insert into loan_parties (lender_id, loan_id, party_id, role) values ('default', $1, 'G-1', 'guarantor')",
        case.loan_id,
    )
    await bench.pool.execute(
        """
        insert into contact_points (lender_id, party_id, kind, value, timezone)
        values ('default', 'G-1', 'mobile', '+12015550109', 'Europe/Rome')
        """
    )
    await bench.tell(case, "place_hold", reason=reason, subject="person", subject_id="G-1", scopes=["contact"])
    state, _ = await sent(bench, case)
    assert state in {"forbidden", "deferred"}
    assert bench.texts() == []
    assert await bench.violations() == []


async def test_who_is_to_be_left_alone_is_not_contacted_but_the_case_goes_on(bench: Bench) -> None:
    case = await bench.case((70, "100"), strategy=None)
    order = await bench.due(case)
    assert order.decision.action is Action.SEND_SMS
    await bench.tell(case, "place_hold", reason="cease")
    done: list[Action] = []
    for _ in range(12):
        order = await bench.due(case)
        done.append(order.decision.action)
        await bench.carry_out(order)
        if order.decision.action is Action.OPEN_PRE_LEGAL_REVIEW:
            break
    assert done[-1] is Action.OPEN_PRE_LEGAL_REVIEW
    assert bench.texts() == []
    assert await bench.pool.fetchval("select count(*) from tasks where kind in ('call', 'visit')") == 0


async def test_a_pending_payment_keeps_everybody_quiet_for_five_working_days(bench: Bench) -> None:
    case = await bench.case()
    await bench.pay(case, "100", status=EntryStatus.PENDING)
    state, rules = await sent(bench, case)
    assert (state, rules) == ("deferred", ["house.IN_FLIGHT"])
    until = (await bench.decide(case)).decision
    assert until.action is Action.SEND_SMS


async def test_a_stale_feed_stops_collecting_and_a_new_one_lets_it_go_on(bench: Bench) -> None:
    case = await bench.case()
    await bench.pool.execute("update lenders set feed_hours = 24")
    await bench.pool.execute("insert into feeds values ('default', $1)", bench.clock.at - timedelta(hours=25))
    assert await sent(bench, case) == ("deferred", ["house.FRESH"])
    await bench.pool.execute("update feeds set fed_at = $1", bench.clock.at)
    assert (await sent(bench, case))[0] == "sent"


async def test_who_promised_one_loan_is_not_called_about_another(bench: Bench) -> None:
    severe = await bench.case((12, "100"), borrower="P-two")
    other = await bench.case((11, "100"), borrower="P-two")
    await bench.tell(
        other, "promise_to_pay", amount="100", due_on=(bench.clock.at.date() + timedelta(days=3)).isoformat()
    )
    order = await bench.due(severe)
    assert order.decision.action is Action.OPEN_CALL_TASK
    result = await bench.carry_out(order)
    assert "core.HELD" in result.done
    assert result.decision.at is not None
    assert result.decision.at.date() == date(2026, 3, 7)  # promised for the 5th, a day of grace
    assert await bench.pool.fetchval("select count(*) from tasks") == 0


async def test_a_call_task_on_somebodys_list_counts_as_a_call(bench: Bench) -> None:
    severe = await bench.case((12, "100"), borrower="P-two")
    await bench.carry_out(await bench.due(severe))
    other = await bench.case((30, "100"), borrower="P-two")  # now the severest
    order = await bench.due(other)
    result = await bench.carry_out(order)
    assert "house.CALLS_DAY" in result.done


async def test_events_move_the_day_on_which_a_debt_is_time_barred(bench: Bench) -> None:
    case = await bench.case((70, "100"))
    await bench.pool.execute("update loans set limitation_on = null where loan_id = $1", case.loan_id)
    await bench.pool.execute(
        "insert into limitation_events (lender_id, loan_id, event_id, kind, happened_on, years) values ('default', $1, 'e1', 'start', $2, 3)",
        case.loan_id,
        date(2025, 12, 22),
    )
    assert (await to_the_filing(bench, case)).done == "file_suit task handed out"


async def test_a_filing_needs_a_known_limitation(bench: Bench) -> None:
    case = await bench.case((70, "100"))
    await bench.pool.execute("update loans set limitation_on = null where loan_id = $1", case.loan_id)
    result = await to_the_filing(bench, case)
    assert result.done == "filing forbidden: house.LIMITATION"
    letter = await bench.pool.fetchval("select pdf from letters")
    assert "legal" not in _text(letter)


async def test_a_letter_speaks_of_a_court_only_where_one_may_still_be_asked(bench: Bench) -> None:
    case = await bench.case((70, "100"), language="en")
    assert (await to_the_filing(bench, case)).done == "file_suit task handed out"
    assert "legal steps" in _text(await bench.pool.fetchval("select pdf from letters"))


def _text(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(pdf)).pages)


async def to_the_filing(bench: Bench, case: CaseRef) -> Result:
    """Everything before the filing done at its time, by people who say nothing and reviewers who agree."""
    for _ in range(40):
        order = await bench.due(case)
        result = await bench.carry_out(order)
        if order.decision.action is Action.OPEN_FILING_TASK:
            return result
        for task in await bench.pool.fetch(
            "select task_id, kind, status from tasks where status in ('open', 'answered')"
        ):
            if task["kind"] == "pre_legal_review":
                await bench.tell(case, "record_outcome", task_id=task["task_id"], code="APPROVED", by="a")
                await bench.tell(case, "approve", task_id=task["task_id"], by="b")
            elif task["kind"] in {"call", "visit"}:
                code = "RPC_REFUSED" if task["kind"] == "call" else "MET_BORROWER"
                await bench.tell(case, "record_outcome", task_id=task["task_id"], code=code, by="a")
    raise AssertionError("the case never came to a filing")


async def test_the_stop_button_holds_the_next_contact_and_its_release_wakes_the_case(bench: Bench) -> None:
    case = await bench.case()
    everything = {"lender_id": "*", "channel": "sms", "strategy": "*"}
    async with bench.pool.acquire() as conn:
        await press_stop(conn, **everything, reason="a test")
    assert await sent(bench, case) == ("deferred", ["core.STOPPED"])
    async with bench.pool.acquire() as conn:
        assert await release_stop(conn, **everything) == 1
    assert (await sent(bench, case))[0] == "sent"
    [pressed] = await bench.pool.fetch("select commit_order, released_order from stops")
    assert pressed["commit_order"] < pressed["released_order"] < (await bench.contacts(case))[0]["commit_order"]


async def ask(bench: Bench, case: CaseRef, kind: str) -> None:
    await bench.pool.execute(
        "insert into requests (request_id, lender_id, loan_id, kind, channel, asked_at) values ($1, 'default', $2, $3, 'sms', $4)",
        uuid4().hex,
        case.loan_id,
        kind,
        bench.clock.at,
    )


@pytest.mark.parametrize(("kind", "task"), [("wrong_person", "answer"), ("callback", "callback")])
async def test_what_somebody_asked_for_becomes_one_task(bench: Bench, kind: str, task: str) -> None:
    case = await bench.case()
    await ask(bench, case, kind)
    await bench.carry_out(await bench.due(case))
    assert [t["kind"] for t in await bench.pool.fetch("select kind from tasks")] == [task]
    after = (await bench.decide(case)).decision
    assert after.action in {Action.SEND_SMS, Action.MISS_DEADLINE}
    if kind == "callback":
        task_id = await bench.pool.fetchval("select task_id from tasks")
        await bench.tell(case, "record_outcome", task_id=task_id, code="RPC_REFUSED", by="c1", data={"minutes": "4.5"})
        [made] = await bench.contacts(case)
        assert (made["purpose"], made["conversation"], str(made["minutes"])) == ("reply", True, "4.5")
