"""The HTTP API: payments from lenders, callbacks from the carrier, cases for reading, health for watchers."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, FastAPI, Query, Request
from starlette.responses import JSONResponse

from domain.clock import Clock
from domain.errors import BadInput
from domain.loan import LoanKey
from domain.voice_words import CallBack
from ledger.case_view import case_view as view_of_case
from ledger.case_view import find_loan
from starters.callbacks import twilio_routes
from starters.connectors.gocardless import LIVE, gocardless_routes
from starters.connectors.stripe import stripe_routes
from starters.entries import entry_routes
from starters.health import Probe, health_routes
from starters.metrics import metrics_routes
from starters.problems import Refused, add_problems, documented
from starters.proof import Desk
from starters.rate import GENEROUS
from starters.schemas import CaseAnswer
from starters.voice import voice_routes

CaseView = Callable[[Any, LoanKey, datetime], Awaitable[Mapping[str, Any]]]


def create_app(
    pool: "asyncpg.Pool[asyncpg.Record]",
    clock: Clock,
    *,
    secrets: Sequence[str],
    twilio_token: str | None,
    public_url: str,
    case_view: CaseView = view_of_case,
    temporal: Probe | None = None,
    call_back: CallBack | None = None,
    oldest_message: timedelta = timedelta(minutes=5),
    rate_limit: str = GENEROUS,
    gocardless_url: str = LIVE,
    patient: "asyncpg.Pool[asyncpg.Record] | None" = None,
) -> FastAPI:
    """The API over an open ledger.

    Args:
        pool: Connections to the ledger; the caller closes them.
        clock: Business time.
        secrets: Shared with those who post entries; any of them may sign for every lender, beside the lenders' own in the ledger.
            Without any no entry is taken (503).
        twilio_token: The carrier account's secret; without it no callback is taken (503).
        public_url: This API as the carrier reaches it.
        case_view: The JSON of `arrears case`.
        temporal: Asks Temporal whether it is there; False or an error means no.
        call_back: How the lender is reached, for automated calls; without it none is answered for.
        oldest_message: How long a message may wait in the outbox before this API calls itself not ready.
        rate_limit: How often one client may ask, such as `1000/second`; empty for as often as it likes.
        gocardless_url: Where GoCardless's API answers, from which payments are fetched.
        patient: Connections where `pool` gives up soon: for what the carrier tells once, such as a STOP, and for figures, which take long.

    Raises:
        BadInput: the rate limit cannot be read, or a secret is too short.
    """
    desk = Desk(pool, secrets, rate_limit)
    app = FastAPI(title="Arrears", version="1", docs_url=None, redoc_url=None, redirect_slashes=False)
    add_problems(app)
    app.include_router(entry_routes(pool, clock, desk))
    app.include_router(_case_routes(pool, clock, case_view, desk))
    app.include_router(twilio_routes(patient or pool, clock, twilio_token, public_url))
    app.include_router(voice_routes(patient or pool, clock, twilio_token, public_url, call_back))
    app.include_router(stripe_routes(pool, clock, desk))
    app.include_router(gocardless_routes(pool, clock, desk, gocardless_url))
    app.include_router(health_routes(pool, temporal, oldest_message))
    app.include_router(metrics_routes(patient or pool, clock))
    return app


class _Json(JSONResponse):
    """JSON in which amounts are text and times are RFC 3339."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, default=_text, ensure_ascii=False, separators=(",", ":")).encode()


def _text(value: Any) -> str:
    match value:
        case Decimal():
            return str(value)
        case date():  # and datetime
            return value.isoformat()
        case _:
            raise TypeError(f"{type(value).__name__} has no form in JSON")


def _case_routes(pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, view: CaseView, desk: Desk) -> APIRouter:
    routes = APIRouter(tags=["cases"])

    @routes.get(
        "/v1/cases/{loan_id:path}",
        summary="Where a loan stands",
        response_class=_Json,
        responses={200: {"model": CaseAnswer}, **documented(404, 422, 429, 503)},
    )
    async def case(
        request: Request,
        loan_id: str,
        lender_id: Annotated[
            str | None, Query(description="Needed where several lenders have a loan of this id.")
        ] = None,
    ) -> _Json:
        """Ids and figures; no names, no numbers."""
        desk.not_too_often(request)
        try:
            async with pool.acquire() as conn:
                key = LoanKey(lender_id, loan_id) if lender_id is not None else await find_loan(conn, loan_id)
                return _Json(await view(conn, key, await clock.now()))
        except BadInput as error:
            raise Refused(404, str(error)) from None

    return routes
