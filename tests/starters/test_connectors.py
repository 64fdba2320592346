import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from ledger.secrets import add_secret
from starters.api import create_app
from tests.ledger.samples import KEY, Pool, Standing, add_loan
from tests.starters.far_side import PUBLIC, says_problem

WHSEC, GC_SECRET, TOKEN = "whsec_" + "s" * 20, "gocardless-endpoint-secret", "live_token_of_the_lender"
CREATED = int(datetime(2026, 3, 9, 23, 30, tzinfo=UTC).timestamp())


class FarApi(ThreadingHTTPServer):
    """GoCardless's API, as far as it is asked for payments."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FarHandler)
        self.payments: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class FarHandler(BaseHTTPRequestHandler):
    server: FarApi

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        proved = (self.headers["Authorization"], self.headers["GoCardless-Version"]) == (
            f"Bearer {TOKEN}",
            "2015-07-06",
        )
        found = self.server.payments.get(self.path.removeprefix("/payments/")) if proved else None
        body = json.dumps({"payments": found} if found else {"error": {"code": 404}}).encode()
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def far() -> Iterator[FarApi]:
    with FarApi() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
async def api(pool: Pool, far: FarApi) -> Any:
    await add_loan(pool)
    await pool.execute("update lenders set timezone = 'Europe/Rome'")
    async with pool.acquire() as conn:
        await add_secret(conn, "default", "stripe", WHSEC)
        await add_secret(conn, "default", "gocardless", GC_SECRET)
        await add_secret(conn, "default", "gocardless_token", TOKEN)
    app = create_app(pool, Standing(), secrets=[], twilio_token=None, public_url=PUBLIC, gocardless_url=far.url)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        yield http


async def stripe(
    api: httpx.AsyncClient, kind: str, *, secret: str = WHSEC, age: int = 0, lender: str = "default", **thing: Any
) -> httpx.Response:
    event = {"id": "evt_1", "object": "event", "type": kind, "created": CREATED, "data": {"object": thing}}
    body, at = json.dumps(event).encode(), str(int(time.time()) - age)
    made = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    header = f"t={at},v1={'0' * 64},v1={made},v0=unused"
    return await api.post(f"/v1/connectors/stripe/{lender}", content=body, headers={"Stripe-Signature": header})


def intent(charge: str | None = "ch_1", **values: Any) -> dict[str, Any]:
    usual = {"id": "pi_1", "object": "payment_intent", "amount": 1000, "amount_received": 1000, "currency": "eur"}
    return usual | {"metadata": {"loan_id": "L-1"}, "latest_charge": charge} | values


async def gocardless(api: httpx.AsyncClient, *events: Any, secret: str = GC_SECRET) -> httpx.Response:
    body = json.dumps({"events": list(events), "meta": {"webhook_id": "WB1"}}).encode()
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return await api.post("/v1/connectors/gocardless/default", content=body, headers={"Webhook-Signature": made})


def event(action: str, number: int = 1, **values: Any) -> dict[str, Any]:
    usual = {"id": f"EV{number}", "created_at": "2026-03-09T10:00:00.000Z", "resource_type": "payments"}
    return usual | {"action": action, "links": {"payment": "PM1"}, "details": {"cause": "insufficient_funds"}} | values


def far_payment(**values: Any) -> dict[str, Any]:
    return {"id": "PM1", "amount": 1000, "currency": "EUR", "metadata": {"loan_id": "L-1"}} | values


async def lines(pool: Pool) -> list[tuple[str, str, str, str]]:
    rows = await pool.fetch("select * from ledger_lines order by ledger_version")
    return [(r["entry_id"], r["kind"], r["status"], f"{r['amount'].normalize():f}") for r in rows]


# --- Stripe ---


async def test_stripe_money_on_its_way_then_there_and_back(pool: Pool, api: httpx.AsyncClient) -> None:
    for kind in ("payment_intent.processing", "payment_intent.succeeded", "payment_intent.succeeded"):
        answer = await stripe(api, kind, **intent())
        assert (answer.status_code, answer.json()) == (200, {"entries": ["stripe-ch_1"], "ignored": []})
    charge: dict[str, Any] = {
        "id": "ch_1",
        "object": "charge",
        "amount": 1000,
        "amount_captured": 1000,
        "captured": True,
    }
    await stripe(api, "charge.succeeded", **charge, currency="eur", payment_intent="pi_1", metadata={})
    await stripe(api, "payment_intent.processing", **intent())  # late
    dispute: dict[str, Any] = {
        "id": "dp_1",
        "object": "dispute",
        "charge": "ch_1",
        "amount": 400,
        "currency": "eur",
        "reason": "fraudulent",
    }
    for _ in range(2):
        assert (await stripe(api, "charge.dispute.funds_withdrawn", **dispute)).status_code == 200
    assert (await stripe(api, "charge.dispute.funds_reinstated", **dispute)).status_code == 200
    assert await lines(pool) == [
        ("stripe-ch_1", "payment", "pending", "10"),
        ("stripe-ch_1", "payment", "settled", "10"),
        ("stripe-dp_1-withdrawn", "reversal", "settled", "4"),
        ("stripe-dp_1-reinstated", "payment", "settled", "4"),
    ]
    row = await pool.fetchrow("select reverses, reason, value_date from entries where kind = 'reversal'")
    assert row is not None
    assert (row["reverses"], row["reason"], row["value_date"].isoformat()) == (
        "stripe-ch_1",
        "fraudulent",
        "2026-03-10",
    )


async def test_stripe_attempts_that_fail(pool: Pool, api: httpx.AsyncClient) -> None:
    card = {"payment_method": {"type": "card"}}
    declined = await stripe(api, "payment_intent.payment_failed", **intent("ch_0", last_payment_error=card))
    assert declined.json()["ignored"] == ["payment_intent.payment_failed"]
    await stripe(api, "payment_intent.processing", **intent("ch_1"))
    await stripe(api, "payment_intent.payment_failed", **intent("ch_1"))
    await stripe(api, "payment_intent.succeeded", **intent("ch_2"))  # the next attempt
    assert await lines(pool) == [
        ("stripe-ch_1", "payment", "pending", "10"),
        ("stripe-ch_1", "payment", "returned", "10"),
        ("stripe-ch_2", "payment", "settled", "10"),
    ]
    uncaptured: dict[str, Any] = {"id": "ch_9", "object": "charge", "amount": 500, "captured": False, "currency": "eur"}
    assert (await stripe(api, "charge.succeeded", **uncaptured)).json()["entries"] == []


async def test_stripe_failure_that_comes_first(pool: Pool, api: httpx.AsyncClient) -> None:
    await stripe(api, "payment_intent.payment_failed", **intent())
    late = await stripe(api, "payment_intent.processing", **intent())
    assert late.json()["ignored"] == ["payment_intent.processing"]
    abandoned = await stripe(api, "payment_intent.canceled", **intent(None, id="pi_2"))
    assert abandoned.json()["ignored"] == ["payment_intent.canceled"]
    assert await lines(pool) == [("stripe-ch_1", "payment", "returned", "10")]
    await stripe(api, "payment_intent.succeeded", **intent("ch_2"))
    refund: dict[str, Any] = {"id": "re_1", "object": "refund", "charge": "ch_2", "amount": 300, "currency": "eur"}
    await stripe(api, "refund.failed", **refund, status="failed")
    await stripe(api, "refund.created", **refund, status="pending")
    assert (await lines(pool))[2:] == [("stripe-re_1", "refund", "returned", "3")]


async def test_stripe_next_attempt_where_the_first_named_no_charge(pool: Pool, api: httpx.AsyncClient) -> None:
    await stripe(api, "payment_intent.processing", **intent(None))
    await stripe(api, "payment_intent.payment_failed", **intent(None))
    for _ in range(2):
        await stripe(api, "payment_intent.succeeded", **intent("ch_2"))
    assert (await lines(pool))[1:] == [
        ("stripe-pi_1", "payment", "returned", "10"),
        ("stripe-pi_1/2", "payment", "settled", "10"),
    ]


async def test_stripe_receives_less_than_was_on_its_way(pool: Pool, api: httpx.AsyncClient) -> None:
    for _ in range(2):
        await stripe(api, "payment_intent.processing", **intent(amount_received=0))
        assert (await stripe(api, "payment_intent.succeeded", **intent(amount_received=900))).status_code == 200
    dispute: dict[str, Any] = {"id": "dp_1", "object": "dispute", "charge": "ch_1", "amount": 900, "currency": "eur"}
    assert (await stripe(api, "charge.dispute.funds_withdrawn", **dispute)).status_code == 200
    assert await lines(pool) == [
        ("stripe-ch_1", "payment", "pending", "10"),
        ("stripe-ch_1", "payment", "returned", "10"),
        ("stripe-ch_1/2", "payment", "settled", "9"),
        ("stripe-dp_1-withdrawn", "reversal", "settled", "9"),
    ]


async def test_stripe_second_dispute(pool: Pool, api: httpx.AsyncClient) -> None:
    await stripe(api, "payment_intent.succeeded", **intent())
    dispute: dict[str, Any] = {"object": "dispute", "charge": "ch_1", "amount": 1000, "currency": "eur"}
    for _ in range(2):
        for dispute_id, what in (("dp_1", "withdrawn"), ("dp_1", "reinstated"), ("dp_2", "withdrawn")):
            answer = await stripe(api, f"charge.dispute.funds_{what}", **dispute, id=dispute_id)
            assert answer.status_code == 200
    rows = await pool.fetch("select entry_id, reverses from entries order by ledger_version")
    assert [tuple(row) for row in rows] == [
        ("stripe-ch_1", None),
        ("stripe-dp_1-withdrawn", "stripe-ch_1"),
        ("stripe-dp_1-reinstated", None),
        ("stripe-dp_2-withdrawn", "stripe-dp_1-reinstated"),
    ]


async def test_stripe_refunds(pool: Pool, api: httpx.AsyncClient) -> None:
    refund: dict[str, Any] = {
        "id": "re_1",
        "object": "refund",
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "amount": 300,
        "currency": "eur",
    }
    assert says_problem(await stripe(api, "refund.created", **refund, status="succeeded"), 409, "not known yet")
    await stripe(api, "payment_intent.succeeded", **intent())
    await stripe(api, "refund.created", **refund, status="pending")
    await stripe(api, "refund.updated", **refund, status="succeeded")
    await stripe(api, "charge.refunded", id="ch_1", object="charge", amount=1000, amount_refunded=300, currency="eur")
    await stripe(api, "refund.failed", **refund, status="failed")
    assert await lines(pool) == [
        ("stripe-ch_1", "payment", "settled", "10"),
        ("stripe-re_1", "refund", "pending", "3"),
        ("stripe-re_1", "refund", "settled", "3"),
        ("stripe-re_1-failed", "reversal", "settled", "3"),
    ]


@pytest.mark.parametrize(
    ("currency", "minor", "amount"), [("jpy", 500, "500"), ("kwd", 5120, "5.12"), ("isk", 500, "5"), ("usd", 1, "0.01")]
)
async def test_stripe_smallest_units(
    pool: Pool, api: httpx.AsyncClient, currency: str, minor: int, amount: str
) -> None:
    await pool.execute("update loans set currency = $1", currency.upper())
    await stripe(api, "payment_intent.succeeded", **intent(amount_received=minor, currency=currency))
    assert [line[3] for line in await lines(pool)] == [amount]


async def test_stripe_money_for_nobody_we_know(pool: Pool, api: httpx.AsyncClient) -> None:
    await stripe(api, "payment_intent.succeeded", **intent(metadata={"loan_id": "L-404"}))
    await stripe(api, "payment_intent.succeeded", **intent("ch_2", metadata={}))
    kept = await pool.fetch("select entry_id, loan_id from suspense order by entry_id")
    assert [tuple(r) for r in kept] == [("stripe-ch_1", "L-404"), ("stripe-ch_2", "pi_1")]
    dispute: dict[str, Any] = {"id": "dp_1", "object": "dispute", "charge": "ch_1", "amount": 400, "currency": "eur"}
    assert (await stripe(api, "charge.dispute.funds_withdrawn", **dispute)).status_code == 200
    assert await pool.fetchval("select count(*) from suspense") == 3


async def test_stripe_signatures_and_what_is_no_event(pool: Pool, api: httpx.AsyncClient) -> None:
    forged: list[dict[str, Any]] = [{"secret": "whsec_other"}, {"age": 400}, {"lender": "nobody"}]
    for wrong in forged:
        assert says_problem(await stripe(api, "payment_intent.succeeded", **wrong, **intent()), 401)
    assert says_problem(await api.post("/v1/connectors/stripe/default", content=b"{}"), 401)
    unknown = await stripe(api, "customer.created", id="cus_1")
    assert (unknown.status_code, unknown.json()) == (200, {"entries": [], "ignored": ["customer.created"]})
    assert says_problem(await stripe(api, "payment_intent.succeeded", no="id"), 422)
    for wrong in ({"amount_received": "ten"}, {"currency": "ugx"}, {"currency": "usd"}):
        assert says_problem(await stripe(api, "payment_intent.succeeded", **intent(**wrong)), 422)
    assert await lines(pool) == []


# --- GoCardless ---


async def test_gocardless_money_comes_and_goes(pool: Pool, api: httpx.AsyncClient, far: FarApi) -> None:
    far.payments["PM1"] = far_payment()
    answer = await gocardless(api, event("created"), event("submitted", 2), event("confirmed", 3))
    assert (answer.status_code, answer.json()["entries"]) == (200, ["gocardless-PM1"] * 3)
    assert far.asked == ["/payments/PM1"]
    for _ in range(2):
        assert (await gocardless(api, event("paid_out", 4), event("charged_back", 5))).status_code == 200
    await gocardless(api, event("chargeback_cancelled", 6), event("submitted", 2), event("chargeback_settled", 7))
    assert await lines(pool) == [
        ("gocardless-PM1", "payment", "pending", "10"),
        ("gocardless-PM1", "payment", "settled", "10"),
        ("gocardless-EV5", "reversal", "settled", "10"),
        ("gocardless-EV6", "payment", "settled", "10"),
    ]


async def test_gocardless_failures_retries_and_late_failures(pool: Pool, api: httpx.AsyncClient, far: FarApi) -> None:
    far.payments["PM1"] = far_payment()
    retry = event("failed", 2, details={"will_attempt_retry": True})
    assert (await gocardless(api, event("submitted"), retry)).json()["ignored"] == ["payments.failed"]
    await gocardless(api, event("failed", 3))
    assert (await gocardless(api, event("failed", 3))).json()["ignored"] == ["payments.failed"]
    await gocardless(api, event("resubmission_requested", 4), event("submitted", 5), event("confirmed", 6))
    await gocardless(api, event("failed", 7), event("late_failure_settled", 8))
    assert await lines(pool) == [
        ("gocardless-PM1", "payment", "pending", "10"),
        ("gocardless-PM1", "payment", "returned", "10"),
        ("gocardless-PM1/2", "payment", "settled", "10"),
        ("gocardless-PM1/2-failed", "reversal", "settled", "10"),
    ]
    assert await pool.fetchval("select reverses from entries where kind = 'reversal'") == "gocardless-PM1/2"


async def told(api: httpx.AsyncClient, far: FarApi, status: str | None, *events: dict[str, Any]) -> None:
    """One webhook, at a time when GoCardless's API gives the payment this status."""
    far.payments["PM1"] = far_payment(**{"status": status} if status else {})
    assert (await gocardless(api, *events)).status_code == 200


@pytest.mark.parametrize("known", [True, False], ids=["status", "no status"])
async def test_gocardless_collects_anew_after_a_late_failure(
    pool: Pool, api: httpx.AsyncClient, far: FarApi, known: bool
) -> None:
    def status(name: str) -> str | None:
        return name if known else None

    await told(api, far, status("confirmed"), event("submitted"), event("confirmed", 2))
    await told(api, far, status("failed"), event("failed", 3), event("late_failure_settled", 4))
    await told(api, far, status("submitted"), event("resubmission_requested", 5), event("submitted", 6))
    await told(api, far, status("confirmed"), event("confirmed", 7))
    await told(api, far, status("paid_out"), event("paid_out", 8), event("confirmed", 7), event("confirmed", 2))
    found = [line for line in await lines(pool) if line[2] == "settled"]
    assert found == [
        ("gocardless-PM1", "payment", "settled", "10"),
        ("gocardless-PM1-failed", "reversal", "settled", "10"),
        ("gocardless-PM1/2", "payment", "settled", "10"),
    ]
    await told(api, far, status("failed"), event("failed", 9))
    assert (await lines(pool))[-1] == ("gocardless-PM1/2-failed", "reversal", "settled", "10")


@pytest.mark.parametrize("late", ["confirmed", "submitted"])
async def test_gocardless_events_that_were_overtaken_make_no_money(
    pool: Pool, api: httpx.AsyncClient, far: FarApi, late: str
) -> None:
    await told(api, far, "submitted", event("submitted"))
    await told(api, far, "failed", event("failed", 2))
    await told(api, far, "failed", event(late, 3, created_at="2026-03-08T10:00:00.000Z"))
    await told(api, far, None, event("confirmed", 3, created_at="2026-03-08T10:00:00.000Z"))
    await told(api, far, "pending_submission", event("confirmed", 3))
    assert await lines(pool) == [
        ("gocardless-PM1", "payment", "pending", "10"),
        ("gocardless-PM1", "payment", "returned", "10"),
    ]


@pytest.mark.parametrize("status", ["failed", None])
async def test_gocardless_failure_before_all_else(
    pool: Pool, api: httpx.AsyncClient, far: FarApi, status: str | None
) -> None:
    await told(api, far, status, event("failed", 2), event("created"), event("submitted", 3))
    assert await lines(pool) == [("gocardless-PM1", "payment", "returned", "10")]
    await told(api, far, "confirmed", event("confirmed", 4))
    assert (await lines(pool))[-1] == ("gocardless-PM1/2", "payment", "settled", "10")


async def test_gocardless_failure_that_comes_after_the_next_collection(
    pool: Pool, api: httpx.AsyncClient, far: FarApi
) -> None:
    await told(api, far, "confirmed", event("submitted"), event("confirmed", 4), event("failed", 2))
    assert (await lines(pool))[-1] == ("gocardless-PM1", "payment", "settled", "10")
    await told(api, far, "submitted", event("failed", 5))  # late failure, told when it was submitted again
    assert (await lines(pool))[-1] == ("gocardless-PM1-failed", "reversal", "settled", "10")
    await told(api, far, "submitted", event("submitted", 7), event("failed", 5))
    assert (await lines(pool))[-1] == ("gocardless-PM1/2", "payment", "pending", "10")


async def test_gocardless_second_chargeback(pool: Pool, api: httpx.AsyncClient, far: FarApi) -> None:
    back = [event("charged_back", 2), event("chargeback_cancelled", 3), event("charged_back", 4)]
    for _ in range(2):
        await told(api, far, "charged_back", event("confirmed"), *back)
    rows = await pool.fetch("select entry_id, kind, reverses from entries order by ledger_version")
    assert [tuple(row) for row in rows] == [
        ("gocardless-PM1", "payment", None),
        ("gocardless-EV2", "reversal", "gocardless-PM1"),
        ("gocardless-EV3", "payment", None),
        ("gocardless-EV4", "reversal", "gocardless-EV3"),
    ]


async def test_gocardless_is_asked_again_where_it_did_not_answer(
    pool: Pool, api: httpx.AsyncClient, far: FarApi
) -> None:
    answer = await gocardless(api, event("confirmed"))
    assert says_problem(answer, 503, "could not be fetched")
    assert answer.headers["retry-after"]
    assert await lines(pool) == []
    far.payments["PM1"] = far_payment(metadata={})
    await gocardless(api, event("confirmed", resource_metadata={"loan_id": "L-404"}))
    assert await pool.fetchval("select loan_id from suspense") == "L-404"


async def test_gocardless_signatures_and_other_events(pool: Pool, api: httpx.AsyncClient) -> None:
    forged = await gocardless(api, event("confirmed"), secret="another")
    assert says_problem(forged, 498)
    assert forged.json()["title"] == "Token Invalid"
    other = await gocardless(api, event("created", resource_type="mandates", links={"mandate": "MD1"}))
    assert (other.status_code, other.content) == (204, b"")  # as their documentation asks
    assert says_problem(await gocardless(api, "no event"), 422)
    assert says_problem(await gocardless(api, event("confirmed", links={"payment": "../creditors"})), 422)
    assert await pool.fetchval("select count(*) from entries where lender_id = $1", KEY.lender_id) == 0
