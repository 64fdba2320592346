import json
from typing import Any

import httpx
import pytest

from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.secrets import SecretBook, add_secret, list_secrets, retire_secret
from starters.api import create_app
from starters.rate import MOST_CLIENTS, RateLimit
from starters.signature import HEADER
from tests.ledger.samples import Pool, Standing, add_loan
from tests.starters.far_side import PUBLIC, SECRET, Lender, payment, says_problem

OTHER = LoanKey("second", "L-2")


@pytest.fixture(autouse=True)
async def loans(pool: Pool) -> None:
    await pool.execute("insert into lenders (lender_id, name) values ('second', 'another lender')")
    await add_loan(pool)
    await add_loan(pool, OTHER)


async def secret_of(pool: Pool, lender_id: str) -> str:
    async with pool.acquire() as conn:
        return (await add_secret(conn, lender_id, "arrears")).secret


def signing(pool: Pool, secret: str, **settings: Any) -> tuple[httpx.AsyncClient, Lender]:
    """An API that has read no secret yet, and somebody who signs."""
    app = create_app(pool, Standing(), secrets=[SECRET], twilio_token=None, public_url=PUBLIC, **settings)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api")
    return http, Lender(http, secret)


async def test_a_lender_signs_for_its_own_loans_alone(pool: Pool) -> None:
    http, lender = signing(pool, await secret_of(pool, "second"))
    async with http:
        own = await lender.post(payment(loan_id="L-2"))
        assert (own.status_code, own.json()["status"]) == (201, "new")  # no lender_id: its own
        assert says_problem(await lender.post(payment(lender_id="default")), 403, "second")
        many = [payment(entry_id="E-2", loan_id="L-2"), payment(entry_id="E-3", lender_id="default")]
        answers = (await lender.post(many, "/v1/entries/batch")).json()
        assert [a["status"] for a in answers] == ["new", "refused"]
        assert (await Lender(http).post(payment(entry_id="E-4", lender_id="second", loan_id="L-2"))).status_code == 201
    assert await pool.fetchval("select count(*) from entries where lender_id = 'default'") == 0


async def test_two_secrets_hold_while_one_is_changed(pool: Pool) -> None:
    old, new = await secret_of(pool, "second"), await secret_of(pool, "second")
    async with pool.acquire() as conn:
        with pytest.raises(BadInput, match="retire one"):
            await add_secret(conn, "second", "arrears")
        await add_secret(conn, "second", "stripe", "whsec_" + "x" * 20)  # of another kind
        with pytest.raises(BadInput, match="unknown"):
            await add_secret(conn, "nobody", "arrears")
        http, _ = signing(pool, old)
        async with http:
            for secret, status in ((old, 201), (new, 200)):
                assert (await Lender(http, secret).post(payment(loan_id="L-2"))).status_code == status
        ids = {r["secret_id"] for r in await list_secrets(conn, "second") if r["kind"] == "arrears"}
        first = await conn.fetchval("select secret_id from webhook_secrets where secret = $1", old)
        assert first in ids
        ended = await retire_secret(conn, "second", first)
        assert await retire_secret(conn, "second", first, hours=5) == ended  # never later than it would have
        with pytest.raises(BadInput, match="no secret"):
            await retire_secret(conn, "default", first)
    http, _ = signing(pool, old)
    async with http:
        assert says_problem(await Lender(http, old).post(payment(loan_id="L-2")), 401)
        assert (await Lender(http, new).post(payment(loan_id="L-2"))).status_code == 200


async def test_a_retired_secret_is_forgotten_when_it_is_read_again(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    book = SecretBook(pool)
    async with pool.acquire() as conn:
        made = await add_secret(conn, "second", "arrears")
        assert await book.of("arrears") == [made]
        await retire_secret(conn, "second", made.secret_id)
    assert await book.of("arrears") == [made]  # for a few seconds
    monkeypatch.setattr("ledger.secrets.monotonic", lambda: 10.0**9)
    assert await book.of("arrears") == []


async def test_secrets_are_listed_without_themselves(pool: Pool) -> None:
    secret = await secret_of(pool, "second")
    async with pool.acquire() as conn:
        listed = await list_secrets(conn)
    assert [(r["lender_id"], r["kind"], r["valid"]) for r in listed] == [("second", "arrears", True)]
    assert secret not in json.dumps(listed, default=str)


# --- rates ---


async def test_who_asks_too_often_waits(pool: Pool) -> None:
    http, lender = signing(pool, SECRET, rate_limit="2/hour")
    async with http:
        assert [(await lender.post(payment())).status_code for _ in range(3)] == [201, 200, 429]
        refused = await lender.post(payment(entry_id="E-2"))
        assert says_problem(refused, 429, "Retry-After")
        assert 1700 < int(refused.headers["retry-after"]) <= 1800
        # Somebody else's secret has its own; so has the address of those who prove nothing.
        assert (await Lender(http, await secret_of(pool, "second")).post(payment(loan_id="L-2"))).status_code == 401
        forged = [(await http.post("/v1/entries", content=b"{}", headers={HEADER: "x"})).status_code for _ in range(2)]
        assert forged == [401, 429]
        assert (await http.get("/v1/cases/L-1")).status_code == 429
        assert (await http.get("/healthz")).status_code == 200
    assert await pool.fetchval("select count(*) from entries") == 1


def test_a_bucket_fills_up_steadily() -> None:
    rate = RateLimit("60/minute")
    assert [rate.wait("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert rate.wait("a", 0.0) == pytest.approx(1.0)
    assert rate.wait("b", 0.0) == 0.0
    assert rate.wait("a", 1.0) == 0.0
    assert rate.wait("a", 1.5) == pytest.approx(0.5)
    assert [rate.wait("a", 9999.0) for _ in range(61)].count(0.0) == 60  # no more than the whole


def test_clients_are_forgotten_and_limits_can_be_off() -> None:
    rate = RateLimit("1/hour")
    for n in range(MOST_CLIENTS + 1):
        assert rate.wait(str(n), 0.0) == 0.0
    assert rate.wait("0", 0.0) == 0.0  # forgotten, so a new one
    assert rate.wait(str(MOST_CLIENTS), 0.0) > 0
    assert [RateLimit("").wait("a", 0.0) for _ in range(3)] == [0.0] * 3
    for limit in ("fast", "0/second", "10", "-1/second", "1/day"):
        with pytest.raises(BadInput, match="ARREARS_RATE_LIMIT"):
            RateLimit(limit)
