"""Whether this process lives, and whether everything it needs answers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
from fastapi import APIRouter, Response

from ledger.pool import LedgerPool
from ledger.stranded import Lag, lag
from starters.problems import MEDIA_TYPE, TITLES
from starters.schemas import NotReady, Readiness

PATIENCE = 3.0  # seconds; a probe that takes longer is as good as none
Probe = Callable[[], Awaitable[Any]]
# What does not answer, as a reason, and what to do about it.
DATABASE = ("the database does not answer", "start it, or correct ARREARS_DATABASE_URL")
BUSY = ("all connections to the database are busy", "wait for the tape or the long change that holds loans")
TEMPORAL = ("Temporal does not answer", "start it, or check TEMPORAL_ADDRESS")
RELAY = ("the relay does not deliver", "start `arrears relay`, or look into its log")


class _Shared:
    """A probe that all who ask at once share. It goes on alone when they have stopped waiting: what is frozen cannot be cancelled."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._asking: asyncio.Task[Any] | None = None

    async def __call__(self) -> Any:
        """What it answers, or the error that it ended with; a TimeoutError where it takes too long."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.wait([self._asking], timeout=PATIENCE)
        return self._asking.result() if self._asking.done() else TimeoutError()

    async def _ask(self) -> Any:
        try:
            return await self._probe()
        except Exception as error:  # whatever a probe raises, the part behind it cannot be relied on
            return error


def health_routes(pool: "asyncpg.Pool[asyncpg.Record]", temporal: Probe | None, oldest: timedelta) -> APIRouter:
    """The addresses that watchers ask; `oldest` is how long a message may wait in the outbox."""
    routes = APIRouter(tags=["health"])

    async def ledger_lag() -> Lag:
        assert isinstance(pool, LedgerPool)
        conn = await pool.connect_beside(PATIENCE)
        try:
            return await lag(conn)
        finally:
            await conn.close(timeout=PATIENCE)

    async def connection() -> None:
        async with pool.acquire(timeout=PATIENCE):
            pass

    probes = [_Shared(ledger_lag), _Shared(connection), _Shared(temporal or _yes)]

    @routes.get("/healthz", summary="Whether this process lives")
    async def healthz() -> dict[str, bool]:
        """It asks nothing of any other part."""
        return {"ok": True}

    @routes.get(
        "/readyz",
        summary="Whether every part answers",
        response_model=Readiness,
        responses={
            503: {
                "description": "A part does not answer; `reasons` says which, `detail` what to do.",
                "content": {MEDIA_TYPE: {"schema": NotReady.model_json_schema()}},
            }
        },
    )
    async def readyz() -> Response:
        """The ledger, over a connection of its own, Temporal, and the relay that carries messages from one to the other."""
        behind, free, answered = await asyncio.gather(*(probe() for probe in probes))
        wrong = []
        if not isinstance(behind, Lag):
            wrong.append(DATABASE)
        elif isinstance(free, Exception):
            wrong.append(BUSY if isinstance(free, TimeoutError) else DATABASE)
        if answered is False or isinstance(answered, Exception):
            wrong.append(TEMPORAL)
        known = behind if isinstance(behind, Lag) else None
        if known is not None and known.oldest > oldest:
            wrong.append((f"{RELAY[0]}: a message waits for {known.oldest.total_seconds():.0f} s", RELAY[1]))
        ready = Readiness(
            ready=not wrong,
            reasons=[reason for reason, _ in wrong],
            outbox_waiting=known.waiting if known else None,
            outbox_stranded=known.stranded if known else None,
            outbox_oldest_seconds=known.oldest.total_seconds() if known else None,
        )
        if not wrong:
            return Response(ready.model_dump_json(), media_type="application/json")
        detail = " ".join(f"{reason}: {remedy}." for reason, remedy in wrong)
        problem = NotReady(title=TITLES[503], status=503, detail=detail, **ready.model_dump())
        return Response(problem.model_dump_json(), 503, media_type=MEDIA_TYPE)

    return routes


async def _yes() -> bool:
    return True
