import asyncio

from tests.starters.fuzzing import fuzz, serving


async def test_every_answer_is_as_documented(database_url: str) -> None:
    with serving(database_url) as url:
        found = await asyncio.to_thread(fuzz, url, 10)
    # It got past the door, and into the ledger.
    assert found[201] >= 3
    assert found[200] >= 20
    assert found[422] >= 20
