from pathlib import Path
from ledger.export.writing import export_case
from tests.ledger.judgements import a_life
from tests.ledger.samples import KEY, Pool
from ledger.export.check import main


async def test_x(pool: Pool) -> None:
    await a_life(pool)
    async with pool.acquire() as conn:
        m = await export_case(conn, KEY, Path("/tmp/explain-export"))
    print(m)
    assert main(["/tmp/explain-export"]) == 0
