"""Entries by HTTP: who sent them is proved first; what is answered with 2xx is committed."""

import asyncio
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Header, Request, Response

from domain.clock import Clock
from domain.errors import BadInput
from ledger.group_commit import GroupCommit
from ledger.known import Conflict
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.secrets import Secret
from starters.bodies import parse_json
from starters.problems import UNUSABLE, Refused, documented
from starters.proof import Desk
from starters.schemas import BatchAnswer, EntryAnswer, EntryToPost, inlined
from starters.signature import HEADER

MOST_ENTRIES = 5000  # as many as fit into a body, and take a few seconds
ONE = inlined(EntryToPost.model_json_schema())
MANY = {"type": "array", "items": ONE, "maxItems": MOST_ENTRIES}
BATCH = {"oneOf": [MANY, {"type": "object", "properties": {"entries": MANY}, "required": ["entries"]}]}
Signature = Annotated[
    str | None, Header(alias=HEADER, description='`t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`')
]


class NotTheirs(BadInput):
    """The entry is of another lender than the one whose secret signed it."""


def entry_routes(pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, desk: Desk) -> APIRouter:
    """The addresses that take entries."""
    routes, together = APIRouter(tags=["entries"]), GroupCommit(pool, clock)

    @routes.post(
        "/v1/entries",
        status_code=201,
        summary="Post one entry",
        responses={
            200: {"model": EntryAnswer, "description": "Known already: nothing changed, or what was pending moved on."},
            201: {"model": EntryAnswer, "description": "New, and committed."},
            **documented(400, 401, 403, 408, 409, 413, 422, 429, 503),
        },
        openapi_extra=_body(ONE),
    )
    async def post_one(request: Request, response: Response, signature: Signature = None) -> EntryAnswer:
        """The same entry may be sent any number of times; the same id with other content is a conflict (409).

        An entry that was `pending` moves on when it is sent again with the same content and the status `settled` or `returned`.
        """
        signer, body = await desk.proved(request)
        given = parse_json(body)
        if not isinstance(given, dict):
            raise Refused(422, "the body is not one entry: send a JSON object; many go to /v1/entries/batch.")
        try:
            entry = _read(given, signer)
            posted = await together.post(entry)
        except Conflict as error:
            raise Refused(409, str(error)) from None
        except NotTheirs as error:
            raise Refused(403, str(error)) from None
        except BadInput as error:
            raise Refused(422, str(error)) from None
        response.status_code = 200 if posted.status in {"known", "changed"} else 201
        return EntryAnswer(entry_id=entry.entry_id, status=posted.status, ledger_version=posted.version)

    @routes.post(
        "/v1/entries/batch",
        summary="Post many entries",
        response_model_exclude_none=False,
        responses=documented(400, 401, 408, 413, 422, 429, 503),
        openapi_extra=_body(BATCH),
    )
    async def post_batch(request: Request, signature: Signature = None) -> list[BatchAnswer]:
        """Each entry is committed by itself, in the order given; what is wrong with one does not touch the others.

        At most 5000 entries, each of which counts as a request. After a 503 some of them may be committed: send all of them again.
        """
        signer, body = await desk.proved(request)
        given = parse_json(body)
        entries = given.get("entries") if isinstance(given, dict) else given
        if not isinstance(entries, list):
            raise Refused(422, 'the body is no list of entries: send [...] or {"entries": [...]}.')
        if len(entries) > MOST_ENTRIES:
            raise Refused(413, f"the batch has {len(entries)} entries: send at most {MOST_ENTRIES} at once.")
        desk.charge(signer, len(entries) - 1)
        answers = []
        for each in entries:
            answers.append(await _one_of_many(pool, each, clock, signer))
            await asyncio.sleep(0)  # an entry that is refused waits for nothing, and others want to be answered too
        return answers

    return routes


def _read(given: dict[str, Any], signer: Secret) -> NewEntry:
    """The entry, which is the signer's own.

    Raises:
        BadInput: it cannot be used.
        NotTheirs: it is another lender's.
    """
    entry = NewEntry.read(given, default_lender=signer.lender_id or "default")
    if signer.lender_id not in (None, entry.lender_id):
        raise NotTheirs(
            f"lender_id is {entry.lender_id}, but lender {signer.lender_id} signed: sign with a secret of that lender."
        )
    return entry


async def _one_of_many(pool: "asyncpg.Pool[asyncpg.Record]", given: Any, clock: Clock, signer: Secret) -> BatchAnswer:
    if not isinstance(given, dict):
        return BatchAnswer(entry_id=None, status="refused", reason="this is no JSON object: every entry is one.")
    named = given.get("entry_id")
    entry_id = named if isinstance(named, str) else None
    try:
        posted = await post_entry(pool, _read(given, signer), clock)
    except Conflict as error:
        return BatchAnswer(entry_id=entry_id, status="conflict", reason=str(error))
    except BadInput as error:
        return BatchAnswer(entry_id=entry_id, status="refused", reason=str(error))
    except asyncpg.DataError:
        return BatchAnswer(entry_id=entry_id, status="refused", reason=UNUSABLE)
    return BatchAnswer(entry_id=entry_id, status=posted.status)


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
