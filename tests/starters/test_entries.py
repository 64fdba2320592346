import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import pytest

import ledger.pool
from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.pool import LedgerPool, open_pool
from starters import bodies, health, problems
from starters.api import create_app
from starters.bodies import LARGEST
from starters.signature import HEADER, sign
from tests.ledger.samples import KEY, Pool, Standing, add_case, add_loan
from tests.starters.far_side import PUBLIC, SECRET, Lender, payment, says_problem


@pytest.fixture(autouse=True)
async def loan(pool: Pool) -> None:
    await add_loan(pool)


async def entries(pool: Pool) -> int:
    count: int = await pool.fetchval("select count(*) from entries")
    return count


async def test_new_then_known_then_conflict(pool: Pool, lender: Lender) -> None:
    new = await lender.post(payment())
    assert (new.status_code, new.json()) == (201, {"entry_id": "E-1", "status": "new", "ledger_version": 1})
    again = await lender.post(payment(amount="10.0"))
    assert (again.status_code, again.json()["status"]) == (200, "known")
    assert says_problem(await lender.post(payment(amount="11.00", payer="Ann")), 409, "(amount, payer)")
    assert await entries(pool) == 1


async def test_an_unknown_loan_goes_to_suspense(pool: Pool, lender: Lender) -> None:
    new = await lender.post(payment(loan_id="L-404"))
    assert (new.status_code, new.json()) == (201, {"entry_id": "E-1", "status": "suspense", "ledger_version": None})
    assert (await lender.post(payment(loan_id="L-404"))).status_code == 200
    assert says_problem(await lender.post(payment(loan_id="L-404", amount="9")), 409)
    assert await pool.fetchval("select count(*) from suspense") == 1


BAD: list[tuple[dict[str, Any], str]] = [
    ({"amount": "0"}, "zero"),
    ({"amount": "-5"}, "negative"),
    ({"amount": "1.005"}, "decimals"),
    ({"amount": 1.5}, "amount"),
    ({"amount": True}, "amount"),
    ({"amount": 10**4000}, "amount"),
    ({"amount": None}, "amount is missing"),
    ({"currency": "USD"}, "EUR"),
    ({"currency": "XXL"}, "XXL"),
    ({"kind": "gift"}, "kind"),
    ({"kind": ["payment"]}, "kind"),
    ({"value_date": "09.03.2026"}, "value_date"),
    ({"entry_id": "E\x00"}, "entry_id"),
    ({"loan_id": {"a": 1}}, "loan_id"),
    ({"instalment": "9" * 40}, "instalment"),
    ({"instalment": "²"}, "instalment"),
    ({"value_date": "0001-01-01"}, "value_date 0001-01-01 is out of range"),
    ({"colour": "red"}, "colour"),
]
NOT_JSON = [b"", b"{", b"\xff", b"NaN", b"[" * 900_000, b'{"a":' * 100_000, b'"\\ud800"', b"9" * 900_000]
NO_ENTRY: list[Any] = [[], "E-1", 7, None]
NO_BATCH: list[Any] = [{"entries": {}}, {}, 7, "x"]


async def test_content_that_cannot_be_used(pool: Pool, lender: Lender) -> None:
    for change, words in BAD:
        answer = await lender.post(payment(**change))
        assert says_problem(answer, 422, words), (change, answer.text)
    assert await entries(pool) == 0


async def test_what_is_not_json_and_what_is_no_entry(lender: Lender) -> None:
    for body in NOT_JSON:
        assert says_problem(await lender.post(body), 400, "not JSON"), body[:20]
    for content in NO_ENTRY:
        assert says_problem(await lender.post(content), 422, "not one entry"), content
    twice = json.dumps(payment()).encode().replace(b"{", b'{"amount": "1", ')
    assert says_problem(await lender.post(twice), 400, "'amount' twice")


async def test_forged_stale_missing_and_malformed_signatures(
    pool: Pool, lender: Lender, http: httpx.AsyncClient
) -> None:
    now = int(time.time())
    body = json.dumps(payment()).encode()
    headers = [
        sign("wrong", body),
        sign(SECRET, body, now - 400),
        sign(SECRET, body, now + 400),
        sign(SECRET, body + b" "),
        sign(SECRET, body).replace("v1=", "v2="),
        sign(SECRET, body).replace("t=", f"t={now - 1},t="),
        "nonsense",
        "t=²,v1=00",
        "t=,v1=",
        "v1=" + "é" * 64,
        "",
    ]
    for header in headers:
        answer = await http.post("/v1/entries", content=body, headers={HEADER.encode(): header.encode("latin-1")})
        assert says_problem(answer, 401), header
        assert answer.headers["www-authenticate"] == HEADER
    assert says_problem(await http.post("/v1/entries", content=body), 401, "missing")
    both = [(HEADER, sign(SECRET, body)), (HEADER, sign(SECRET, body))]
    assert says_problem(await http.post("/v1/entries", content=body, headers=both), 401, "comes 2 times")
    assert says_problem(await Lender(http, "wrong").post([payment()], "/v1/entries/batch"), 401)
    assert await entries(pool) == 0


async def test_secrets_can_change_on_either_side(lender: Lender, http: httpx.AsyncClient) -> None:
    body = json.dumps(payment()).encode()
    theirs = sign("whsec_old", body)
    ours = sign(SECRET, body)
    both = f"{theirs},{ours.partition(',')[2]}"
    assert (await http.post("/v1/entries", content=body, headers={HEADER: both})).status_code == 201
    assert (await Lender(http, "whsec_next").post(payment())).status_code == 200
    moment, _, digest = ours.partition(",v1=")
    assert (await http.post("/v1/entries", content=body, headers={HEADER: f"{moment},v1={digest.upper()}"})).is_success


async def test_without_a_secret_nothing_is_taken(pool: Pool) -> None:
    app = create_app(pool, Standing(), secrets=[""], twilio_token=None, public_url=PUBLIC)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        assert says_problem(await Lender(http, "").post(payment()), 503, "ARREARS_WEBHOOK_SECRET")
        assert says_problem(await http.post("/twilio/voice", data={"CallSid": "CA1"}), 503, "TWILIO_AUTH_TOKEN")


async def test_a_large_body_is_read_no_further_than_needed(lender: Lender, http: httpx.AsyncClient) -> None:
    assert says_problem(await lender.post(b"[" * (LARGEST + 1)), 413)
    assert says_problem(await lender.post(b" " * LARGEST), 400)
    taken = 0

    async def for_ever() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"[" * LARGEST

    signed = {HEADER: sign(SECRET, b"")}
    assert says_problem(await http.post("/v1/entries", content=for_ever(), headers=signed), 413)
    assert taken < 20


async def test_a_body_that_is_known_to_be_useless_is_not_read(http: httpx.AsyncClient) -> None:
    async def untouched() -> AsyncIterator[bytes]:
        yield b""
        pytest.fail("it was read")

    header = {HEADER: sign(SECRET, b""), "Content-Length": str(LARGEST + 1)}
    assert says_problem(await http.post("/v1/entries", content=untouched(), headers=header), 413)
    for useless in ("nonsense", sign(SECRET, b"", int(time.time()) - 4000)):
        assert says_problem(await http.post("/v1/entries", content=untouched(), headers={HEADER: useless}), 401)


async def test_a_body_that_never_ends_is_given_up(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "COMES_WITHIN", 0.01)

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await http.post("/v1/entries", content=slow(), headers={HEADER: sign(SECRET, b"")})
    assert says_problem(answer, 408, "send it again")


async def test_the_same_id_for_two_loans_at_once_is_a_conflict_for_one(pool: Pool, lender: Lender) -> None:
    others = [LoanKey("default", f"M-{n}") for n in range(8)]
    for key in others:
        await add_loan(pool, key)
    answers = await asyncio.gather(*(lender.post(payment(loan_id=key.loan_id)) for key in others))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 7


async def test_the_case_is_told(pool: Pool, lender: Lender) -> None:
    await add_case(pool)
    await lender.post(payment())
    row = await pool.fetchrow("select * from outbox")
    assert row is not None
    assert (row["message"], row["payload"]["entry_id"], row["lender_id"], row["loan_id"]) == (
        "payment_received",
        "E-1",
        *KEY,
    )


async def test_a_batch_says_what_became_of_each(pool: Pool, lender: Lender) -> None:
    given = [
        payment(),
        payment(),
        payment(amount="11"),
        payment(entry_id="E-2", amount="0"),
        payment(entry_id="E-3", loan_id="L-404"),
        "no entry",
        payment(entry_id="E-4"),
    ]
    answer = await lender.post({"entries": given}, "/v1/entries/batch")
    assert answer.status_code == 200
    assert [(a["entry_id"], a["status"]) for a in answer.json()] == [
        ("E-1", "new"),
        ("E-1", "known"),
        ("E-1", "conflict"),
        ("E-2", "refused"),
        ("E-3", "suspense"),
        (None, "refused"),
        ("E-4", "new"),
    ]
    assert [bool(a["reason"]) for a in answer.json()] == [False, False, True, True, False, True, False]
    assert await entries(pool) == 2
    again = await lender.post(given[:1], "/v1/entries/batch")
    assert [a["status"] for a in again.json()] == ["known"]
    assert (await lender.post([], "/v1/entries/batch")).json() == []
    for content in NO_BATCH:
        assert says_problem(await lender.post(content, "/v1/entries/batch"), 422, "no list")


async def test_one_value_that_cannot_be_kept_touches_no_other_of_its_batch(pool: Pool, lender: Lender) -> None:
    await pool.execute("""
        create function too_large() returns trigger language plpgsql as $$
        begin raise exception using errcode = 'numeric_value_out_of_range'; end $$;
        create trigger too_large before insert on entries for each row when (new.instalment = 7) execute function too_large();
        """)
    given = [payment(instalment=7), payment(entry_id="E-2")]
    answer = await lender.post(given, "/v1/entries/batch")
    assert [(a["status"], a["reason"]) for a in answer.json()] == [("refused", problems.UNUSABLE), ("new", None)]


async def test_a_batch_lets_others_have_their_turn(lender: Lender) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await lender.post([payment(amount="0")] * 500, "/v1/entries/batch")
    task.cancel()
    assert turns >= 500
    assert says_problem(await lender.post([{}] * 5001, "/v1/entries/batch"), 413, "at most 5000")


async def test_the_entries_of_a_batch_count_as_requests(pool: Pool) -> None:
    app = create_app(
        pool, Standing(), secrets=[f" {SECRET} "], twilio_token=None, public_url=PUBLIC, rate_limit="3/hour"
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        assert (await Lender(http).post([payment()] * 12, "/v1/entries/batch")).status_code == 200
        refused = await Lender(http).post(payment())
    assert says_problem(refused, 429)
    assert 3.2 * 3600 < int(refused.headers["retry-after"]) <= 10 * 1200


def test_a_secret_that_could_be_guessed_is_refused(pool: Pool) -> None:
    with pytest.raises(BadInput, match="ARREARS_WEBHOOK_SECRET is too short in place 2"):
        create_app(pool, Standing(), secrets=[SECRET, "", " 123456789 "], twilio_token=None, public_url=PUBLIC)


# --- a ledger in trouble ---


@asynccontextmanager
async def callers(database_url: str, size: int) -> AsyncIterator[tuple[LedgerPool, Lender]]:
    async with await open_pool(database_url, size=size, for_callers=True) as pool:
        app = create_app(pool, Standing(), secrets=[SECRET], twilio_token=None, public_url=PUBLIC)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app, False), base_url="http://api") as http:
            yield pool, Lender(http)


async def test_who_meets_a_held_loan_is_told_to_come_again(
    pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.pool, "LOCK_WITHIN", "50ms")
    async with callers(database_url, 2) as (_, lender), pool.acquire() as conn:
        async with conn.transaction():
            await conn.execute("select from loans for update")  # as a tape does
            answer = await lender.post(payment())
            assert says_problem(answer, 503, "holds this loan")
            assert answer.headers["retry-after"]
            assert says_problem(
                await lender.post([payment()], "/v1/entries/batch"), 503, "what is known changes nothing"
            )
        assert (await lender.post(payment())).status_code == 201


async def test_who_finds_no_free_connection_is_told_so(
    pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.pool, "FREE_WITHIN", 0.1)
    monkeypatch.setattr(health, "PATIENCE", 1.0)
    async with callers(database_url, 1) as (own, lender):
        await lender.post(payment())  # the secrets are read
        async with own.acquire():
            assert says_problem(await lender.post(payment()), 503, "are busy")
            ready = (await lender.http.get("/readyz")).json()
        assert (ready["status"], ready["reasons"]) == (503, ["all connections to the database are busy"])
        assert ready["outbox_waiting"] == 0
        assert (await lender.http.get("/readyz")).status_code == 200


async def test_a_deadlock_is_tried_again(pool: Pool, lender: Lender) -> None:
    for attempt in range(5):
        try:
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute("select from loans for update")
                posting = asyncio.create_task(lender.post(payment(entry_id=f"E-{attempt}")))
                while not await pool.fetchval("select exists (select from pg_locks where not granted)"):
                    pass
                # The posting has the person and waits for the loan. It waits longest, so that the server ends it.
                await conn.execute("select from parties for update")
        except asyncpg.DeadlockDetectedError:  # not within the second after which the server looks: it ended us
            assert (await posting).status_code == 201
        else:
            break
    else:
        pytest.fail("the server never ended the posting")
    assert (await posting).status_code == 201


async def test_who_is_in_the_way_of_others_each_time_is_told_to_come_again(pool: Pool) -> None:
    class Unlucky(Standing):
        tries = 0

        async def now(self) -> datetime:
            self.tries += 1
            raise asyncpg.SerializationError

    clock = Unlucky()
    app = create_app(pool, clock, secrets=[SECRET], twilio_token=None, public_url=PUBLIC)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, False), base_url="http://api") as http:
        assert says_problem(await Lender(http).post(payment()), 503, "send it again")
    assert clock.tries == 1 + 3  # in company, then alone


@pytest.mark.parametrize(
    "kind",
    [
        asyncpg.AdminShutdownError,
        asyncpg.CannotConnectNowError,
        asyncpg.ConnectionDoesNotExistError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        asyncpg.TooManyConnectionsError,
        ConnectionResetError,
        TimeoutError,
    ],
)
async def test_however_the_ledger_breaks_off_the_sender_is_told_to_come_again(
    pool: Pool, kind: type[Exception]
) -> None:
    class BreaksOff(Standing):
        async def now(self) -> datetime:
            raise kind("in the middle")

    app = create_app(pool, BreaksOff(), secrets=[SECRET], twilio_token=None, public_url=PUBLIC)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, False), base_url="http://api") as http:
        assert says_problem(await Lender(http).post(payment()), 503, "send it again")


async def test_a_ledger_that_is_away_gives_no_2xx(pool: Pool, lender: Lender) -> None:
    await pool.execute("alter table entries rename to entries_gone")
    assert says_problem(await lender.post(payment()), 500)
    await pool.close()
    answer = await lender.post(payment())
    assert says_problem(answer, 503, "send it again")
    assert answer.headers["retry-after"]
