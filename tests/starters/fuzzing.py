"""Calls the API with what its own OpenAPI document allows, with what it does not, and with what no document has: signed, wrongly signed, unsigned.

No answer may be a 5xx that is not documented, nor of a status, a type or a shape that the document does not name; and nobody whose
signature proves nothing gets a 2xx.
"""

import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from twilio.request_validator import RequestValidator

from starters.signature import HEADER, sign
from tests.starters.far_side import PUBLIC, SECRET, TOKEN
from tests.starters.fuzz_contents import RAW, entries, gocardless, stripe
from tests.starters.fuzz_server import ENDPOINT, OWN, WHSEC

CHECKS: Any = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FORGED = {"/v1/entries": 401, "/v1/connectors/stripe": 401, "/v1/connectors/gocardless": 498, "/twilio": 403}
ALLOWED = (GenerationMode.POSITIVE,)
BOTH = (*ALLOWED, GenerationMode.NEGATIVE)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# What takes nothing that could be wrong: no body, and any text as its parameters.
NEVER_WRONG = {"/healthz", "/readyz", "/twilio/sms"}
hands = st.sampled_from(["right"] * 6 + ["own", "wrong", "old", "garbled", "none"])


@dataclass
class Hand:
    """Signs a request as those do who really send it, or not quite so; and may put another body into it before."""

    kind: str = "right"
    raw: bytes | None = None

    @property
    def proves(self) -> bool:
        return self.kind in {"right", "own"}

    def __call__(self, request: Any) -> Any:
        if self.raw is not None and request.method == "POST":
            request.body = self.raw
            request.headers["Content-Length"] = str(len(self.raw))
        body = request.body or b""
        name, value = self._header(request.path_url, body.encode() if isinstance(body, str) else body)
        if name:
            request.headers.pop(name, None)
        if name and self.kind != "none":
            request.headers[name] = "t=1,v1=,v1" if self.kind == "garbled" else value
        return request

    def _header(self, path: str, body: bytes) -> tuple[str, str]:
        secret = {"right": SECRET, "old": SECRET, "own": OWN}.get(self.kind, "whsec_of_somebody_else")
        at = int(time.time()) - (1000 if self.kind == "old" else 0)
        if path.startswith("/v1/entries"):
            return HEADER, sign(secret, body, at)
        if path.startswith("/v1/connectors/stripe"):
            return "Stripe-Signature", sign(WHSEC if self.kind in {"right", "own", "old"} else secret, body, at)
        key = ENDPOINT if self.proves else secret
        if path.startswith("/v1/connectors/gocardless"):
            return "Webhook-Signature", hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        if path.startswith("/twilio"):
            form = dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
            validator = RequestValidator(TOKEN if self.proves else secret)
            return "X-Twilio-Signature", validator.compute_signature(PUBLIC + path, form)
        return "", ""


def operations(url: str) -> list[Any]:
    """All that the document lists."""
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    return [result.ok() for result in document.get_all_operations()]  # type: ignore[union-attr]


def fuzz(url: str, examples: int, start: int = 1, modes: Sequence[GenerationMode] = BOTH) -> Counter[str]:
    """Call every operation this often in each way; how many answers there were, as `operation status`.

    Raises:
        Exception: an answer was not as documented; the message has the request.
    """
    found: Counter[str] = Counter()
    for operation in operations(url):
        for mode in modes:
            try:
                _run(operation.as_strategy(generation_mode=mode), examples, start, found)
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, operation.label
                assert operation.path in NEVER_WRONG, operation.label
    return found


def cover(url: str, hand: Hand) -> Counter[str]:
    """Call every operation once with each boundary of its document; as `fuzz`."""
    found: Counter[str] = Counter()
    for operation in operations(url):
        for case in operation.schema.iter_coverage_cases(
            operation,
            generation_modes=list(BOTH),
            generation_config=operation.schema.config.generation_for(operation=operation),
        ):
            _call(case, hand, found)
    return found


def stray(url: str) -> Counter[str]:
    """Addresses that there are with methods that there are not, addresses that there are not, and what the document leaves out."""
    found: Counter[str] = Counter()
    with httpx.Client(base_url=url) as http:
        document = http.get("/openapi.json").json()
        methods = {path: {m.upper() for m in each} for path, each in document["paths"].items()}
        for path, method in _strays(methods | {"/metrics": {"GET"}}):
            answer = http.request(method, path.replace("{", "").replace("}", ""))
            expected = 405 if path in methods or path == "/metrics" else 404
            assert answer.status_code == expected, (method, path, answer.status_code)
            assert answer.headers["content-type"] == "application/problem+json", (method, path)
            assert method == "HEAD" or answer.json()["status"] == expected
            if expected == 405:
                assert set(answer.headers["allow"].split(", ")) == (methods | {"/metrics": {"GET"}})[path]
            found[f"stray {expected}"] += 1
        metrics = http.get("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain")
        found[f"metrics {metrics.status_code}"] += 1
    return found


def _strays(methods: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    yield from ((path, method) for path, there in methods.items() for method in METHODS if method not in there)
    for path in (
        "/",
        "/v1",
        "/v1/entries/",
        "/v1/entries/batch/x",
        "/v1/cases",
        "/twilio",
        "/healthz/",
        "/docs",
        "/%00",
        "//",
    ):
        yield from ((path, method) for method in METHODS)


def _run(cases: Any, examples: int, start: int, found: Counter[str]) -> None:
    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, data=st.data(), hand=hands, good=st.integers(0, 2), raw=st.integers(0, 9))
    def call(case: Any, data: st.DataObject, hand: str, good: int, raw: int) -> None:
        if good:
            _make_good(case, data)
        _call(case, Hand(hand, data.draw(st.sampled_from(RAW)) if raw == 0 else None), found)

    call()


def _call(case: Any, hand: Hand, found: Counter[str]) -> None:
    answer = case.call(auth=hand, timeout=30)
    case.validate_response(answer, checks=CHECKS)
    found[f"{case.operation.path} {answer.status_code}"] += 1
    forged = next((status for path, status in FORGED.items() if case.operation.path.startswith(path)), None)
    if forged is not None and not hand.proves and case.method == case.operation.method.upper():
        # Twilio signs the form, which must be one; nothing else is read before it is proved.
        unread = {413, 422, 429, 503} | ({400} if forged == 403 else set())
        assert answer.status_code in unread | {forged}, (hand.kind, answer.status_code)


def _make_good(case: Any, data: st.DataObject) -> None:
    """Let some of what is sent be about things that there are, so that it gets to the ledger."""
    path = case.operation.path
    if path == "/v1/entries":
        case.body = data.draw(entries())
    elif path == "/v1/entries/batch":
        case.body = data.draw(st.lists(entries(), max_size=4))
    elif path.startswith("/v1/connectors/"):
        case.path_parameters = {"lender_id": "default"}
        case.body = data.draw(stripe() if "stripe" in path else gocardless())
    elif path == "/v1/cases/{loan_id}":
        case.path_parameters, case.query = {"loan_id": "L-1"}, {}


def told(found: Counter[str]) -> str:
    """The counts, a line for each operation."""
    lines: dict[str, dict[str, int]] = {}
    for name in sorted(found):
        operation, _, status = name.rpartition(" ")
        lines.setdefault(operation, {})[status] = found[name]
    return "\n".join(f"{operation:<42} {json.dumps(statuses)}" for operation, statuses in lines.items())


def by_status(found: Counter[str]) -> Counter[int]:
    """How many answers of each status there were, over all operations."""
    total: Counter[int] = Counter()
    for name, times in found.items():
        total[int(name.rpartition(" ")[2])] += times
    return total
