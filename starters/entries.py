"""Entries by HTTP: who sent them is proved first; what is answered with 2xx is committed."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Header, Request, Response

from domain.clock import Clock
from domain.errors import BadInput
from ledger.new_entry import NewEntry
from ledger.posting import Conflict, Posted, post_entry
from starters.bodies import parse_json, read_body
from starters.problems import Refused, documented
from starters.schemas import BatchAnswer, EntryAnswer, EntryToPost
from starters.signature import HEADER, Forged, check_signature

ONE = EntryToPost.model_json_schema()
MANY = {"type": "array", "items": ONE}
BATCH = {"oneOf": [MANY, {"type": "object", "properties": {"entries": MANY}, "required": ["entries"]}]}
Signature = Annotated[
    str | None, Header(alias=HEADER, description='`t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`')
]


def entry_routes(pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, secrets: Sequence[str]) -> APIRouter:
    """The addresses that take entries."""
    routes = APIRouter(tags=["entries"])

    @routes.post(
        "/v1/entries",
        status_code=201,
        summary="Post one entry",
        responses={
            200: {"model": EntryAnswer, "description": "Known already; nothing changed."},
            201: {"model": EntryAnswer, "description": "New, and committed."},
            **documented(400, 401, 409, 413, 422, 503),
        },
        openapi_extra=_body(ONE),
    )
    async def post_one(request: Request, response: Response, signature: Signature = None) -> EntryAnswer:
        """The same entry may be sent any number of times; the same id with other content is a conflict (409)."""
        given = await _proved(request, signature, secrets)
        if not isinstance(given, dict):
            raise Refused(422, "the body is not one entry: send a JSON object; many go to /v1/entries/batch.")
        try:
            entry = NewEntry.read(given)
            posted = await _post(pool, entry, clock)
        except Conflict as error:
            raise Refused(409, str(error)) from None
        except BadInput as error:
            raise Refused(422, str(error)) from None
        response.status_code = 200 if posted.status == "known" else 201
        return EntryAnswer(entry_id=entry.entry_id, status=posted.status, ledger_version=posted.version)

    @routes.post(
        "/v1/entries/batch",
        summary="Post many entries",
        response_model_exclude_none=False,
        responses=documented(400, 401, 413, 422, 503),
        openapi_extra=_body(BATCH),
    )
    async def post_batch(request: Request, signature: Signature = None) -> list[BatchAnswer]:
        """Each entry is committed by itself, in the order given; what is wrong with one does not touch the others."""
        given = await _proved(request, signature, secrets)
        entries = given.get("entries") if isinstance(given, dict) else given
        if not isinstance(entries, list):
            raise Refused(422, 'the body is no list of entries: send [...] or {"entries": [...]}.')
        return [await _one_of_many(pool, each, clock) for each in entries]

    return routes


async def _proved(request: Request, signature: str | None, secrets: Sequence[str]) -> Any:
    """The JSON of a request whose sender is proved; nothing is parsed before."""
    body = await read_body(request)
    if not secrets:
        raise Refused(
            503, "no secret is set here: set ARREARS_WEBHOOK_SECRET to the one that you share with the sender."
        )
    try:
        check_signature(signature, body, secrets, time.time())
    except Forged as error:
        raise Refused(401, str(error), {"WWW-Authenticate": HEADER}) from None
    return parse_json(body)


async def _one_of_many(pool: "asyncpg.Pool[asyncpg.Record]", given: Any, clock: Clock) -> BatchAnswer:
    if not isinstance(given, dict):
        return BatchAnswer(entry_id=None, status="refused", reason="this is no JSON object: every entry is one.")
    named = given.get("entry_id")
    entry_id = named if isinstance(named, str) else None
    try:
        posted = await _post(pool, NewEntry.read(given), clock)
    except Conflict as error:
        return BatchAnswer(entry_id=entry_id, status="conflict", reason=str(error))
    except BadInput as error:
        return BatchAnswer(entry_id=entry_id, status="refused", reason=str(error))
    return BatchAnswer(entry_id=entry_id, status=posted.status)


async def _post(pool: "asyncpg.Pool[asyncpg.Record]", entry: NewEntry, clock: Clock) -> Posted:
    try:
        return await post_entry(pool, entry, clock)
    except asyncpg.UniqueViolationError:
        # The same id came at once for another loan; by now that one is committed, and can be seen.
        return await post_entry(pool, entry, clock)


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
