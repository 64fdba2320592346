import asyncio

import pytest

from domain.loan import LoanKey
from ledger.inbound import Reply
from ledger.locks import lock_loan
from starters.replies import about
from tests.case import poll
from tests.ledger.samples import KEY, NOON, Pool, add_case, add_contact, add_loan
from tests.starters.far_side import Carrier, says_problem

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


# --- texts that come in ---


@pytest.mark.parametrize("text", ["Stop!! 🙏", "退订。", "Basta!", "ALTO", "रोकें"])
async def test_an_opt_out_in_any_language_is_obeyed_before_the_answer(pool: Pool, carrier: Carrier, text: str) -> None:
    answer = await carrier.text(text, NUMBER, "SM1")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/xml")
    assert answer.text.endswith("<Response />")
    assert await suppressed(pool) == ["default", "second"]
    assert await told(pool) == [(loan, "reply_received", "opted_out") for loan in ("L-1", "L-2", "L-9")]


@pytest.mark.parametrize("text", ["", "I will pay on Friday"])
async def test_any_other_text_is_a_reply_whose_words_stay_in_the_ledger(
    pool: Pool, carrier: Carrier, text: str
) -> None:
    assert (await carrier.text(text, NUMBER, "SM1")).status_code == 200
    assert await suppressed(pool) == []
    assert [about for _, _, about in await told(pool)] == ["reply"] * 3
    kept = await pool.fetch("select sender, body, received_at from inbound")
    assert [tuple(r) for r in kept] == [(NUMBER, text, NOON)]
    assert {frozenset(r["payload"]) for r in await pool.fetch("select payload from outbox")} == {frozenset({"about"})}


async def test_an_opt_out_waits_for_a_contact_that_is_being_committed(pool: Pool, carrier: Carrier) -> None:
    async with pool.acquire() as gate:
        async with gate.transaction():
            await lock_loan(gate, SISTER)
            answer = asyncio.create_task(carrier.text("STOP", NUMBER, "SM1"))

            async def waits() -> bool:
                return bool(await pool.fetchval("select count(*) from pg_locks where not granted"))

            await poll(waits, "the opt-out to wait")
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


async def test_a_number_nobody_has_is_left_alone_too(pool: Pool, carrier: Carrier) -> None:
    assert (await carrier.text("STOP", "+12025550199", "SM1")).status_code == 200
    assert await pool.fetchval("select count(*) from suppressions where value = '+12025550199'") == 2
    assert await told(pool) == []


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


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        " stop. ",
        "Stop!! 🙏",
        "StopAll",
        "end",
        "Quit",
        "CANCEL",
        "unsubscribe",
        "REVOKE",
        "opt out",
        "Opt-Out",
        "stop texting me",
        "Please don't text me again",
        "T",
        "td",
        "ＴＤ",
        "退订",
        "退订。",
        "取消",
        "不要再发了",
        "Basta!",
        "ferma",
        "parar",
        "ALTO",
        "arrêt",
        "रोकें",
        "बंद करें।",
    ],
)
def test_who_wants_to_be_left_alone_is_understood(text: str) -> None:
    assert about(text) is Reply.OPTED_OUT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I will pay on Friday",
        "can I cancel the visit?",
        "the end of the month",
        "nonstop",
        "non posso",
        "我下周付",
        "T2",
        "stopover in Rome",
        "endless",
    ],
)
def test_who_says_something_else_is_not_taken_for_one(text: str) -> None:
    assert about(text) is Reply.OTHER


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
