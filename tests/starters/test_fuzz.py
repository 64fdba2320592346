import asyncio

from tests.starters.fuzzing import fuzz, serving


async def test_every_answer_is_as_documented(database_url: str) -> None:
    with serving(database_url) as url:
        found = await asyncio.to_thread(fuzz, url, 5)
    # It got past the door, and into the ledger.
    assert found[201] >= 1
    assert found[200] >= 10
    assert found[422] >= 8
