"""Erasing a person: refused while a rule keeps them; afterwards nothing of them is left, and every promise can still be proved."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from domain.errors import BadInput
from domain.loan import EntryKind
from ledger.audit import broken_links
from ledger.erasure import Erasure, erase_party
from ledger.known import Conflict
from ledger.money import position_of
from ledger.posting import Posted, post_entry
from ledger.proof import prove
from tests.ledger.samples import KEY, Pool, Standing, add_case, add_contact, add_loan, add_task, entry
from tests.ledger.tape.tapes import take

LATER = datetime(2033, 1, 1, tzinfo=UTC)
NUMBER, NAME = "+12015550177", "Ann Rossi"
CLOCK = Standing()
PAID = entry(payer=NAME, reason=f"call {NUMBER}", source=f"account of {NAME}")
DOLLARS = entry("dollars", currency="USD", payer=NAME, reason=f"call {NUMBER}", source=f"account of {NAME}")
TABLES = (
    *("parties", "contact_points", "consents", "loans", "contacts", "letters", "inbound", "tasks", "case_events"),
    *("audit_content", "entries", "holds", "tape_history", "voice_calls", "erasures"),
    *("suspense", "cases", "disputed_parts", "notices", "limitation_events", "outbox"),
)


async def person(pool: Pool, *, paid: bool = True) -> None:
    await post_entry(pool, DOLLARS, CLOCK)  # waits for a loan in dollars, for ever
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
    await pool.execute(
        """
        insert into case_events (lender_id, loan_id, episode, at, kind, data) values
            ('default', 'L-1', 1, now(), 'told', $1), ('default', 'L-1', 1, now(), 'closed', $2)
        """,
        {"refused": f"hold reason {NAME} is unknown", "body": None},
        {"why": f"closed: {NAME} is dead"},
    )
    await pool.execute("update cases set closing = $1", f"{NAME} is dead")
    await pool.execute(
        """
        insert into disputed_parts (lender_id, loan_id, component, since, until, source, reason)
        values ('default', 'L-1', 'fee', '2026-03-01', '2026-03-02', 'c1', $1)
        """,
        f"{NAME} says so",
    )
    await pool.execute(
        "insert into notices (lender_id, notice_id, loan_id, kind, served_on, method, proof) values ('default', 'N-1', 'L-1', 'default', '2026-03-01', 'hand', $1)",
        f"taken by {NAME}",
    )
    await pool.execute(
        "insert into limitation_events (lender_id, loan_id, event_id, kind, happened_on, evidence) values ('default', 'L-1', 'V-1', 'start', '2026-03-01', $1)",
        f"letter of {NAME}",
    )
    await pool.execute(
        "insert into outbox (lender_id, loan_id, message, payload, delivered_at) values ('default', 'L-1', 'x', $1, now()), ('default', 'L-1', 'x', $2, now())",
        {"kind": "payment", "reason": NUMBER[2:]},
        {"entries": [{"kind": "payment", "reason": NUMBER[2:]}, {"kind": "waiver"}]},
    )
    if paid:
        await post_entry(pool, PAID, CLOCK)


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
    assert [r["payload"] for r in await pool.fetch("select payload from outbox order by id")] == [
        {"kind": "payment"},
        {"entries": [{"kind": "payment"}, {"kind": "waiver"}]},
    ]
    again = (await erased(pool)).counts  # finds the tombstones alone
    assert [again[step] for step in ("contacts", "entries", "suspense", "closings", "disputes")] == [1, 0, 0, 0, 0]


async def test_what_the_ledger_itself_reads_stays(pool: Pool) -> None:
    await person(pool)
    back = {"kind": EntryKind.REVERSAL, "reverses": "E-1", "amount": Decimal(1), "source": "stripe"}
    await post_entry(pool, entry("R-1", **back, reason="R01"), CLOCK)
    await post_entry(pool, entry("R-2", **back, reason="misposted"), CLOCK)
    await post_entry(pool, entry("E-2", amount=Decimal(2), reason="+12015550177", source="Ann"), CLOCK)
    await erased(pool)
    kept = await pool.fetch("select reason, source, payer from entries order by entry_id")
    assert [tuple(r) for r in kept] == [
        ("erased", "erased", "erased"),
        ("erased", "erased", None),
        ("R01", "stripe", None),
        ("misposted", "stripe", None),
    ]


async def test_the_same_entries_sent_again_are_known_and_others_are_refused(pool: Pool, tmp_path: Path) -> None:
    await person(pool)
    await erased(pool)
    assert await post_entry(pool, PAID, CLOCK) == Posted("known", 1, False)
    with pytest.raises(Conflict):
        await post_entry(pool, replace(PAID, amount=Decimal(99)), CLOCK)
    header = "entry_id,loan_id,kind,amount,currency,value_date,reason,source,payer"
    words = f"call {NUMBER},account of {NAME},{NAME}"
    same = [f"E-1,L-1,payment,100,EUR,2026-03-09,{words}", f"dollars,L-1,payment,100,USD,2026-03-09,{words}"]
    report = await take(pool, tmp_path, {"entries": [header, *same]})
    assert report.sentences == [
        "entries.csv line 3: entry dollars is in USD, but loan L-1 is in EUR: convert it first."
    ]
    assert report.counts["entries"].unchanged == 1
    other = [row.replace(",100,", ",99,") for row in same]
    report = await take(pool, tmp_path, {"entries": [header, *other]})
    assert ["other content" in said for said in report.sentences] == [True, True]


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
