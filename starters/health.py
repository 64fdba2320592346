"""Whether this process lives, and whether everything it needs answers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
from fastapi import APIRouter, Response

from ledger.stranded import Lag, lag
from starters.problems import DATABASE_AWAY
from starters.schemas import Readiness

PATIENCE = 3.0  # seconds; a probe that takes longer is as good as none
Probe = Callable[[], Awaitable[Any]]


def health_routes(pool: "asyncpg.Pool[asyncpg.Record]", temporal: Probe | None, oldest: timedelta) -> APIRouter:
    """The addresses that watchers ask; `oldest` is how long a message may wait in the outbox."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Whether this process lives")
    async def healthz() -> dict[str, bool]:
        """It asks nothing of any other part."""
        return {"ok": True}

    @routes.get(
        "/readyz",
        summary="Whether every part answers",
        responses={503: {"model": Readiness, "description": "A part does not answer; `reasons` says which."}},
    )
    async def readyz(response: Response) -> Readiness:
        """The ledger, Temporal, and the relay that carries messages from one to the other."""
        behind, reasons = await _ledger(pool)
        if temporal is not None and not await _answers(temporal):
            reasons.append("Temporal does not answer")
        if behind is not None and behind.oldest > oldest:
            reasons.append(f"the relay does not deliver: a message waits for {behind.oldest.total_seconds():.0f} s")
        response.status_code = 503 if reasons else 200
        return Readiness(
            ready=not reasons,
            reasons=reasons,
            outbox_waiting=behind.waiting if behind else None,
            outbox_stranded=behind.stranded if behind else None,
            outbox_oldest_seconds=behind.oldest.total_seconds() if behind else None,
        )

    return routes


async def _ledger(pool: "asyncpg.Pool[asyncpg.Record]") -> tuple[Lag | None, list[str]]:
    try:
        async with asyncio.timeout(PATIENCE), pool.acquire() as conn:
            return await lag(conn), []
    except (asyncpg.PostgresError, *DATABASE_AWAY):
        return None, ["the database does not answer"]


async def _answers(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await probe() is not False
    except Exception:  # whatever a probe raises, the part behind it cannot be relied on
        return False
