"""Erasing a person: refused while a rule keeps them; afterwards nothing of them is left, and every promise can still be proved."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.errors import BadInput
from domain.loan import EntryKind
from ledger.audit import broken_links
from ledger.erasure import Erasure, erase_party
from ledger.money import position_of
from ledger.posting import post_entry
from ledger.proof import prove
from tests.ledger.samples import KEY, Pool, Standing, add_case, add_contact, add_loan, add_task, entry

LATER = datetime(2033, 1, 1, tzinfo=UTC)
NUMBER, NAME = "+12015550177", "Ann Rossi"
TABLES = (
    *("parties", "contact_points", "consents", "loans", "contacts", "letters", "inbound", "tasks", "case_events"),
    *("audit_content", "entries", "holds", "tape_history", "voice_calls", "erasures"),
)


async def person(pool: Pool, *, paid: bool = True) -> None:
    await add_loan(pool)
    await add_case(pool, is_open=False)
    await pool.execute("update parties set name = $1", NAME)
    await pool.execute("update loans set phone = $1", NUMBER)
    await pool.execute(
        "insert into contact_points (lender_id, party_id, kind, value) values ('default', 'B-L-1', 'mobile', $1)",
        NUMBER,
    )
    await add_contact(pool, "C-1", "reserved", "collect")
    await pool.execute("update contacts set party_id = 'B-L-1', contact_value = $1, body = $2", NUMBER, f"Dear {NAME}")
    await pool.execute("insert into letters values ('C-1', $1, 'd1')", f"%PDF {NAME}".encode())
    await pool.execute("update contacts set state = 'cancelled'")
    await add_task(pool, "T-1", "call", status="done")
    await pool.execute("update tasks set data = $1", {"note": f"{NAME} is ill", "amount": "5"})
    await pool.execute(
        "insert into inbound (carrier_id, sender, body, received_at) values ('SM1', $1, $2, now())",
        NUMBER,
        f"I, {NAME}",
    )
    await pool.execute(
        "insert into case_events (lender_id, loan_id, episode, at, kind, data) values ('default', 'L-1', 1, now(), 'told', $1)",
        {"body": {"reason": f"{NAME} said so", "amount": "5"}},
    )
    if paid:
        await post_entry(pool, entry(amount=Decimal(100), kind=EntryKind.PAYMENT, payer=NAME), Standing())


async def erased(pool: Pool, at: datetime = LATER, who: str = "B-L-1") -> Erasure:
    async with pool.acquire() as conn, conn.transaction():
        return await erase_party(conn, "default", who, at, "UTC", reason="asked for")


async def everything(pool: Pool) -> str:
    found = [str([tuple(r) for r in await pool.fetch(f"select * from {table}")]) for table in TABLES]
    return "\n".join(found)


async def violations(pool: Pool) -> dict[str, list[dict[str, str]]]:
    """What `arrears verify` finds, by check; the sample's task is of no case."""
    async with pool.acquire() as conn:
        return {check["name"]: check["violations"] for check in (await prove(conn))["checks"]}


async def test_nothing_of_the_person_is_left_and_the_figures_stay(pool: Pool) -> None:
    await person(pool)
    assert NAME in await everything(pool)
    async with pool.acquire() as conn:
        stood = await position_of(conn, KEY, LATER.date())
    proved = await violations(pool)
    result = await erased(pool)
    assert result.refused == ()
    left = await everything(pool)
    for secret in (*NAME.split(), NUMBER, NUMBER[2:]):
        assert secret not in left, secret
    async with pool.acquire() as conn:
        assert await position_of(conn, KEY, LATER.date()) == stood
        assert [b async for b in broken_links(conn)] == []
    assert await violations(pool) == proved
    assert await pool.fetchval("select data from tasks") == {"amount": "5"}
    assert await pool.fetchval("select digest from letters") == "d1"
    assert (await erased(pool)).counts["contacts"] == 1  # again: the tombstone alone


async def test_who_owes_stays(pool: Pool) -> None:
    await person(pool, paid=False)
    before = await everything(pool)
    assert [r.rule for r in (await erased(pool)).refused] == ["erasure.OPEN_DEBT"]
    assert await everything(pool) == before


async def test_records_are_kept_for_their_time(pool: Pool) -> None:
    await person(pool)
    soon = datetime(2027, 1, 1, tzinfo=UTC)
    assert [r.rule for r in (await erased(pool, soon)).refused] == ["erasure.KEEP_HOUSE"]


async def test_an_unknown_person_is_refused(pool: Pool) -> None:
    with pytest.raises(BadInput, match="party 'nobody' of lender 'default' is unknown"):
        await erased(pool, who="nobody")
