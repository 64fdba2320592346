"""GoCardless's webhooks as entries (docs/connectors.md). They carry no amounts, so each payment is fetched from GoCardless's API."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
import httpx
from fastapi import APIRouter, Header, Request, Response

from domain.clock import Clock
from domain.loan import EntryStatus
from domain.money import currencies, minor_unit
from starters.bodies import parse_json
from starters.connectors.taking import Attempt, Books, Took, failed_id, ignore, major, proved, text
from starters.problems import Refused, documented
from starters.proof import Desk

HEADER = "Webhook-Signature"
TOKEN_INVALID = 498  # their documentation's own status
LIVE = "https://api.gocardless.com"
VERSION = "2015-07-06"
PATIENCE = 10.0  # seconds
MOST_EVENTS = 250
PENDING = frozenset({"created", "submitted"})
SETTLED = frozenset({"confirmed", "paid_out"})
RETURNED = frozenset({"failed", "cancelled", "customer_approval_denied", "late_failure_settled"})
ENTRY_OF = frozenset({*PENDING, *SETTLED, *RETURNED, "charged_back", "chargeback_cancelled"})
# How money stands by the status of a payment, which is newer than events that come late or out of order.
STATUS = {
    "pending_customer_approval": EntryStatus.PENDING,
    "pending_submission": EntryStatus.PENDING,
    "submitted": EntryStatus.PENDING,
    "confirmed": EntryStatus.SETTLED,
    "paid_out": EntryStatus.SETTLED,
    "charged_back": EntryStatus.SETTLED,
    "failed": EntryStatus.RETURNED,
    "cancelled": EntryStatus.RETURNED,
    "customer_approval_denied": EntryStatus.RETURNED,
}


def gocardless_routes(
    pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, desk: Desk, base_url: str = LIVE
) -> APIRouter:
    """The address that GoCardless calls; `base_url` is where its own API answers."""
    routes = APIRouter(tags=["connectors"])

    @routes.post(
        "/v1/connectors/gocardless/{lender_id}",
        summary="A webhook of GoCardless",
        response_model=Took,
        responses={
            204: {"description": "Unknown events alone: nothing changed."},
            **documented(400, 408, 409, 413, 422, 429, TOKEN_INVALID, 503),
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    )
    async def webhook(
        request: Request, lender_id: str, signature: Annotated[str | None, Header(alias=HEADER)] = None
    ) -> Took | Response:
        """Money that the events tell of is committed when this answers 2xx; any other answer lets GoCardless send all of them again."""

        def check(body: bytes, secrets: list[str]) -> int | None:
            given = (signature or "").encode()
            made = [hmac.new(s.encode(), body, hashlib.sha256).hexdigest().encode() for s in secrets]
            fits = [hmac.compare_digest(given, each) for each in made]
            return fits.index(True) if any(fits) else None

        told = parse_json(await proved(request, desk, "gocardless", lender_id, check, TOKEN_INVALID))
        events = told.get("events") if isinstance(told, dict) else None
        if not isinstance(events, list) or len(events) > MOST_EVENTS or not all(isinstance(e, dict) for e in events):
            raise Refused(422, "this is no webhook of GoCardless's: it has no list of events.")
        tokens = [s.secret for s in await desk.book.of("gocardless_token", lender_id)]
        took = Took()
        async with httpx.AsyncClient(base_url=base_url, timeout=PATIENCE) as http:
            taker = _Taker(Books(pool, clock, lender_id), http, tokens)
            for event in events:
                await taker.take(event, took)
        # Their documentation asks for 204 where nothing is known.
        return took if any(_payment_of(event) for event in events) else Response(status_code=204)

    return routes


class _Taker:
    """Takes the events of one webhook, and fetches each payment once for all of them."""

    def __init__(self, books: Books, http: httpx.AsyncClient, tokens: list[str]) -> None:
        self._books = books
        self._http = http
        self._tokens = tokens
        self._fetched: dict[str, dict[str, Any]] = {}

    async def take(self, event: dict[str, Any], took: Took) -> None:
        action, payment_id = text(event, "action") or "", _payment_of(event)
        if payment_id is None:
            ignore(took, "gocardless", f"{text(event, 'resource_type')}.{action}")
            return
        payment = await self._fetch(payment_id)
        day = await self._books.day(_moment(event))
        last = await self._books.last_attempt(_id(payment_id))
        posted = []
        if not (last.over and last.day is not None and day < last.day):  # else it is of before what ended the attempt
            posted = await self._post(action, event, payment, last, _told(event, payment) | {"value_date": day})
        took.entries.extend(posted)
        if not posted:
            ignore(took, "gocardless", f"payments.{action}")

    async def _post(
        self, action: str, event: dict[str, Any], payment: dict[str, Any], last: Attempt, told: dict[str, Any]
    ) -> list[str]:
        now = STATUS.get(text(payment, "status") or "")
        if action in RETURNED:
            return await self._failed(action, event, now, last, told)
        collected = told | {"entry_id": last.current_id, "kind": "payment"}
        if action in PENDING:
            overtaken = now is EntryStatus.RETURNED or (last.over and now is None)
            return [] if overtaken else [await self._books.post(**collected, status=EntryStatus.PENDING)]
        if action in SETTLED and now in {EntryStatus.PENDING, EntryStatus.RETURNED}:
            return []  # it failed since, and its money is not there
        # Whatever comes back had been there.
        there = await self._books.post(**collected, status=EntryStatus.SETTLED)
        if action in SETTLED:
            return [there]
        if action == "chargeback_cancelled":
            return [await self._books.post(**told, kind="payment", entry_id=_event_id(event), reason=there)]
        taken = await self._books.to_take_back(there, told["amount"])
        reversal = told | {"kind": "reversal", "reverses": taken, "reason": _cause(event) or action}
        return [await self._books.post(**reversal, entry_id=_event_id(event))]

    async def _failed(
        self, action: str, event: dict[str, Any], now: EntryStatus | None, last: Attempt, told: dict[str, Any]
    ) -> list[str]:
        if last.over or now is EntryStatus.SETTLED:
            return []  # known, or it was collected anew since
        if last.stands is EntryStatus.SETTLED:
            reversal = told | {"kind": "reversal", "reverses": last.entry_id, "reason": _cause(event) or action}
            return [await self._books.post(**reversal, entry_id=failed_id(last.entry_id))]
        if now is EntryStatus.PENDING or _will_retry(event):
            return []
        # Also what was not known yet: its earlier events may come later, and find it over.
        return [await self._books.post(**told, entry_id=last.entry_id, kind="payment", status=EntryStatus.RETURNED)]

    async def _fetch(self, payment_id: str) -> dict[str, Any]:
        """A payment as GoCardless has it.

        Raises:
            Refused: 503, it could not be fetched; 422, it is not understood.
        """
        if payment_id in self._fetched:
            return self._fetched[payment_id]
        if not payment_id.isalnum() or not payment_id.isascii():
            raise Refused(422, "links.payment is no id of GoCardless's.")
        for token in self._tokens:
            try:
                headers = {"Authorization": f"Bearer {token}", "GoCardless-Version": VERSION}
                answer = await self._http.get(f"/payments/{payment_id}", headers=headers)
            except httpx.HTTPError:
                raise Refused(
                    503, "GoCardless's API does not answer: send this again.", {"Retry-After": "60"}
                ) from None
            if answer.status_code == 200:
                found = parse_json(answer.content)
                payment = found.get("payments") if isinstance(found, dict) else None
                if not isinstance(payment, dict) or text(payment, "currency") not in currencies():
                    raise Refused(422, f"payment {payment_id} is not understood: GoCardless's API answered otherwise.")
                self._fetched[payment_id] = payment
                return payment
        raise Refused(
            503,
            f"payment {payment_id} could not be fetched: give a token with `arrears secret add LENDER --kind gocardless_token`.",
            {"Retry-After": "60"},
        )


def _payment_of(event: dict[str, Any]) -> str | None:
    """The payment that an event tells of; None for events that say nothing of money."""
    known = text(event, "resource_type") == "payments" and text(event, "action") in ENTRY_OF
    return text(event, "links", "payment") if known else None


def _told(event: dict[str, Any], payment: dict[str, Any]) -> dict[str, Any]:
    currency = str(payment["currency"])
    exponent = minor_unit(currency).as_tuple().exponent
    return {
        "loan_id": text(payment, "metadata", "loan_id")
        or text(event, "resource_metadata", "loan_id")
        or text(event, "links", "payment"),
        "amount": major(payment.get("amount"), -int(exponent)),
        "currency": currency,
        "source": "gocardless",
    }


def _moment(event: dict[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(text(event, "created_at") or "")
    except ValueError:
        raise Refused(422, "created_at is no time: this is no event of GoCardless's.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _will_retry(event: dict[str, Any]) -> bool:
    details = event.get("details")
    return isinstance(details, dict) and details.get("will_attempt_retry") is True


def _cause(event: dict[str, Any]) -> str | None:
    return text(event, "details", "cause")


def _event_id(event: dict[str, Any]) -> str:
    name = text(event, "id")
    if name is None:
        raise Refused(422, "an event has no id: this is no webhook of GoCardless's.")
    return _id(name)


def _id(name: str) -> str:
    return f"gocardless-{name}"
