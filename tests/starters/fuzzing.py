"""Calls the API with what its own OpenAPI document allows and with what it does not, signed so that it gets past the door.

No answer may be a 5xx, nor of a status, a type or a shape that the document does not name.
"""

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any
from urllib.parse import parse_qsl

import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from twilio.request_validator import RequestValidator

from domain.voice_words import CallBack
from ledger.pool import open_pool
from ledger.secrets import add_secret
from starters.api import create_app
from starters.signature import HEADER, sign
from tests.ledger.samples import Standing, add_case, add_loan
from tests.starters.far_side import PUBLIC, SECRET, TOKEN

CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
WHSEC, ENDPOINT = "whsec_" + "f" * 20, "gocardless-" + "f" * 20
GOOD = {"loan_id": "L-1", "lender_id": "default", "currency": "EUR", "amount": "1.00", "value_date": "2026-03-01"}
INTENT = {"id": "pi_1", "object": "payment_intent", "amount_received": 100, "currency": "eur", "latest_charge": "ch_1"}


@contextmanager
def serving(dsn: str) -> Iterator[str]:
    """The API under a real server in a thread, over a ledger with one loan; yields its address."""
    server: list[uvicorn.Server] = []

    async def main() -> None:
        async with await open_pool(dsn) as pool:
            await add_loan(pool)
            await add_case(pool)
            async with pool.acquire() as conn:
                await add_secret(conn, "default", "stripe", WHSEC)
                await add_secret(conn, "default", "gocardless", ENDPOINT)
            call_back = CallBack(business="Lender", person="Ann", number="+12015550100")
            app = create_app(
                pool,
                Standing(),
                secrets=[SECRET],
                twilio_token=TOKEN,
                public_url=PUBLIC,
                rate_limit="",
                call_back=call_back,
            )
            server.append(
                uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
            )
            await server[0].serve()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    while not (server and server[0].started):
        if not thread.is_alive():
            raise RuntimeError("the API did not start")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server[0].servers[0].sockets[0].getsockname()[1]}"
    finally:
        server[0].should_exit = True
        thread.join()


def fuzz(url: str, examples: int, start: int = 1) -> Counter[int]:
    """Call every operation this often in each way; how many answers there were of each status.

    Raises:
        Exception: an answer was not as documented; the message has the request.
    """
    found: Counter[int] = Counter()
    for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            wrong = mode is schemathesis.GenerationMode.NEGATIVE
            # Some operations take nothing that could be wrong.
            with suppress(Unsatisfiable) if wrong else nullcontext():
                _run(operation.as_strategy(generation_mode=mode), examples, start, found)
    return found


def _run(cases: Any, examples: int, start: int, found: Counter[int]) -> None:
    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, good=st.booleans())
    def call(case: Any, good: bool) -> None:
        if good:
            _make_good(case)
        answer = case.call(auth=_signed, timeout=30)
        case.validate_response(answer, checks=CHECKS)
        found[answer.status_code] += 1

    call()


def _make_good(case: Any) -> None:
    """Let some of what is sent be about a loan that there is, in amounts that can be, so that it gets to the ledger."""
    if "/entries" in case.path:
        body = case.body.get("entries") if isinstance(case.body, dict) and "entries" in case.body else case.body
        for entry in body if isinstance(body, list) else [body]:
            if isinstance(entry, dict):
                named = hashlib.sha256(repr(entry.get("entry_id")).encode()).hexdigest()[:8]
                entry.update(GOOD, kind="payment", entry_id=named)
                for name in ("reverses", "component", "instalment", "direction", "reason", "source", "payer"):
                    entry.pop(name, None)
    elif case.path.endswith("/stripe/{lender_id}"):
        case.path_parameters = {"lender_id": "default"}
        if isinstance(case.body, dict):
            case.body.setdefault("created", 1_700_000_000)
            case.body.update({"type": "payment_intent.succeeded", "data": {"object": INTENT}})
    elif case.path.endswith("/gocardless/{lender_id}"):
        case.path_parameters = {"lender_id": "default"}
        if isinstance(case.body, dict):
            case.body["events"] = [{"resource_type": "mandates", "action": "created", **case.body}]
    elif case.path == "/v1/cases/{loan_id}":
        case.path_parameters = {"loan_id": "L-1"}


def _signed(request: Any) -> Any:
    """Sign a request as those do who really send it."""
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    path = request.path_url
    if path.startswith("/v1/entries"):
        request.headers[HEADER] = sign(SECRET, body)
    elif path.startswith("/v1/connectors/stripe"):
        request.headers["Stripe-Signature"] = sign(WHSEC, body)
    elif path.startswith("/v1/connectors/gocardless"):
        request.headers["Webhook-Signature"] = hmac.new(ENDPOINT.encode(), body, hashlib.sha256).hexdigest()
    elif path.startswith("/twilio"):
        form = dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
        request.headers["X-Twilio-Signature"] = RequestValidator(TOKEN).compute_signature(PUBLIC + path, form)
    return request


def told(found: Counter[int]) -> str:
    """The counts in one line."""
    return json.dumps({str(status): found[status] for status in sorted(found)})
