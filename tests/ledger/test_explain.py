from ledger.explain import why
from arrears.commands.explain import readable_account
from tests.ledger.judgements import a_life
from tests.ledger.samples import KEY, Pool


async def test_x(pool: Pool) -> None:
    await a_life(pool)
    async with pool.acquire() as conn:
        for lang in ("en", "zh"):
            told = await why(conn, KEY, None, lang)
            print("\n".join(readable_account(told, lang, 80)))
