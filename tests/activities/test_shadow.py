"""Shadow mode: everything is planned, decided and written down, nobody is contacted, and the lender's own doing stands beside it."""

from pathlib import Path

import pytest

from domain.errors import BadInput
from ledger.shadow import shadow_report, take_lender_contacts
from tests.activities.bench import Bench


async def test_the_report_sets_our_texts_beside_what_the_lender_did(bench: Bench, tmp_path: Path) -> None:
    await bench.pool.execute("update lenders set mode = 'shadow'")
    owing, called = await bench.case(), await bench.case((12, "100"), phone="+12015550102")
    paid = await bench.case(phone="+12015550103")
    await bench.pay(paid)
    for case in (owing, called):
        await bench.carry_out(await bench.due(case))
    file = tmp_path / "did.csv"
    file.write_text(
        "source_id,loan_id,channel,made_at\n"
        f"a,{owing.loan_id},sms,2026-03-02T10:00+01:00\n"
        f"b,{paid.loan_id},call,2026-03-04T10:00+01:00\n",
        encoding="utf-8",
    )
    async with bench.pool.acquire() as conn:
        assert await take_lender_contacts(conn, file) == 2
        assert await take_lender_contacts(conn, file) == 0
        report = await shadow_report(conn, None)
    assert report["channels"] == {
        "call": {"would_have_made": 1, "lender_made": 1, "both": 0},
        "sms": {"would_have_made": 1, "lender_made": 1, "both": 1},
    }
    assert [found["source_id"] for found in report["nothing_due"]] == ["b"]
    [text] = [each for each in report["would_have_gone"] if each["channel"] == "sms"]
    assert "100" in text["body"]
    assert "house.HOURS" in text["rules"]
    assert bench.texts() == []
    assert await bench.pool.fetchval("select count(*) from tasks") == 0


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,L-1,sms,yesterday", "line 2, field made_at: write a time such as"),
        ("a,L-1,sms,2026-03-02T10:00", "line 2, field made_at: give its zone"),
        ("a,L-1,fax,2026-03-02T10:00+01:00", "line 2, field channel: use one of sms"),
        (",L-1,sms,2026-03-02T10:00+01:00", "line 2: source_id and loan_id must not be empty"),
    ],
)
async def test_a_file_that_cannot_be_read_changes_nothing(bench: Bench, tmp_path: Path, row: str, says: str) -> None:
    file = tmp_path / "did.csv"
    file.write_text(f"source_id,loan_id,channel,made_at\n{row}\n", encoding="utf-8")
    async with bench.pool.acquire() as conn:
        with pytest.raises(BadInput, match=says):
            await take_lender_contacts(conn, file)
    assert await bench.pool.fetchval("select count(*) from lender_contacts") == 0
