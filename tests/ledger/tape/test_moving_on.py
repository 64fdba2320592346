"""Files in which pending money moves on, and files that make contacts wrong."""

from pathlib import Path

from domain.loan import EntryStatus, LoanKey
from ledger.money import position_of
from ledger.posting import Posted, post_entry
from ledger.proof import prove
from ledger.suspense import match_by_hand
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, entry
from tests.ledger.tape.tapes import ENTRIES_HEADER, GOOD, take
from tests.ledger.test_remedies import made, remedies

CLOCK = Standing()
HEADER = ENTRIES_HEADER + ",status"
ROW = "P-{n},{loan},payment,{amount},EUR,2026-03-07,,{status}"


def rows(status: str, *, n: int = 1, loan: str = "L-1", amount: str = "60") -> str:
    return ROW.format(n=n, loan=loan, amount=amount, status=status)


async def test_pending_money_moves_on_by_file(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_case(pool)
    await take(pool, tmp_path, {"entries": [HEADER, rows("pending"), rows("pending", n=2)]})
    report = await take(pool, tmp_path, {"entries": [HEADER, rows("settled"), rows("returned", n=2)]})
    assert (report.counts["entries"].changed, report.counts["entries"].rejected) == (2, 0)
    for status in ("pending", "settled"):
        again = await take(pool, tmp_path, {"entries": [HEADER, rows(status)]})
        assert (again.counts["entries"].unchanged, again.counts["entries"].rejected) == (1, 0)
    refused = await take(pool, tmp_path, {"entries": [HEADER, rows("returned"), rows("settled", n=2, amount="61")]})
    assert [s.split(": ", 1)[1][:37] for s in refused.sentences] == [
        "entry P-1 is already known with other",
        "entry P-2 is already known with other",
    ]
    async with pool.acquire() as conn:
        assert (await position_of(conn, KEY, NOON.date())).outstanding == 0  # 100, less 40, 10 and 60
        assert (await prove(conn))["ok"]


async def test_it_moves_on_by_file_while_its_loan_is_unknown(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {"entries": [HEADER, rows("pending"), rows("pending", n=2)]})
    report = await take(pool, tmp_path, {"entries": [HEADER, rows("settled")]})
    assert (report.counts["entries"].changed, report.counts["entries"].suspense) == (1, 0)
    await take(pool, tmp_path, {"loans": GOOD["loans"]})
    lines = await pool.fetch("select entry_id, status from ledger_lines order by commit_order")
    assert [tuple(r) for r in lines] == [("P-1", "pending"), ("P-1", "settled"), ("P-2", "pending")]


async def test_a_file_may_go_on_naming_the_other_loan(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {"entries": [HEADER, rows("pending", loan="L-I")]})
    await take(pool, tmp_path, {"loans": GOOD["loans"]})
    await match_by_hand(pool, KEY, "P-1", "c1", CLOCK)
    same = await take(pool, tmp_path, {"entries": [HEADER, rows("pending", loan="L-I")]})
    assert (same.counts["entries"].unchanged, same.counts["entries"].suspense) == (1, 0)
    moved = await take(pool, tmp_path, {"entries": [HEADER, rows("settled", loan="L-I")]})
    assert moved.counts["entries"].changed == 1
    assert await pool.fetchval("select ledger_version from loans where loan_id = 'L-1'") == 2


async def test_by_file_or_by_post_the_status_is_the_same(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    posted = await post_entry(pool, entry("E-5", status=EntryStatus.PENDING), CLOCK)
    await take(pool, tmp_path, {"entries": [HEADER, "E-5,L-1,payment,100,EUR,2026-03-09,,settled"]})
    assert posted.version is not None
    assert await post_entry(pool, entry("E-5"), CLOCK) == Posted("known", posted.version + 1, cured=False)


async def test_a_file_that_makes_contacts_wrong_opens_one_remedy(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, {**GOOD, "entries": GOOD["entries"][:1]})
    await add_case(pool, LoanKey("default", "L-1"))
    await pool.execute("insert into parties (lender_id, party_id, name) values ('default', 'B-L-1', 'Ann')")
    for day in (4, 6, 8):
        await made(pool, f"sms-{day}", day)
    paid = [rows("settled", n=1, amount="70"), rows("settled", n=2, amount="30").replace("03-07", "03-05")]
    await take(pool, tmp_path, {"entries": [HEADER, *paid]})
    assert await remedies(pool) == [{"because": "2 entries", "contacts": ["sms-8"]}]
    await take(pool, tmp_path, {"entries": [HEADER, *paid]})
    assert len(await remedies(pool)) == 1
