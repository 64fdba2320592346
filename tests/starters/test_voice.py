"""The carrier's requests about automated calls: each answer is a fact before the carrier hears what to say next."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from fastapi import FastAPI

from channels.voice_words import read_call_back
from domain.loan import EntryKind, LoanKey
from ledger.locks import lock_loan
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.strategies import publish_shipped, strategy_for
from starters.problems import add_problems
from starters.voice import voice_routes
from tests.case import poll
from tests.ledger.samples import NOON, Pool, Standing
from tests.scenario import add_loan
from tests.starters.far_side import PUBLIC, TOKEN, Carrier, says_problem

NUMBER = "+12015550142"
ATTEMPT = "c-1"
SID = "CA1"
CALL_BACK = read_call_back("Zed and Sons", "Kim Hill", "+12015550100")
FACT = "34"  # of 80134


class Phone:
    """One call, as the carrier tells of it."""

    def __init__(self, carrier: Carrier, attempt: str = ATTEMPT, sid: str = SID) -> None:
        self.carrier = carrier
        self.attempt = attempt
        self.sid = sid
        self.url = f"/twilio/voice?attempt={attempt}"

    async def tell(self, url: str | None = None, **form: str) -> httpx.Response:
        return await self.carrier.post(url or self.url, {"CallSid": self.sid, "CallStatus": "in-progress", **form})

    async def says(self, **form: str) -> str:
        """Post, remember where the answer goes, and return what is said."""
        answer = await self.tell(**form)
        assert answer.status_code == 200
        document = ElementTree.fromstring(answer.text)
        gather = document.find("Gather")
        if gather is not None:
            action = gather.attrib["action"]
            assert action.startswith(PUBLIC)
            self.url = action.removeprefix(PUBLIC)
        return " ".join(say.text or "" for say in document.iter("Say"))

    async def press(self, *keys: str) -> str:
        """The call is answered and these keys are pressed; what is said last."""
        said = await self.says(AnsweredBy="human")
        for each in keys:
            said = await self.says(Digits=each)
        return said

    async def ends(self, status: str = "completed", **form: str) -> httpx.Response:
        return await self.carrier.post(
            f"/twilio/voice/status?attempt={self.attempt}", {"CallSid": self.sid, "CallStatus": status, **form}
        )


@pytest.fixture
def app(pool: Pool) -> FastAPI:
    app = FastAPI()
    add_problems(app)
    app.include_router(voice_routes(pool, Standing(), TOKEN, PUBLIC + "/", CALL_BACK))
    return app


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client


@pytest.fixture
async def loan(pool: Pool) -> LoanKey:
    """A loan of 100 EUR, ten days past due, whose borrower speaks English and is being called."""
    async with pool.acquire() as conn:
        await publish_shipped(conn)
        await conn.execute("update lenders set name = 'Zenith Lending', mode = 'live'")
    key, party = await add_loan(pool, NOON.date(), (10, "100"), phone=NUMBER, language="en")
    await pool.execute("update contact_points set postcode = '80134' where kind = 'address'")
    async with pool.acquire() as conn:
        name, version = await strategy_for(conn, key)
        await queries("cases").open_case(
            conn,
            lender_id=key.lender_id,
            loan_id=key.loan_id,
            workflow_id=key.workflow_id,
            strategy=name,
            strategy_version=version,
            now=NOON,
        )
    await pool.execute(
        """
        insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, contact_value,
                              state, reserved_at, sending_at, sending_real)
        values ($1, $2, $3, 1, 'voice-1', 1, 'voice', 'collect', $4, $5, 'sending', $6, $6, now())
        """,
        ATTEMPT,
        *key,
        party,
        NUMBER,
        NOON,
    )
    return key


@pytest.fixture
def phone(http: httpx.AsyncClient, loan: LoanKey) -> Phone:
    return Phone(Carrier(http))


async def contact(pool: Pool) -> dict[str, Any]:
    return dict(await pool.fetchrow("select * from contacts where contact_id = $1", ATTEMPT) or {})


async def flags(pool: Pool) -> tuple[bool, ...]:
    row = await contact(pool)
    return tuple(row[name] for name in ("connected", "effective", "conversation"))


async def told(pool: Pool) -> list[tuple[str, dict[str, Any]]]:
    rows = await pool.fetch("select message, payload from outbox where message <> 'payment_received' order by id")
    return [(r["message"], r["payload"]) for r in rows]


async def step(pool: Pool) -> str | None:
    state: str | None = await pool.fetchval("select state from steps where step_id = 'voice-1'")
    return state


async def pay(pool: Pool, loan: LoanKey, amount: str = "100") -> None:
    entry = NewEntry(
        entry_id="E-1",
        loan_id=loan.loan_id,
        kind=EntryKind.PAYMENT,
        amount=Decimal(amount),
        currency="EUR",
        value_date=NOON.date(),
    )
    await post_entry(pool, entry, Standing())


# --- the way to a promise ---


async def test_a_promise_is_told_to_the_case_in_figures_alone(pool: Pool, phone: Phone) -> None:
    assert "Annunziata Esposito" in await phone.press()
    assert "last two figures" in await phone.says(Digits="1")
    owed = await phone.says(Digits=FACT)
    assert "Zenith Lending" in owed
    assert "€100.00 has been due since February 28, 2026" in owed
    assert "from 1 to 14" in await phone.says(Digits="2")
    assert "March 15, 2026" in await phone.says(Digits="5")
    row = await contact(pool)
    assert (row["outcome"], row["carrier_id"], row["state"]) == ("RPC_PTP", SID, "sending")
    assert await flags(pool) == (True, True, True)
    assert await step(pool) == "done"
    promise = {
        "about": "promise",
        "amount": "100.00",
        "due_on": "2026-03-15",
        "contact_id": ATTEMPT,
        "outcome": "RPC_PTP",
        "message_id": f"{ATTEMPT}-promise",
    }
    assert await told(pool) == [("reply_received", promise)]


async def test_the_whole_talk_is_on_record_beside_the_contact(pool: Pool, phone: Phone) -> None:
    await phone.press("1", FACT, "5")
    body = (await contact(pool))["body"].split("\n")
    assert [line[:24] for line in body] == [
        "Hello. This is an automa",
        "Thank you. So that we kn",
        "Thank you. We are callin",
        "Thank you. We will look ",
    ]
    state = await pool.fetchval("select state::text from voice_calls")
    assert "Esposito" not in state
    assert FACT not in state
    assert await pool.fetchval("select count(*) from case_events where kind = 'call_ended'") == 1


# --- what keys bring about ---


@pytest.mark.parametrize(
    ("keys", "outcome", "kind", "reason", "about", "state"),
    [
        (("1", FACT, "3"), "RPC_CALLBACK", "callback", None, "callback", "attempted"),
        (("1", FACT, "4"), "RPC_ALREADY_PAID", "already_paid", "payment_in_flight", "already_paid", "done"),
        (("1", FACT, "5"), "RPC_DISPUTE", "dispute", "dispute", "dispute", "done"),
        (("3",), "WRONG_NUMBER", "wrong_person", None, "wrong_person", "impossible"),
        (("2",), "THIRD_PARTY", None, None, "call_ended", "attempted"),
    ],
)
async def test_an_answer_becomes_facts(
    pool: Pool,
    phone: Phone,
    keys: tuple[str, ...],
    outcome: str,
    kind: str | None,
    reason: str | None,
    about: str,
    state: str,
) -> None:
    await phone.press(*keys)
    assert (await contact(pool))["outcome"] == outcome
    requests = await pool.fetch("select kind, channel, taken_at from requests")
    assert [tuple(r) for r in requests] == ([(kind, "voice", None)] if kind else [])
    holds = await pool.fetch("select reason, subject_kind, until_at, source from holds")
    until = NOON + timedelta(days=7) if reason == "payment_in_flight" else None  # five working days
    assert [tuple(h) for h in holds] == ([(reason, "loan", until, "voice")] if reason else [])
    assert [(m, p["about"]) for m, p in await told(pool)] == [("reply_received", about)]
    assert await step(pool) == state
    assert await pool.fetchval("select status from contact_points where kind = 'mobile'") == (
        "wrong" if kind == "wrong_person" else "active"
    )


@pytest.mark.parametrize("keys", [("9",), ("1", FACT, "9")])
async def test_an_opt_out_holds_before_the_answer_is_out(pool: Pool, phone: Phone, keys: tuple[str, ...]) -> None:
    await pool.execute("insert into lenders (lender_id, name) values ('second', 'another lender')")
    await phone.press(*keys)
    rows = await pool.fetch("select lender_id, channel, value from suppressions order by 1")
    assert [tuple(r) for r in rows] == [("default", "voice", NUMBER), ("second", "voice", NUMBER)]
    assert [p["about"] for _, p in await told(pool)] == ["opted_out"]


async def test_an_opt_out_waits_for_a_contact_with_anybody_who_has_the_number(pool: Pool, phone: Phone) -> None:
    sister, _ = await add_loan(pool, NOON.date(), phone=NUMBER)
    await phone.press()
    async with pool.acquire() as gate:
        async with gate.transaction():
            await lock_loan(gate, sister)
            answer = asyncio.create_task(phone.says(Digits="9"))

            async def waits() -> bool:
                return answer.done() or bool(await pool.fetchval("select count(*) from pg_locks where not granted"))

            await poll(waits, "the opt-out to wait")
            assert not answer.done()
            assert await pool.fetchval("select count(*) from suppressions") == 0
        assert "no more automated calls" in await answer
    assert await pool.fetchval("select count(*) from suppressions") == 1


# --- who is not, or not yet, the right person ---


async def test_without_a_fact_to_ask_for_the_person_is_only_asked_to_call_back(pool: Pool, phone: Phone) -> None:
    await pool.execute("update contact_points set postcode = null")
    said = await phone.press("1")
    assert "Kim Hill" in said
    assert "Zenith" not in said
    assert (await contact(pool))["outcome"] == "RPC_CALLBACK"
    assert await flags(pool) == (True, True, False)
    assert await pool.fetchval("select count(*) from requests") == 0


async def test_three_wrong_facts_end_the_call(pool: Pool, phone: Phone) -> None:
    said = await phone.press("1", "00", "01", "02")
    assert "€" not in said
    assert (await contact(pool))["outcome"] == "THIRD_PARTY"
    assert await phone.says(Digits=FACT) == said  # too late
    assert await flags(pool) == (True, True, False)


async def test_a_machine_gets_the_limited_content_and_a_fax_nothing(pool: Pool, phone: Phone) -> None:
    said = await phone.says(AnsweredBy="machine_end_beep")
    assert "Zed and Sons. It is 1:00\u202fPM" in said  # in Rome
    assert "Esposito" not in said
    assert (await contact(pool))["outcome"] == "VOICEMAIL_LEFT"
    assert await flags(pool) == (False, False, False)
    assert await step(pool) == "attempted"


async def test_a_fax_is_hung_up(pool: Pool, phone: Phone) -> None:
    assert await phone.says(AnsweredBy="fax") == ""
    assert (await contact(pool))["outcome"] == "VOICEMAIL_NONE"


# --- the debt as it stands at that very turn ---


async def test_who_has_paid_while_talking_is_thanked_and_asked_for_nothing(
    pool: Pool, phone: Phone, loan: LoanKey
) -> None:
    await phone.press("1")
    await pay(pool, loan)
    said = await phone.says(Digits=FACT)
    assert said == "Thank you. There is nothing for you to pay now. Goodbye."
    row = await contact(pool)
    assert (row["outcome"], row["conversation"]) == ("RPC_ALREADY_PAID", False)
    assert await pool.fetchval("select count(*) from holds") == 0


async def test_who_has_paid_before_answering_hears_that_there_is_nothing_to_do(
    pool: Pool, phone: Phone, loan: LoanKey
) -> None:
    await pay(pool, loan)
    assert "nothing you need to do" in await phone.press()


async def test_a_part_payment_is_taken_off_when_the_amount_is_heard_again(
    pool: Pool, phone: Phone, loan: LoanKey
) -> None:
    assert "€100.00" in await phone.press("1", FACT)
    await pay(pool, loan, "30")
    assert "€70.00" in await phone.says(Digits="1")


async def test_a_hold_that_came_meanwhile_stops_the_asking(pool: Pool, phone: Phone, loan: LoanKey) -> None:
    await phone.press("1", FACT)
    await pool.execute(
        """
        insert into holds (hold_id, lender_id, subject_kind, subject_id, reason, scopes, from_at, source)
        values ('h', 'default', 'loan', $1, 'complaint', '{contact}', $2, 'desk')
        """,
        loan.loan_id,
        NOON,
    )
    said = await phone.says(Digits="2")
    assert "Kim Hill" in said
    assert (await contact(pool))["outcome"] == "RPC_CALLBACK"


async def test_where_no_promise_can_be_taken_a_person_calls_back(pool: Pool, phone: Phone, loan: LoanKey) -> None:
    for n in range(3):
        await pool.execute(
            """
            insert into promises (promise_id, lender_id, loan_id, episode, amount, due_on, status, captured_at, captured_version)
            values ($1, $2, $3, 1, 1, '2026-03-01', 'broken', $4, 0)
            """,
            f"p{n}",
            *loan,
            NOON,
        )
    await phone.press("1", FACT, "2")
    assert [p["about"] for _, p in await told(pool)] == ["callback"]


# --- twice, late, out of order ---


async def test_a_repeated_request_gets_the_same_words_and_changes_nothing(pool: Pool, phone: Phone) -> None:
    requests: list[tuple[str, dict[str, str], str]] = []
    for form in ({"AnsweredBy": "human"}, {"Digits": "1"}, {"Digits": FACT}, {"Digits": "4"}):
        url = phone.url
        requests.append((url, form, (await phone.tell(url, **form)).text))
        await phone.says(**form)
    before = (await contact(pool), await told(pool), await pool.fetch("select * from holds"))
    for url, form, text in requests:
        assert (await phone.tell(url, **form)).text == text
        assert (await phone.tell(url, Digits="9")).text == text  # whatever is said to be pressed now
    assert (await contact(pool), await told(pool), await pool.fetch("select * from holds")) == before
    assert await pool.fetchval("select count(*) from suppressions") == 0


async def test_two_at_once_are_one(pool: Pool, phone: Phone) -> None:
    await phone.press("1", FACT)
    answers = await asyncio.gather(*(phone.tell(Digits="4") for _ in range(5)))
    assert len({answer.text for answer in answers}) == 1
    assert len(await told(pool)) == 1
    assert await pool.fetchval("select count(*) from holds") == 1


async def test_an_answer_to_a_question_that_was_never_asked_gets_silence(pool: Pool, phone: Phone) -> None:
    await phone.press()
    answer = await phone.tell(f"/twilio/voice?attempt={ATTEMPT}&step=3", Digits="4")
    assert answer.text.endswith("<Response><Hangup /></Response>")
    assert await pool.fetchval("select count(*) from holds") == 0
    assert "type the last two figures" in await phone.says(Digits="1")


async def test_a_key_that_is_told_after_the_end_still_counts(pool: Pool, phone: Phone) -> None:
    await phone.press("1", FACT)
    await phone.ends(CallDuration="33")
    assert (await contact(pool))["outcome"] == "HUNG_UP"
    await phone.says(Digits="9")
    row = await contact(pool)
    assert (row["outcome"], row["carrier_status"]) == ("RPC_REFUSED", "completed")
    assert await pool.fetchval("select count(*) from suppressions") == 1
    assert [p["about"] for _, p in await told(pool)] == ["call_ended", "opted_out"]


async def test_a_late_key_that_settles_nothing_tells_nothing_new(pool: Pool, phone: Phone) -> None:
    await phone.press()
    await phone.ends()
    before = (await told(pool), await pool.fetchval("select count(*) from case_events"))
    assert "last two figures" in await phone.says(Digits="1")
    assert (await told(pool), await pool.fetchval("select count(*) from case_events")) == before


async def test_another_call_of_the_carrier_s_gets_silence(pool: Pool, phone: Phone) -> None:
    await phone.press("1")
    other = Phone(phone.carrier, sid="CA2")
    other.url = phone.url
    assert await other.says(Digits=FACT) == ""
    await other.ends("busy")
    row = await contact(pool)
    assert (row["carrier_id"], row["carrier_status"], row["outcome"]) == (SID, None, None)


# --- how calls end ---


@pytest.mark.parametrize(
    ("status", "form", "outcome", "state", "reached"),
    [
        ("busy", {}, "BUSY", "attempted", False),
        ("no-answer", {}, "NO_ANSWER", "attempted", False),
        ("canceled", {}, "NO_ANSWER", "attempted", False),
        ("failed", {}, "NO_ANSWER", "attempted", False),
        ("completed", {"AnsweredBy": "machine_start"}, "VOICEMAIL_NONE", "attempted", False),
        ("completed", {}, "HUNG_UP", "attempted", True),
    ],
)
async def test_how_a_call_ended_that_was_never_talked_through(
    pool: Pool, phone: Phone, status: str, form: dict[str, str], outcome: str, state: str, reached: bool
) -> None:
    for _ in range(2):
        assert (await phone.ends(status, CallDuration="90", **form)).status_code == 204
    row = await contact(pool)
    assert (row["outcome"], row["carrier_status"], row["minutes"]) == (outcome, status, Decimal("1.50"))
    assert (row["connected"], row["body"]) == (reached, None)
    assert await step(pool) == state
    assert [(m, p["about"]) for m, p in await told(pool)] == [("reply_received", "call_ended")]


@pytest.mark.parametrize("form", [{"SipResponseCode": "404"}, {"ErrorCode": "13224"}])
async def test_a_number_that_does_not_exist_is_marked_and_the_case_told(
    pool: Pool, phone: Phone, form: dict[str, str]
) -> None:
    await phone.ends("failed", **form)
    assert await pool.fetchval("select status from contact_points where kind = 'mobile'") == "dead"
    assert (await contact(pool))["outcome"] == "DISCONNECTED"
    assert await step(pool) == "impossible"
    assert [(m, p["about"]) for m, p in await told(pool)] == [("contact_failed", "dead_number")]


async def test_the_end_of_a_call_that_was_talked_through_adds_its_length_alone(pool: Pool, phone: Phone) -> None:
    await phone.press("1", FACT, "4")
    before = await told(pool)
    await phone.ends(CallDuration="61")
    await phone.ends("busy", CallDuration="1")  # late, and wrong
    row = await contact(pool)
    assert (row["outcome"], row["minutes"], row["carrier_status"]) == ("RPC_ALREADY_PAID", Decimal("1.02"), "completed")
    assert await told(pool) == before


async def test_progress_is_noted_and_proves_that_an_unknown_call_was_made(pool: Pool, phone: Phone) -> None:
    await pool.execute("update contacts set state = 'unknown'")
    await phone.ends("ringing")
    row = await contact(pool)
    assert (row["state"], row["carrier_id"], row["carrier_status"], row["outcome"]) == ("sent", SID, "ringing", None)
    assert await told(pool) == []


# --- who may call, and for what ---


async def test_only_the_carrier_is_answered(pool: Pool, phone: Phone) -> None:
    forger = Phone(Carrier(phone.carrier.http, "guess"))
    assert says_problem(await forger.tell(AnsweredBy="human"), 403)
    assert says_problem(await forger.ends("busy"), 403)
    assert await pool.fetchval("select count(*) from voice_calls") == 0


async def test_calls_that_are_not_ours(pool: Pool, phone: Phone) -> None:
    assert says_problem(await Phone(phone.carrier, "c-404").tell(AnsweredBy="human"), 404)
    assert says_problem(await Phone(phone.carrier, "c-404").ends(), 404)
    for state in ("reserved", "cancelled", "failed", "shadow"):
        await pool.execute("update contacts set state = $1", state)
        assert says_problem(await phone.tell(AnsweredBy="human"), 404)
    await pool.execute("update contacts set state = 'sent', channel = 'sms'")
    assert says_problem(await phone.tell(AnsweredBy="human"), 404)


async def test_somebody_who_calls_us_is_hung_up_without_a_word(phone: Phone) -> None:
    answer = await phone.tell("/twilio/voice", From=NUMBER)
    assert answer.text.endswith("<Response><Hangup /></Response>")


async def test_where_no_calls_are_set_up_none_is_answered_for(pool: Pool, loan: LoanKey) -> None:
    app = FastAPI()
    add_problems(app)
    app.include_router(voice_routes(pool, Standing(), TOKEN, PUBLIC, None))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        phone = Phone(Carrier(client))
        assert says_problem(await phone.tell(AnsweredBy="human"), 404)
        assert says_problem(await phone.ends(), 404)
