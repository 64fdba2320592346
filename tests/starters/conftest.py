from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from starters.api import create_app
from tests.ledger.samples import Pool, Standing
from tests.starters.far_side import PUBLIC, SECRET, TOKEN, Carrier, Lender


@pytest.fixture
def app(pool: Pool) -> FastAPI:
    return create_app(pool, Standing(), secrets=["whsec_next", SECRET], twilio_token=TOKEN, public_url=PUBLIC + "/")


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    # Errors become answers, as under a real server.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client


@pytest.fixture
def lender(http: httpx.AsyncClient) -> Lender:
    return Lender(http)


@pytest.fixture
def carrier(http: httpx.AsyncClient) -> Carrier:
    return Carrier(http)
