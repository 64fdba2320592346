import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from domain.loan import LoanKey
from ledger import outbox
from ledger.stranded import strand
from starters.api import create_app
from tests.ledger.samples import KEY, Pool, Standing, add_loan
from tests.starters.far_side import PUBLIC, Lender, payment, says_problem


async def ready(pool: Pool, **parts: Any) -> httpx.Response:
    app = create_app(pool, Standing(), secrets=[], twilio_token=None, public_url=PUBLIC, **parts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        return await http.get("/readyz")


async def answers() -> bool:
    return True


async def refuses() -> bool:
    raise ConnectionRefusedError


# --- cases ---


async def test_a_case_with_amounts_as_text(pool: Pool, http: httpx.AsyncClient, lender: Lender) -> None:
    await add_loan(pool)
    await lender.post(payment(amount="40.00"))
    answer = await http.get("/v1/cases/L-1")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["lender_id"], body["loan_id"], body["arrears"], body["currency"]) == (*KEY, "60.00", "EUR")
    assert body["oldest_due_on"] == "2026-03-01"
    assert "Ann" not in answer.text


async def test_the_lender_decides_between_loans_of_one_id(pool: Pool, http: httpx.AsyncClient) -> None:
    await pool.execute("insert into lenders (lender_id, name) values ('second', 'another lender')")
    await add_loan(pool, owed="100")
    await add_loan(pool, LoanKey("second", "L-1"), owed="7")
    assert (await http.get("/v1/cases/L-1")).json()["arrears"] == "100.00"
    assert (await http.get("/v1/cases/L-1", params={"lender_id": "second"})).json()["arrears"] == "7.00"
    assert (await http.get("/v1/cases/second/L-1")).json()["arrears"] == "7.00"


@pytest.mark.parametrize("path", ["/v1/cases/L-404", "/v1/cases/L-1?lender_id=nobody", "/v1/cases/%E8%B4%B7"])
async def test_an_unknown_loan(pool: Pool, http: httpx.AsyncClient, path: str) -> None:
    await add_loan(pool)
    assert says_problem(await http.get(path), 404, "unknown")


async def test_a_loan_id_that_is_no_text(http: httpx.AsyncClient) -> None:
    assert says_problem(await http.get("/v1/cases/L%00"), 422)


# --- the rest of the house ---


async def test_other_addresses_and_methods(http: httpx.AsyncClient) -> None:
    assert says_problem(await http.get("/nowhere"), 404)
    wrong = await http.get("/v1/entries")
    assert says_problem(wrong, 405)
    assert wrong.headers["allow"] == "POST"


async def test_alive(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).json() == {"ok": True}


async def test_ready(pool: Pool) -> None:
    answer = await ready(pool, temporal=answers)
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True, "reasons": [], "outbox_waiting": 0, "outbox_stranded": 0, "outbox_oldest_seconds": 0.0,
    }  # fmt: skip


async def test_not_ready_without_temporal_or_with_a_relay_that_stands_still(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await outbox.add(conn, KEY, "ledger_changed", {})
    assert (await ready(pool, temporal=answers)).status_code == 200
    await pool.execute("update outbox set created_at = $1", datetime.now(UTC) - timedelta(hours=1))
    answer = await ready(pool, temporal=refuses)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["detail"].startswith(
        "Temporal does not answer: start it, or check TEMPORAL_ADDRESS. the relay"
    )
    assert [r.partition(":")[0] for r in answer.json()["reasons"]] == [
        "Temporal does not answer",
        "the relay does not deliver",
    ]


async def test_one_lost_case_does_not_stop_payments(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await outbox.add(conn, KEY, "ledger_changed", {})
        await strand(conn, KEY, "no workflow")
    await pool.execute("update outbox set created_at = $1", datetime.now(UTC) - timedelta(hours=1))
    answer = await ready(pool, temporal=answers)
    assert (answer.status_code, answer.json()["outbox_stranded"]) == (200, 1)


async def test_not_ready_without_the_database(pool: Pool) -> None:
    await pool.close()
    answer = await ready(pool, temporal=answers)
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["the database does not answer"])


async def test_not_ready_when_temporal_is_not_there_and_the_database_is_gone(
    pool: Pool, database_url: str, database_admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = await Client.connect(f"127.0.0.1:{port}", lazy=True)  # nobody listens there
    answer = await ready(pool, temporal=client.service_client.check_health)
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["Temporal does not answer"])
    name = database_url.rsplit("/", 1)[1].partition("?")[0]
    await database_admin.execute(f"drop database {name} with (force)")
    answer = await ready(pool, temporal=answers)
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["the database does not answer"])
    await database_admin.execute(f"create database {name}")


async def test_openapi_describes_the_real_answers(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    assert {
        path: sorted(answers[method]["responses"]) for path, answers in document["paths"].items() for method in answers
    } == {
        "/v1/entries": ["200", "201", "400", "401", "403", "408", "409", "413", "422", "429", "503"],
        "/v1/entries/batch": ["200", "400", "401", "408", "413", "422", "429", "503"],
        "/v1/cases/{loan_id}": ["200", "404", "422", "429", "503"],
        "/v1/connectors/stripe/{lender_id}": ["200", "400", "401", "408", "409", "413", "422", "429", "503"],
        "/v1/connectors/gocardless/{lender_id}": ["200", "204", "400", "408", "409", "413", "422", "429", "498", "503"],
        "/twilio/status": ["204", "400", "403", "404", "408", "413", "422", "503"],
        "/twilio/sms": ["200", "400", "403", "408", "413", "503"],
        "/twilio/voice": ["200", "400", "403", "404", "408", "413", "422", "503"],
        "/twilio/voice/status": ["204", "400", "403", "404", "408", "413", "422", "503"],
        "/healthz": ["200"],
        "/readyz": ["200", "503"],
    }
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if status >= "400" and operation["tags"] != ["health"]:
                    assert list(answer["content"]) == ["application/problem+json"], (operation["summary"], status)
    post = document["paths"]["/v1/entries"]["post"]
    assert "#/$defs" not in json.dumps(document)  # it would point nowhere
    fields = post["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert fields["amount"]["type"] == "string"
