"""What a stranger who knows only the contracts (design.md 9) does with a stack."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.stack.machine import Json, Stack, until

TAPE = Path(__file__).parent / "tape"
CASE: Json = {
    "lender_id": str,
    "loan_id": str,
    "status": str,
    "stage": str,
    "currency": str,
    "arrears": str,
    "outstanding": str,
    "overpaid": str,
    "days_past_due": int,
    "collection_days": int,
    "oldest_due_on": str,
    "holds": list,
    "promise": type(None),
    "plan": type(None),
    "contacts": dict,
    "next_step": dict,
    "workflow_id": str,
}


def test_the_addresses_answer(stack: Stack) -> None:
    """All that `up` prints can be used."""
    assert set(stack.addresses) == {"temporal", "ui", "database_url", "api", "simulator"}
    assert stack.get("/healthz").status_code == 200
    ready = stack.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True), ready.text
    paths = stack.get("/openapi.json").json()["paths"]
    assert {"/v1/entries", "/v1/entries/batch", "/v1/cases/{loan_id}", "/twilio/sms", "/healthz"} <= set(paths)


def test_a_tape_becomes_cases_that_write_by_themselves(stack: Stack) -> None:
    """Good rows become cases, bad ones a file; the texts go out in the hours that the house allows."""
    rejects = stack.folder / "rejects.csv"
    files = [x for kind in ("loans", "instalments", "entries") for x in (f"--{kind}", TAPE / f"{kind}.csv")]
    taken = stack.ask("intake", *files, "--strategy", "quick", "--rejects", rejects)
    assert (taken["loans"]["new"], taken["loans"]["rejected"]) == (4, 1)
    assert (taken["instalments"]["new"], taken["entries"]["new"], taken["entries"]["rejected"]) == (5, 1, 2)
    refused = rejects.read_text().splitlines()[1:]
    assert [line.split(",")[:2] for line in refused] == [["loans.csv", "5"], ["entries.csv", "3"], ["entries.csv", "4"]]

    until(lambda: stack.texts("+12015550111"), "the first text of T1")
    case: Json = until(lambda: (c := stack.case("T1"))["contacts"]["sms"] and c, "the contact of T1")
    shown = stack.ask("case", "T1")
    assert {name: type(value) for name, value in shown.items()} == CASE
    assert set(case) == set(shown)
    assert (shown["arrears"], shown["outstanding"], shown["overpaid"]) == ("100.00", "200.00", "0.00")
    assert (shown["status"], shown["currency"]) == ("delinquent", "EUR")
    assert shown["stage"] in {"sms", "call"}  # of two days, which are four seconds, one may be over
    assert date.fromisoformat(shown["oldest_due_on"]) == date(2007, 3, 30)
    assert set(shown["contacts"]) == {"sms", "call", "visit", "letter"}
    assert set(shown["next_step"]) == {"what", "at", "why"}
    assert datetime.fromisoformat(shown["next_step"]["at"]).tzinfo
    assert stack.ask("case", "default/T1", "--as-of", "2007-03-30")["days_past_due"] == 0

    sent = [c for c in stack.ask("why", "T1")["contacts"] if c["state"] == "sent"]
    assert all(8 <= datetime.fromisoformat(c["sending_at"]).astimezone(ZoneInfo("Europe/Rome")).hour < 21 for c in sent)
    assert "Rif " in stack.texts("+12015550111")[0]
    assert (stack.case("T2")["status"], stack.case("T2")["workflow_id"]) == ("settled", None)
    assert (stack.case("T3")["status"], stack.case("T3")["days_past_due"]) == ("current", 0)


def test_a_payment_withdraws_the_call(stack: Stack) -> None:
    """A payment while a call is on somebody's list: the call is taken off it, and nobody is asked for money again."""
    number = "+12015550121"
    loan = stack.loan(number, past=6)
    task = stack.open_task(loan)
    before = stack.case(loan)["contacts"]
    today = stack.today()
    assert stack.pay(loan, "100.00", "pay-1", today) == 201
    assert stack.pay(loan, "100.00", "pay-1", today) == 200
    assert stack.pay(loan, "99.00", "pay-1", today) == 409

    until(lambda: stack.case(loan)["status"] == "probation", "the probation")
    withdrawn = next(t for t in stack.ask("tasks", "--all") if t["task_id"] == task)
    assert withdrawn["status"] == "withdrawn"
    assert stack.ask("outcome", task, "NO_ANSWER", code=2)["accepted"] is False
    until(lambda: "payment_received" in stack.journal(loan), "the signal in the journal")
    assert "payment_received" in stack.signals(loan)

    until(lambda: len(stack.texts(number)) > before["sms"], "the thanks")
    told = stack.ask("why", loan)["contacts"]
    assert [c["purpose"] for c in told] == ["collect"] * before["sms"] + ["service"]
    assert stack.ask("verify")["ok"] is True


def test_people_tell_a_case(stack: Stack) -> None:
    """Promises, holds and outcomes are taken or refused, and a refusal changes nothing."""
    loan = stack.loan("+12015550122", past=6)
    until(lambda: stack.case(loan)["workflow_id"], "the case")
    assert stack.tell(loan, "place_hold", reason="dispute")["next_step"]
    held = stack.case(loan)
    assert [h["reason"] for h in held["holds"]] == ["dispute"]
    assert set(held["holds"][0]) == {"id", "reason", "scopes", "from", "until"}
    stack.tell(loan, "release_hold", id=held["holds"][0]["id"])
    assert stack.case(loan)["holds"] == []
    assert "astrology" in stack.tell(loan, "place_hold", code=2, reason="astrology")["reason"]

    today = stack.today()
    assert stack.tell(loan, "promise_to_pay", code=2, amount="500.00", due_on=date(2030, 1, 1))["reason"]
    assert stack.case(loan)["promise"] is None
    stack.tell(loan, "promise_to_pay", amount="60.00", due_on=today + timedelta(days=9))
    assert stack.case(loan)["promise"]["amount"] == "60.00"
    assert stack.case(loan)["promise"]["status"] == "active"

    second = stack.loan("+12015550123", past=6)
    call = stack.open_task(second)
    assert stack.ask("outcome", call, "SUNSHINE", code=2)["accepted"] is False
    answer = stack.ask("outcome", call, "NO_ANSWER", "--data", json.dumps({"by": "collector-7"}))
    assert answer["accepted"] is True
    assert stack.case(second)["contacts"]["call"] == 1


def test_what_is_unknown_is_refused(stack: Stack) -> None:
    assert "no-such-loan" in stack.refusal("case", "no-such-loan")
    assert "no-such-task" in stack.refusal("outcome", "no-such-task", "NO_ANSWER")
    loan = stack.loan("+12015550124", past=0)
    assert "no/such.csv" in stack.refusal("entries", "--file", "no/such.csv")
    assert "sing" in stack.refusal("send", loan, "sing", "{}")
    assert "JSON" in stack.refusal("send", loan, "poke", "{nonsense")
    assert "amount" in stack.refusal("send", loan, "promise_to_pay", "{}")
    assert "no-such-contact" in stack.refusal("why", loan, "no-such-contact")
    assert "--as-of" in stack.refusal("case", loan, "--as-of", "yesterday")


def test_who_says_stop_gets_no_more_texts(stack: Stack) -> None:
    """STOP counts before the carrier has its answer, and the case goes on by other ways."""
    number = "+12015550125"
    loan = stack.loan(number, past=3)
    until(lambda: stack.texts(number), "the first text")
    stack.reply(number, "STOP")
    until(lambda: "reply_received" in stack.journal(loan), "the reply in the journal")
    assert stack.open_task(loan)
    assert len(stack.texts(number)) == 1
    states = [(c["channel"], c["state"]) for c in stack.ask("why", loan)["contacts"] if c["channel"] == "sms"]
    assert states == [("sms", "sent"), ("sms", "forbidden")]
