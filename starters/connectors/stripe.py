"""Stripe's webhooks as entries (docs/connectors.md). An entry's id comes from the charge, the refund or the dispute, not from the event."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Header, Request

from domain.clock import Clock
from domain.loan import EntryStatus
from starters.bodies import parse_json
from starters.connectors.taking import Attempt, Books, Took, failed_id, ignore, major, proved, text
from starters.problems import Refused, documented
from starters.proof import Desk
from starters.signature import Forged, check_signature

HEADER = "Stripe-Signature"
NO_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMALS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
UNCLEAR = frozenset({"UGX"})  # Stripe lists it without decimals and asks for two
PAYMENTS = {
    "payment_intent.processing": EntryStatus.PENDING,
    "payment_intent.succeeded": EntryStatus.SETTLED,
    "payment_intent.payment_failed": EntryStatus.RETURNED,
    "payment_intent.canceled": EntryStatus.RETURNED,
    "charge.pending": EntryStatus.PENDING,
    "charge.succeeded": EntryStatus.SETTLED,
    "charge.captured": EntryStatus.SETTLED,
    "charge.failed": EntryStatus.RETURNED,
}
REFUNDS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
REFUND_STATUS = {
    "pending": EntryStatus.PENDING,
    "requires_action": EntryStatus.PENDING,
    "succeeded": EntryStatus.SETTLED,
    "failed": EntryStatus.RETURNED,
    "canceled": EntryStatus.RETURNED,
}


def stripe_routes(pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, desk: Desk) -> APIRouter:
    """The address that Stripe calls."""
    routes = APIRouter(tags=["connectors"])

    @routes.post(
        "/v1/connectors/stripe/{lender_id}",
        summary="A webhook of Stripe",
        responses=documented(400, 401, 408, 409, 413, 422, 429, 503),
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    )
    async def webhook(
        request: Request, lender_id: str, signature: Annotated[str | None, Header(alias=HEADER)] = None
    ) -> Took:
        """Money that an event tells of is committed when this answers 200; any other answer lets Stripe send it again."""

        def check(body: bytes, secrets: list[str]) -> int | None:
            try:
                return check_signature(signature, body, secrets, time.time(), name=HEADER)
            except Forged:
                return None

        event = parse_json(await proved(request, desk, "stripe", lender_id, check, 401))
        return await _take(Books(pool, clock, lender_id), event)

    return routes


async def _take(books: Books, event: Any) -> Took:
    told, kind = event.get("data") if isinstance(event, dict) else None, text(event, "type")
    thing = told.get("object") if isinstance(told, dict) else None
    if kind is None or not isinstance(thing, dict) or not isinstance(thing.get("id"), str):
        raise Refused(422, "this is no event of Stripe's: it has no type and no data.object.id.")
    took = Took()
    if kind in PAYMENTS:
        entry_id = await _payment(books, event, thing, PAYMENTS[kind])
    elif kind in REFUNDS:
        entry_id = await _refund(books, event, thing)
    elif kind == "charge.dispute.funds_withdrawn":
        entry_id = await _withdrawn(books, event, thing)
    elif kind == "charge.dispute.funds_reinstated":
        entry_id = await _reinstated(books, event, thing)
    else:
        entry_id = None
    took.entries.append(entry_id) if entry_id else ignore(took, "stripe", kind)
    return took


async def _payment(books: Books, event: Any, thing: dict[str, Any], status: EntryStatus) -> str | None:
    last = await _last_attempt(books, thing)
    if status is not EntryStatus.SETTLED and last.stands not in {None, EntryStatus.PENDING}:
        return None  # a late word about what is over
    if status is EntryStatus.RETURNED and last.stands is None and _was_never_on_its_way(thing):
        return None
    if thing.get("captured") is False and status is EntryStatus.SETTLED:
        return None  # a promise of the card's bank; the money comes when it is captured
    received = thing.get("amount_received") or thing.get("amount_captured") or thing.get("amount")
    told = {
        "loan_id": text(thing, "metadata", "loan_id") or thing["id"],
        "kind": "payment",
        "value_date": await _day(books, event),
        "source": "stripe",
        **_amount(thing, received),
    }
    if status is EntryStatus.SETTLED and last.entry and last.stands is EntryStatus.PENDING:
        on_its_way = last.entry.amount
        if on_its_way != told["amount"]:  # what was on its way never came; this did
            await books.post(**told | {"amount": on_its_way}, entry_id=last.entry_id, status=EntryStatus.RETURNED)
            last = last._replace(stands=EntryStatus.RETURNED)
    return await books.post(**told, entry_id=last.current_id, status=status)


def _was_never_on_its_way(thing: dict[str, Any]) -> bool:
    """Whether an attempt that failed was declined at once, as cards are, or charged nobody.

    Others are kept, though they failed: what says that they are on their way may come after it.
    """
    method = text(thing, "payment_method_details", "type") or text(
        thing, "last_payment_error", "payment_method", "type"
    )
    return method == "card" or _charge(thing) is None


async def _refund(books: Books, event: Any, refund: dict[str, Any]) -> str | None:
    status = REFUND_STATUS.get(text(refund, "status") or "succeeded")
    entry_id, known = _id(refund["id"]), await books.known(_id(refund["id"]))
    if status is None:
        return None
    common = {"value_date": await _day(books, event), "source": "stripe", **_amount(refund, refund.get("amount"))}
    if status is EntryStatus.RETURNED and known is not None and known[1] is EntryStatus.SETTLED:
        reversal = common | {"kind": "reversal", "reverses": entry_id, "reason": "refund_failed"}
        return await books.post(**reversal, entry_id=failed_id(entry_id), loan_id=known[0].loan_id)
    loan_id = text(refund, "metadata", "loan_id") or (await _paid(books, refund))[1]
    return await books.post(entry_id=entry_id, loan_id=loan_id, kind="refund", status=status, **common)


async def _withdrawn(books: Books, event: Any, dispute: dict[str, Any]) -> str:
    paid, loan_id = await _paid(books, dispute)
    amount = _amount(dispute, dispute.get("amount"))
    return await books.post(
        entry_id=_id(f"{dispute['id']}-withdrawn"),
        loan_id=loan_id,
        kind="reversal",
        reverses=await books.to_take_back(paid, amount["amount"]),
        reason=text(dispute, "reason"),
        value_date=await _day(books, event),
        source="stripe",
        **amount,
    )


async def _reinstated(books: Books, event: Any, dispute: dict[str, Any]) -> str:
    paid, loan_id = await _paid(books, dispute)
    return await books.post(
        entry_id=_id(f"{dispute['id']}-reinstated"),
        loan_id=loan_id,
        kind="payment",
        reason=paid,
        value_date=await _day(books, event),
        source="stripe",
        **_amount(dispute, dispute.get("amount")),
    )


async def _last_attempt(books: Books, thing: dict[str, Any]) -> Attempt:
    """The last attempt at a payment: by its charge, which is one attempt, else by its intent."""
    intent = thing["id"] if thing.get("object") == "payment_intent" else text(thing, "payment_intent")
    found = [_id(name) for name in (_charge(thing), intent) if name]
    for entry_id in found:
        if (last := await books.last_attempt(entry_id)).entry is not None:
            return last
    return Attempt((found or [_id(thing["id"])])[0], None, None, None)


def _charge(thing: dict[str, Any]) -> str | None:
    """The charge that a thing is or is about; None where nobody was charged."""
    if thing.get("object") == "charge":
        return str(thing["id"])
    charges = thing.get("charges")
    listed = charges.get("data") if isinstance(charges, dict) else None
    older = text(listed[-1], "id") if isinstance(listed, list) and listed else None
    return text(thing, "latest_charge") or text(thing, "latest_charge", "id") or older or text(thing, "charge")


async def _paid(books: Books, thing: dict[str, Any]) -> tuple[str, str]:
    """The entry that a refund or a dispute is about, and its loan.

    Raises:
        Refused: 409, it is not known yet; Stripe sends the event again.
    """
    last = await _last_attempt(books, thing)
    if last.entry is None:
        raise Refused(409, f"payment {last.entry_id} is not known yet: send this again when it was told.")
    return last.entry_id, last.entry.loan_id


def _amount(thing: dict[str, Any], minor: object) -> dict[str, Any]:
    currency = (text(thing, "currency") or "").upper()
    if currency in UNCLEAR:
        raise Refused(422, f"amounts in {currency} are not clear in Stripe's webhooks: post them to /v1/entries.")
    return {
        "amount": major(minor, 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2),
        "currency": currency,
    }


async def _day(books: Books, event: Any) -> Any:
    created = event.get("created")
    if not isinstance(created, int) or not 0 <= created < 10**11:
        raise Refused(422, "created is no time: this is no event of Stripe's.")
    return await books.day(datetime.fromtimestamp(created, UTC))


def _id(name: str) -> str:
    return f"stripe-{name}"
