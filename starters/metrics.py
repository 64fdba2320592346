"""`GET /metrics`: the ledger's figures as Prometheus reads them."""

import asyncio
from collections.abc import Iterable
from math import inf
from time import monotonic

import asyncpg
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from domain.clock import Clock
from ledger.figures import Figure, figures

KEPT = 10.0  # seconds: many watchers ask the ledger no more than one does


class _Read(Collector):
    """Figures that were read, as the library collects them."""

    def __init__(self, found: list[Figure]) -> None:
        self._found = found

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for figure in self._found:
            family = GaugeMetricFamily(figure.name, figure.meaning, labels=figure.labels)
            for labels, value in figure.values:
                family.add_metric(labels, value)
            yield family


def metrics_routes(pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> APIRouter:
    """The address that Prometheus scrapes; kept out of the API's own document, for it is no sender's."""
    routes = APIRouter(include_in_schema=False)
    turn = asyncio.Lock()
    read_at, page = -inf, b""

    @routes.get("/metrics")
    async def metrics() -> Response:
        nonlocal read_at, page
        async with turn:
            if monotonic() - read_at >= KEPT:
                async with pool.acquire() as conn:
                    found = await figures(conn, await clock.now())
                registry = CollectorRegistry()
                registry.register(_Read(found))
                page, read_at = generate_latest(registry), monotonic()
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    return routes
