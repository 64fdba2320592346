import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

import ledger.pool
from domain.loan import LoanKey
from ledger.locks import lock_loan
from ledger.pool import open_pool
from ledger.proof import prove
from ledger.stops import STOPS
from starters.api import create_app
from tests.case import poll
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, add_contact, add_loan
from tests.starters.far_side import PUBLIC, TOKEN, Carrier, says_problem

NUMBER = "+12025550142"
SISTER = LoanKey("default", "L-2")  # another lender's loan of the person with the same number
ELSEWHERE = LoanKey("second", "L-9")


@pytest.fixture(autouse=True)
async def portfolio(pool: Pool) -> None:
    """One number: a borrower with two open cases, and a borrower of another lender."""
    await pool.execute("insert into lenders (lender_id, name) values ('second', 'another lender')")
    for key in (KEY, SISTER, ELSEWHERE):
        await add_loan(pool, key)
    await pool.execute("update loans set borrower_id = 'B-L-1' where loan_id = 'L-2'")
    for lender, party in (("default", "B-L-1"), ("second", "B-L-9")):
        await pool.execute(
            "insert into contact_points (lender_id, party_id, kind, value) values ($1, $2, 'mobile', $3)",
            lender,
            party,
            NUMBER,
        )
    for key in (KEY, SISTER, ELSEWHERE):
        await add_case(pool, key)
    await add_contact(pool, "c-1", "sending", "collect")
    await pool.execute("update contacts set contact_value = $1, sending_at = $2", NUMBER, NOON)


async def suppressed(pool: Pool) -> list[str]:
    rows = await pool.fetch(
        "select lender_id from suppressions where channel = 'sms' and value = $1 order by 1", NUMBER
    )
    return [r["lender_id"] for r in rows]


async def told(pool: Pool) -> list[tuple[str, str, str]]:
    rows = await pool.fetch("select loan_id, message, payload from outbox order by id")
    return [(r["loan_id"], r["message"], r["payload"]["about"]) for r in rows]


def later(pool: Pool, at: datetime) -> Carrier:
    """The same carrier, calling at another time."""
    app = create_app(pool, Standing(at), secrets=[], twilio_token=TOKEN, public_url=PUBLIC)
    return Carrier(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api"))


def said(answer: httpx.Response) -> list[str]:
    """What is said back in the same exchange."""
    assert answer.headers["content-type"].startswith("application/xml")
    return ["".join(message.itertext()) for message in ElementTree.fromstring(answer.text).iter("Message")]


async def held(pool: Pool) -> list[tuple[Any, ...]]:
    rows = await pool.fetch("select * from holds order by lender_id, subject_kind, subject_id")
    fields = ("lender_id", "subject_kind", "subject_id", "reason", "scopes", "until_at")
    return [tuple(r[field] for field in fields) for r in rows]


async def asked(pool: Pool) -> list[tuple[Any, ...]]:
    rows = await pool.fetch("select lender_id, loan_id, kind, channel from requests order by lender_id, loan_id")
    return [tuple(r) for r in rows]


# --- texts that come in ---


@pytest.mark.parametrize("text", ["Stop!! 🙏", "退订。", "Basta!", "ALTO", "रोकें"])
async def test_an_opt_out_in_any_language_is_obeyed_before_the_answer(pool: Pool, carrier: Carrier, text: str) -> None:
    answer = await carrier.text(text, NUMBER, "SM1")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/xml")
    assert await suppressed(pool) == ["default", "second"]
    assert await told(pool) == [(loan, "reply_received", "opted_out") for loan in ("L-1", "L-2", "L-9")]


@pytest.mark.parametrize("text", ["", "I will pay on Friday", "I stopped by the bank"])
async def test_any_other_text_is_a_reply_whose_words_stay_in_the_ledger(
    pool: Pool, carrier: Carrier, text: str
) -> None:
    answer = await carrier.text(text, NUMBER, "SM1")
    assert (answer.status_code, said(answer)) == (200, [])
    assert await suppressed(pool) == []
    assert [about for _, _, about in await told(pool)] == ["reply"] * 3
    kept = await pool.fetch("select sender, body, about, answer, received_at from inbound")
    assert [tuple(r) for r in kept] == [(NUMBER, text, "reply", None, NOON)]
    assert await held(pool) == await asked(pool) == []
    assert {frozenset(r["payload"]) for r in await pool.fetch("select payload from outbox")} == {frozenset({"about"})}


async def test_an_opt_out_waits_for_a_contact_that_is_being_committed(pool: Pool, carrier: Carrier) -> None:
    async with pool.acquire() as gate:
        async with gate.transaction():
            await lock_loan(gate, SISTER)
            answer = asyncio.create_task(carrier.text("STOP", NUMBER, "SM1"))
            await poll(lambda: somebody_waits(pool), "the opt-out to wait")
            assert await suppressed(pool) == []
        assert (await answer).status_code == 200
    assert await suppressed(pool) == ["default", "second"]


async def test_start_undoes_stop_and_replays_change_nothing(pool: Pool, carrier: Carrier) -> None:
    await carrier.text("STOP", NUMBER, "SM1")
    await carrier.text("Start", NUMBER, "SM2")
    assert await suppressed(pool) == []
    await carrier.text("STOP", NUMBER, "SM1")  # the carrier sends the first one again
    assert await suppressed(pool) == []
    assert [about for _, _, about in await told(pool)] == ["opted_out"] * 3 + ["opted_in"] * 3


async def test_the_carrier_s_own_reading_counts(pool: Pool, carrier: Carrier) -> None:
    await carrier.text("basta cosi grazie", NUMBER, "SM1", OptOutType="STOP")
    assert await suppressed(pool) == ["default", "second"]


@pytest.mark.parametrize("text", ["STOP", "HELP", "START", "I already paid", "wrong number"])
async def test_a_text_from_a_number_nobody_has_is_kept_and_nothing_else(
    pool: Pool, carrier: Carrier, text: str
) -> None:
    answer = await carrier.text(text, "+12015550199", "SM1")
    assert (answer.status_code, said(answer)) == (200, [])
    assert await pool.fetchval("select body from inbound where sender = '+12015550199'") == text
    assert await held(pool) == await asked(pool) == []
    assert await told(pool) == []


async def test_a_number_nobody_has_is_left_alone_when_a_tape_brings_it(pool: Pool, carrier: Carrier) -> None:
    await carrier.text("STOP", "+12015550199", "SM1")
    assert await pool.fetchval("select count(*) from suppressions where value = '+12015550199'") == 2


async def test_closed_cases_are_not_told_and_a_guarantor_s_loan_is(pool: Pool, carrier: Carrier) -> None:
    await pool.execute("update cases set open = false where loan_id = 'L-2'")
    await pool.execute("insert into parties (lender_id, party_id, name) values ('default', 'G-1', 'Bo')")
    await pool.execute(
        "insert into contact_points (lender_id, party_id, kind, value) values ('default', 'G-1', 'mobile', '+12025550177')"
    )
    await pool.execute(
        "insert into loan_parties (lender_id, loan_id, party_id, role) values ('default', 'L-1', 'G-1', 'guarantor'), ('default', 'L-2', 'G-1', 'guarantor')"
    )
    await carrier.text("who is this?", "+12025550177", "SM1")
    assert await told(pool) == [("L-1", "reply_received", "reply")]


# --- what is said back ---


async def one_lender_alone(pool: Pool, language: str = "en") -> None:
    await pool.execute("delete from contact_points where lender_id = 'second'")
    await pool.execute("update lenders set name = 'Acme Bank' where lender_id = 'default'")
    await pool.execute("update parties set language = $1", language)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Acme Bank: you will get no more texts from us."),
        ("zh-CN", "【Acme Bank】您已退订"),
        ("es", "Acme Bank: no recibirá más SMS nuestros."),
        ("it", "Acme Bank: non riceverà più SMS da noi."),
        ("hi", "Acme Bank: अब आपको हमारे SMS नहीं आएँगे।"),
    ],
)
async def test_an_opt_out_is_confirmed_once_in_the_person_s_language(
    pool: Pool, carrier: Carrier, language: str, words: str
) -> None:
    await one_lender_alone(pool, language)
    (confirmed,) = said(await carrier.text("STOP", NUMBER, "SM1"))
    assert confirmed.startswith(words)
    assert await pool.fetchval("select answer from inbound") == confirmed
    assert said(await carrier.text("STOP", NUMBER, "SM1")) == []  # the carrier's own repetition
    assert said(await carrier.text("stop!", NUMBER, "SM2")) == []  # the person's
    assert await pool.fetchval("select count(answer) from inbound") == 1


async def test_an_opt_out_that_the_carrier_knew_first_is_not_confirmed_again(pool: Pool, carrier: Carrier) -> None:
    await carrier.receipt("c-1", "SM7", "failed", 21610)
    assert said(await carrier.text("STOP", NUMBER, "SM1")) == []


async def test_what_the_carrier_answers_itself_is_not_answered_here(pool: Pool, carrier: Carrier) -> None:
    assert said(await carrier.text("STOP", NUMBER, "SM1", OptOutType="STOP")) == []
    assert said(await carrier.text("HELP", NUMBER, "SM2", OptOutType="HELP")) == []
    assert await suppressed(pool) == ["default", "second"]


async def test_start_is_confirmed_where_it_undoes_a_stop(pool: Pool, carrier: Carrier) -> None:
    await one_lender_alone(pool)
    assert said(await carrier.text("START", NUMBER, "SM1")) == []
    await carrier.text("STOP", NUMBER, "SM2")
    (confirmed,) = said(await carrier.text("START", NUMBER, "SM3"))
    assert confirmed.startswith("Acme Bank: you will get our texts again.")
    assert said(await carrier.text("START", NUMBER, "SM4")) == []


async def test_help_says_who_writes_and_how_to_end_it_every_time(pool: Pool, carrier: Carrier) -> None:
    await one_lender_alone(pool)
    for sid in ("SM1", "SM2"):
        (told_back,) = said(await carrier.text("HELP", NUMBER, sid))
        assert told_back.startswith("This number sends texts for Acme Bank. Reply STOP")
    assert await suppressed(pool) == []


async def test_several_lenders_are_not_named_and_several_languages_give_english(pool: Pool, carrier: Carrier) -> None:
    await pool.execute("update lenders set name = 'Acme Bank'")
    await pool.execute("update parties set language = 'hi' where lender_id = 'second'")
    (confirmed,) = said(await carrier.text("STOP", NUMBER, "SM1"))
    assert confirmed.startswith("You will get no more texts from us.")
    assert "Acme" not in confirmed


async def test_an_opt_out_counts_where_no_words_can_be_found_to_confirm_it(pool: Pool, carrier: Carrier) -> None:
    await one_lender_alone(pool)
    await pool.execute("update lenders set name = '!' where lender_id = 'default'")
    answer = await carrier.text("STOP", NUMBER, "SM1")
    assert (answer.status_code, said(answer)) == (200, [])
    assert await suppressed(pool) == ["default", "second"]


# --- what a person must see to ---

ALL_THREE = [("default", "L-1"), ("default", "L-2"), ("second", "L-9")]


async def test_who_says_that_they_paid_is_left_in_peace_for_five_working_days(pool: Pool, carrier: Carrier) -> None:
    # L-1 by the calendar of its strategy in its lender's zone: 6 April is Easter Monday; the others' strategy names no calendar.
    await pool.execute(
        "insert into strategies (name, version, digest, content) values ('it', 1, 'x', '{\"calendar\": \"IT\"}')"
    )
    await pool.execute("update cases set strategy = 'it' where loan_id = 'L-1'")
    await pool.execute("update lenders set timezone = 'Europe/Rome'")
    thursday = datetime(2026, 4, 2, 9, tzinfo=UTC)
    await later(pool, thursday).text("Ho già pagato", NUMBER, "SM1")
    scopes = ["contact", "escalation", "legal"]
    without = thursday + timedelta(days=7)
    assert await held(pool) == [
        ("default", "loan", "L-1", "payment_in_flight", scopes, datetime(2026, 4, 10, 9, tzinfo=UTC)),
        ("default", "loan", "L-2", "payment_in_flight", scopes, without),
        ("second", "loan", "L-9", "payment_in_flight", scopes, without),
    ]
    assert await asked(pool) == [(*key, "already_paid", "sms") for key in ALL_THREE]
    assert [about for _, _, about in await told(pool)] == ["already_paid"] * 3


async def test_a_dispute_holds_each_loan_until_somebody_has_looked(pool: Pool, carrier: Carrier) -> None:
    await carrier.text("金额不对", NUMBER, "SM1")
    scopes = ["contact", "escalation", "legal"]
    assert await held(pool) == [(lender, "loan", loan, "dispute", scopes, None) for lender, loan in ALL_THREE]
    assert await asked(pool) == [(*key, "dispute", "sms") for key in ALL_THREE]


async def test_a_wrong_person_holds_the_number_and_strikes_nothing_out(pool: Pool, carrier: Carrier) -> None:
    await carrier.text("Número equivocado", NUMBER, "SM1")
    assert await held(pool) == [
        (lender, "contact_point", NUMBER, "data_quality", ["contact"], None) for lender in ("default", "second")
    ]
    assert await asked(pool) == [(*key, "wrong_person", "sms") for key in ALL_THREE]
    assert await pool.fetchval("select count(*) from contact_points where status <> 'active'") == 0
    assert await suppressed(pool) == []


async def test_who_wants_a_call_is_asked_for_and_nothing_is_held(pool: Pool, carrier: Carrier) -> None:
    await carrier.text("मुझे कॉल करें", NUMBER, "SM1")
    assert await held(pool) == []
    assert await asked(pool) == [(*key, "callback", "sms") for key in ALL_THREE]


@pytest.mark.parametrize("text", ["I already paid", "I dispute this", "wrong person", "call me back"])
async def test_a_text_that_comes_twice_is_taken_once(pool: Pool, carrier: Carrier, text: str) -> None:
    await asyncio.gather(*(carrier.text(text, NUMBER, "SM1") for _ in range(4)))
    before = (await held(pool), await asked(pool), await told(pool))
    await later(pool, NOON + timedelta(days=3)).text(text, NUMBER, "SM1")
    assert (await held(pool), await asked(pool), await told(pool)) == before
    assert len(before[1]) == len(before[2]) == 3
    assert await pool.fetchval("select count(*) from inbound") == 1


async def test_a_replayed_dispute_does_not_come_back_after_it_was_settled(pool: Pool, carrier: Carrier) -> None:
    await carrier.text("I dispute this", NUMBER, "SM1")
    await pool.execute("update holds set released_at = $1", NOON)
    await carrier.text("I dispute this", NUMBER, "SM1")
    assert await pool.fetchval("select count(*) from holds where released_at is null") == 0
    await carrier.text("I still dispute this", NUMBER, "SM2")
    assert await pool.fetchval("select count(*) from requests") == 6


async def test_texts_in_any_order_leave_an_opt_out_standing(pool: Pool, carrier: Carrier) -> None:
    await carrier.text("START", NUMBER, "SM2")
    await carrier.text("STOP", NUMBER, "SM3")
    await carrier.text("START", NUMBER, "SM2")
    await carrier.text("I already paid", NUMBER, "SM1")
    assert await suppressed(pool) == ["default", "second"]


async def test_an_opt_out_wins_over_a_dispute_in_the_same_text(pool: Pool, carrier: Carrier) -> None:
    await carrier.text("This is not my debt. STOP", NUMBER, "SM1")
    assert await suppressed(pool) == ["default", "second"]
    assert await asked(pool) == []


async def test_only_open_cases_are_asked_about_and_a_guarantor_s_loan_is(pool: Pool, carrier: Carrier) -> None:
    await pool.execute("update cases set open = false where loan_id = 'L-1'")
    await pool.execute("insert into parties (lender_id, party_id, name) values ('default', 'G-1', 'Bo')")
    await pool.execute(
        "insert into contact_points (lender_id, party_id, kind, value) values ('default', 'G-1', 'mobile', '+12015550177')"
    )
    await pool.execute(
        "insert into loan_parties (lender_id, loan_id, party_id, role) values ('default', 'L-1', 'G-1', 'guarantor'), ('default', 'L-2', 'G-1', 'guarantor')"
    )
    await carrier.text("wrong amount", "+12015550177", "SM1")
    assert await asked(pool) == [("default", "L-2", "dispute", "sms")]
    assert [hold[:3] for hold in await held(pool)] == [("default", "loan", "L-2")]


# --- receipts ---


async def test_a_receipt_goes_to_the_ledger_only(pool: Pool, carrier: Carrier) -> None:
    assert (await carrier.receipt("c-1", "SM7", "delivered")).status_code == 204
    assert (await carrier.receipt("c-1", "SM7", "sent")).status_code == 204  # late
    rows = await pool.fetch("select carrier_id, carrier_status, state from contacts")
    assert [tuple(r) for r in rows] == [("SM7", "delivered", "sending")]
    assert await told(pool) == []


async def test_a_receipt_proves_that_an_unknown_contact_was_sent(pool: Pool, carrier: Carrier) -> None:
    await pool.execute("update contacts set state = 'unknown'")
    await carrier.receipt("c-1", "SM7", "sent")
    assert await pool.fetchval("select state from contacts") == "sent"


@pytest.mark.parametrize("code", [30005, 30006, 21211, 21614])
async def test_a_dead_number_is_marked_and_the_case_told_once(pool: Pool, carrier: Carrier, code: int) -> None:
    for _ in range(2):
        assert (await carrier.receipt("c-1", "SM7", "undelivered", code)).status_code == 204
    points = await pool.fetch("select lender_id, status from contact_points order by 1")
    assert [tuple(p) for p in points] == [("default", "dead"), ("second", "active")]
    assert await told(pool) == [("L-1", "contact_failed", "dead_number")]
    assert await pool.fetchval("select payload->>'message_id' from outbox") == "SM7-undelivered"
    assert await pool.fetchval("select error_code from contacts") == code


async def test_a_carrier_that_knows_of_an_opt_out(pool: Pool, carrier: Carrier) -> None:
    await carrier.receipt("c-1", "SM7", "failed", 21610)
    assert await suppressed(pool) == ["default", "second"]
    assert await told(pool) == [("L-1", "contact_failed", "opted_out")]


@pytest.mark.parametrize(("code", "says"), [(30034, "is not registered for texts in the US"), (30002, "was suspended")])
async def test_a_fault_of_ours_stops_the_channel_as_an_answer_does(
    pool: Pool, carrier: Carrier, code: int, says: str
) -> None:
    for _ in range(2):
        assert (await carrier.receipt("c-1", "SM7", "undelivered", code)).status_code == 204
    (stop,) = await pool.fetch("select lender_id, channel, strategy, reason from stops where released_order is null")
    assert tuple(stop)[:3] == ("default", "sms", "*")
    assert says in stop["reason"]
    (alert,) = await alerts(pool)
    assert alert[0] == "carrier"
    assert alert[1].startswith(f"sms of lender default is stopped: Twilio reports error {code}. ")
    assert await told(pool) == []
    assert await suppressed(pool) == []


async def test_the_stop_waits_for_contacts_that_are_passing_the_gate(pool: Pool, carrier: Carrier) -> None:
    async with pool.acquire() as gate:
        async with gate.transaction():
            await STOPS.pass_beside_stops(gate)
            receipt = asyncio.create_task(carrier.receipt("c-1", "SM7", "failed", 30034))
            await poll(lambda: somebody_waits(pool), "the stop to wait")
            passed = await gate.fetchval("select nextval('commit_order')")
        assert (await receipt).status_code == 204
    assert passed < await pool.fetchval("select commit_order from stops")


async def test_an_opt_out_of_a_receipt_waits_for_whoever_shares_the_number(pool: Pool, carrier: Carrier) -> None:
    async with pool.acquire() as gate:
        async with gate.transaction():
            await lock_loan(gate, ELSEWHERE)
            receipt = asyncio.create_task(carrier.receipt("c-1", "SM7", "failed", 21610))
            await poll(lambda: somebody_waits(pool), "the opt-out to wait")
            passed = await gate.fetchval("select nextval('commit_order')")
        assert (await receipt).status_code == 204
    assert passed < await pool.fetchval("select min(commit_order) from suppressions")


async def test_a_receipt_of_another_text_raises_an_alert_that_the_proof_reads(pool: Pool, carrier: Carrier) -> None:
    await carrier.receipt("c-1", "SM7", "delivered")
    await carrier.receipt("c-1", "SM7", "delivered")
    assert await alerts(pool) == []
    for _ in range(2):
        assert (await carrier.receipt("c-1", "SM8", "delivered")).status_code == 204
    assert await alerts(pool) == [("second_message", "c-1 SM8")]
    assert await pool.fetchval("select carrier_id from contacts") == "SM7"
    async with pool.acquire() as conn:
        once = next(c for c in (await prove(conn))["checks"] if c["name"] == "once")
    assert [(v["kind"], v["id"]) for v in once["violations"]] == [("two_messages_one_contact", "c-1")]


async def alerts(pool: Pool) -> list[tuple[str, str]]:
    return [(r["kind"], r["about"]) for r in await pool.fetch("select kind, about from alerts order by alert_id")]


async def somebody_waits(pool: Pool) -> bool:
    waiting = "select count(*) from pg_locks where not granted and pid <> pg_backend_pid()"
    return bool(await pool.fetchval(waiting))


async def test_a_handset_that_is_off_is_no_dead_number(pool: Pool, carrier: Carrier) -> None:
    await carrier.receipt("c-1", "SM7", "undelivered", 30003)
    assert await pool.fetchval("select status from contact_points where lender_id = 'default'") == "active"
    assert await told(pool) == []


async def test_an_attempt_that_is_not_ours(carrier: Carrier) -> None:
    assert says_problem(await carrier.receipt("c-404", "SM7", "sent"), 404)


# --- who may call ---


async def test_only_the_carrier_may_call(pool: Pool, carrier: Carrier) -> None:
    forger = Carrier(carrier.http, "guess")
    assert says_problem(await forger.text("STOP", NUMBER, "SM1"), 403)
    assert says_problem(await forger.receipt("c-1", "SM7", "undelivered", 30005), 403)
    assert says_problem(await forger.post("/twilio/voice", {"CallSid": "CA1"}), 403)
    for address in ("/twilio/status", "/twilio/voice/status", "/twilio/voice?attempt=c-1&step=x"):
        assert says_problem(await forger.post(address, {"CallSid": "CA1"}), 403)
    assert says_problem(await carrier.http.post("/twilio/sms", data={"Body": "STOP"}), 403)
    assert await suppressed(pool) == []
    assert await told(pool) == []


async def test_forms_that_are_none(carrier: Carrier) -> None:
    assert says_problem(await carrier.post("/twilio/sms", {"Body": "hello"}), 400, "MessageSid")
    assert says_problem(await carrier.http.post("/twilio/sms", content=b"\xff\xfe"), 400)
    assert says_problem(await carrier.http.post("/twilio/sms", content="&".join(f"a{n}=1" for n in range(999))), 400)
    assert says_problem(await carrier.http.post("/twilio/sms", content=b"a" * 1_000_001), 413)
    assert says_problem(
        await carrier.post("/twilio/status", {"MessageSid": "SM7", "MessageStatus": "sent"}), 422, "attempt"
    )


async def test_a_call_is_hung_up_without_a_word(carrier: Carrier) -> None:
    answer = await carrier.post("/twilio/voice", {"CallSid": "CA1", "From": NUMBER})
    assert answer.status_code == 200
    assert answer.text.endswith("<Response><Hangup /></Response>")


async def test_a_wish_to_be_left_alone_waits_for_a_held_person(
    pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.pool, "LOCK_WITHIN", "1ms")
    async with await open_pool(database_url, for_callers=True) as callers, pool.acquire() as conn:
        app = create_app(callers, Standing(), secrets=[], twilio_token=TOKEN, public_url=PUBLIC, patient=pool)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
            async with conn.transaction():
                await conn.execute("select from parties for update")  # as a tape does
                stop = asyncio.create_task(Carrier(http).text("STOP", NUMBER, "SM-9"))
                while not stop.done() and not await pool.fetchval(
                    "select exists (select from pg_locks where not granted)"
                ):
                    pass
            assert (await stop).status_code == 200
