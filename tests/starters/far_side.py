"""Those who call the API: a lender who signs entries, and a carrier who signs forms."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
from twilio.request_validator import RequestValidator

from starters.signature import HEADER, sign

SECRET = "whsec_test"
TOKEN = "twilio-token"
PUBLIC = "https://arrears.example/api"


class Lender:
    """Posts entries with a signature."""

    def __init__(self, http: httpx.AsyncClient, secret: str = SECRET) -> None:
        self.http = http
        self.secret = secret

    async def post(self, content: Any, path: str = "/v1/entries", *, at: int | None = None) -> httpx.Response:
        """`content` is sent as it stands where it is bytes, else as JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return await self.http.post(path, content=body, headers={HEADER: sign(self.secret, body, at)})


class Carrier:
    """Posts forms with Twilio's signature."""

    def __init__(self, http: httpx.AsyncClient, token: str = TOKEN) -> None:
        self.http = http
        self.validator = RequestValidator(token)

    async def post(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        signature = self.validator.compute_signature(PUBLIC + path, dict(form))
        return await self.http.post(path, data=dict(form), headers={"X-Twilio-Signature": signature})

    async def text(self, body: str, sender: str, sid: str, **more: str) -> httpx.Response:
        """A borrower writes."""
        return await self.post(
            "/twilio/sms", {"MessageSid": sid, "From": sender, "To": "+12025550100", "Body": body} | more
        )

    async def receipt(self, attempt: str, sid: str, status: str, code: int | None = None) -> httpx.Response:
        """What became of a text."""
        form = {"MessageSid": sid, "MessageStatus": status} | ({"ErrorCode": str(code)} if code else {})
        return await self.post(f"/twilio/status?attempt={attempt}", form)


def payment(**values: Any) -> dict[str, Any]:
    """A payment of 10 EUR for L-1, unless said otherwise."""
    usual = {
        "entry_id": "E-1",
        "loan_id": "L-1",
        "kind": "payment",
        "amount": "10.00",
        "currency": "EUR",
        "value_date": "2026-03-09",
        "reverses": None,
    }
    return usual | values


def says_problem(answer: httpx.Response, status: int, words: str = "") -> bool:
    """Whether an answer is a problem+json of this status whose sentence has these words."""
    body = answer.json()
    return (
        answer.status_code == status == body["status"]
        and answer.headers["content-type"] == "application/problem+json"
        and set(body) == {"type", "title", "status", "detail"}
        and words in body["detail"]
    )
