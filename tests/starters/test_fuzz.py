"""Short runs of the fuzzing of the API; `python -m tests.starters.fuzz --examples 2000` is the long one."""

import asyncio
from collections import Counter

import pytest

from starters.bodies import LARGEST
from tests.starters.fuzz_contents import RAW
from tests.starters.fuzz_server import State, serving
from tests.starters.fuzzing import ALLOWED, Hand, by_status, cover, fuzz, stray

EXAMPLES = 13  # in each of two ways, so 26 of an operation


async def test_every_answer_is_as_documented(database_url: str) -> None:
    with serving(database_url) as url:
        found = await asyncio.to_thread(fuzz, url, EXAMPLES)
    # It got past the door and into the ledger, and was kept out of it, for every reason that there is.
    total = by_status(found)
    assert total.keys() >= {200, 201, 400, 401, 403, 404, 409, 413, 422, 498, 503}
    for operation, status in [
        ("/v1/entries", 201), ("/v1/entries", 422), ("/v1/cases/{loan_id}", 200),
        ("/v1/connectors/stripe/{lender_id}", 200), ("/v1/connectors/stripe/{lender_id}", 409),
        ("/v1/connectors/gocardless/{lender_id}", 200), ("/v1/connectors/gocardless/{lender_id}", 503),
    ]:  # fmt: skip
        assert found[f"{operation} {status}"], (operation, status)


async def test_the_boundaries_of_the_document(database_url: str) -> None:
    with serving(database_url) as url:
        signed = await asyncio.to_thread(cover, url, Hand())
        unsigned = await asyncio.to_thread(cover, url, Hand("none"))
    assert signed["/v1/entries 422"] > 50
    assert not signed["/v1/entries 401"]
    assert unsigned["/v1/entries 401"] > 50
    assert not any(unsigned[f"/v1/entries {status}"] for status in (200, 201, 422))


async def test_addresses_and_methods_that_there_are_not(database_url: str) -> None:
    with serving(database_url) as url:
        found = await asyncio.to_thread(stray, url)
    assert found["metrics 200"] == 1


@pytest.mark.parametrize(("state", "status"), [("busy", 429), ("away", 503)])
async def test_every_answer_is_as_documented_when_it_is(database_url: str, state: State, status: int) -> None:
    with serving(database_url, state) as url:
        found: Counter[str] = await asyncio.to_thread(fuzz, url, 10, 1, ALLOWED)
    for operation in ("/v1/entries", "/v1/connectors/stripe/{lender_id}", "/v1/cases/{loan_id}"):
        assert found[f"{operation} {status}"], operation


def test_a_body_that_is_too_large_is_among_what_is_sent() -> None:
    assert max(map(len, RAW)) > LARGEST
