"""The audit log: written by the database, one chain a loan; whatever is changed in it or behind its back is named."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from domain.loan import LoanKey
from ledger.audit import broken_links, erase
from tests.ledger.samples import KEY, Pool, add_case, add_contact, add_loan, add_task

TABLES = ("audit", "audit_content", "audit_heads", "case_events", "contacts", "tasks")
OTHER = LoanKey("default", "L-2")
PERMIT = {"engine": 1, "facts": {"now": "2026-03-10T12:00:00Z", "minutes": 1.50}, "verdict": {"verdict": "permit"}}


@pytest_asyncio.fixture
async def logged(pool: Pool) -> AsyncIterator[Pool]:
    """Two loans with a case each: a contact that was made, a task that was answered, and lines in the journal."""
    for key in (KEY, OTHER):
        await add_loan(pool, key)
        await add_case(pool, key)
        await add_contact(pool, f"C-{key.loan_id}", "reserved", "collect", key)
        await add_task(pool, f"T-{key.loan_id}", "call", key)
        await journal(pool, key)
    await pool.execute("update contacts set state = 'sending', permit = $1, body = 'Cara Anna', cost = 0.070", PERMIT)
    await pool.execute("update contacts set state = 'sent', carrier_id = 'SM' || contact_id")
    await pool.execute("update tasks set status = 'done', outcome = 'RPC_REFUSED', data = '{\"note\": \"ill\"}'")
    assert await broken(pool) == []
    yield pool


async def journal(pool: Pool, key: LoanKey, kind: str = "contacted") -> None:
    await pool.execute(
        "insert into case_events (lender_id, loan_id, episode, at, kind) values ($1, $2, 1, now(), $3)", *key, kind
    )


async def broken(pool: Pool) -> list[tuple[str, str, str]]:
    """What is broken, as (kind, loan, id)."""
    async with pool.acquire() as conn:
        return [(b.kind, b.loan_id, b.id) async for b in broken_links(conn)]


async def behind_its_back(pool: Pool, statement: str, *values: object) -> None:
    """What somebody does who may switch the triggers off."""
    async with pool.acquire() as conn, conn.transaction():
        for table in TABLES:
            await conn.execute(f"alter table {table} disable trigger user")
        assert await conn.execute(statement, *values) not in {"UPDATE 0", "DELETE 0"}
        for table in TABLES:
            await conn.execute(f"alter table {table} enable trigger user")


async def test_every_change_is_one_link(logged: Pool) -> None:
    rows = await logged.fetch("select seq, kind, subject from audit where loan_id = 'L-1' order by seq")
    event = str(await logged.fetchval("select id from case_events where loan_id = 'L-1'"))
    assert [tuple(r) for r in rows] == [
        (1, "contact", "C-L-1"),
        (2, "task", "T-L-1"),
        (3, "event", event),
        (4, "contact", "C-L-1"),
        (5, "contact", "C-L-1"),
        (6, "task", "T-L-1"),
    ]
    await logged.execute("update contacts set reason = reason")
    assert await logged.fetchval("select count(*) from audit where loan_id = 'L-1'") == 6


async def test_a_permit_stands_in_the_link_that_gave_it(logged: Pool) -> None:
    contents = await logged.fetch(
        "select content::jsonb as content from audit join audit_content using (lender_id, loan_id, seq) where subject = 'C-L-1' order by seq"
    )
    assert [c["content"].get("permit", {}).get("engine") for c in contents] == [None, 1, None]
    assert contents[1]["content"]["permit_digest"] == contents[2]["content"]["permit_digest"] is not None


@pytest.mark.parametrize("what", ["notices", "limitation_events", "requests"])
async def test_what_comes_in_about_a_loan_is_logged(logged: Pool, what: str) -> None:
    await logged.execute(
        {
            "notices": "insert into notices (notice_id, lender_id, loan_id, party_id, kind, served_on, method) values ('N', 'default', 'L-1', 'B-L-1', 'default', '2026-03-01', 'hand')",
            "limitation_events": "insert into limitation_events (lender_id, loan_id, event_id, kind, happened_on, years) values ('default', 'L-1', 'N', 'start', '2026-03-01', 6)",
            "requests": "insert into requests (request_id, lender_id, loan_id, kind, channel, asked_at) values ('N', 'default', 'L-1', 'callback', 'sms', now())",
        }[what]
    )
    kind = {"notices": "notice", "limitation_events": "limitation", "requests": "request"}[what]
    assert await logged.fetchval("select kind from audit where subject = 'N'") == kind


async def test_a_hold_is_logged_with_every_loan_that_it_concerns(logged: Pool) -> None:
    await logged.execute("update loans set borrower_id = 'B-L-1'")
    await logged.execute("insert into contact_points values ('default', 'B-L-1', 'mobile', '+12015550101')")
    for hold, kind, subject in (
        ("H1", "loan", "L-1"),
        ("H2", "person", "B-L-1"),
        ("H3", "contact_point", "+12015550101"),
    ):
        await logged.execute(
            "insert into holds (hold_id, lender_id, subject_kind, subject_id, reason, scopes, from_at, source) values ($1, 'default', $2, $3, 'dispute', '{contact}', now(), 'desk')",
            hold,
            kind,
            subject,
        )
    await logged.execute("update holds set released_at = now() where hold_id = 'H2'")
    rows = await logged.fetch("select subject, loan_id from audit where kind = 'hold' order by subject, loan_id")
    assert [tuple(r) for r in rows] == [
        ("H1", "L-1"), ("H2", "L-1"), ("H2", "L-1"), ("H2", "L-2"), ("H2", "L-2"), ("H3", "L-1"), ("H3", "L-2"),
    ]  # fmt: skip
    assert await broken(logged) == []


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set subject = 'other'",
        "delete from audit",
        "truncate audit",
        "update audit_content set content = '{}'",
        "update audit_content set content = null, salt = null, erased_at = now(), seq = seq + 100",
        "delete from audit_content",
        "truncate audit_content",
        "update audit_heads set hash = ''",
        "update audit_heads set seq = seq - 1",
        "delete from audit_heads",
        "truncate audit_heads",
    ],
)
async def test_the_log_is_append_only(logged: Pool, statement: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="the audit log is append-only"):
        await logged.execute(statement)


async def test_chains_do_not_fork(logged: Pool) -> None:
    await asyncio.gather(*(journal(logged, key, f"k{n}") for n in range(20) for key in (KEY, OTHER)))
    assert await logged.fetchval("select count(*) from audit where kind = 'event'") == 42
    assert await broken(logged) == []


async def test_a_chain_begins_only_once(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    await asyncio.gather(*(journal(pool, KEY, f"k{n}") for n in range(10)))
    assert await pool.fetchval("select max(seq) from audit") == 10
    assert await broken(pool) == []


async def test_the_time_zone_of_a_session_changes_nothing(logged: Pool) -> None:
    async with logged.acquire() as conn:
        await conn.execute("set timezone = 'Asia/Kolkata'")
        await conn.execute("update contacts set settled_at = '2026-03-10 12:00:00.5Z'")
        assert [b async for b in broken_links(conn)] == []
        await conn.execute("set timezone = 'UTC'")


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("delete from audit where loan_id = 'L-1' and seq = 2", [("gap", "3")]),
        ("delete from audit where loan_id = 'L-1' and seq = 1", [("gap", "2")]),
        ("delete from audit where loan_id = 'L-1' and seq > 4", [("end", "4"), ("row", "C-L-1"), ("row", "T-L-1")]),
        ("update audit set previous = '' where loan_id = 'L-1' and seq = 3", [("previous", "3"), ("hash", "3")]),
        ("update audit set subject = 'T-L-2' where loan_id = 'L-1' and seq = 6", [("hash", "6"), ("row", "T-L-1")]),
        ("update audit set at = at + interval '1 microsecond' where loan_id = 'L-1' and seq = 2", [("hash", "2")]),
        ("update audit set content_hash = '' where loan_id = 'L-1' and seq = 2", [("hash", "2"), ("content", "2")]),
        ("update audit set hash = '' where loan_id = 'L-1' and seq = 5", [("hash", "5"), ("previous", "6")]),
        ("update audit_heads set hash = '' where loan_id = 'L-1'", [("end", "6")]),
        ("update audit_content set content = '{}' where loan_id = 'L-1' and seq = 4", [("content", "4")]),
        ("update audit_content set salt = gen_random_uuid() where loan_id = 'L-1' and seq = 4", [("content", "4")]),
        ("delete from audit_content where loan_id = 'L-1' and seq = 4", [("content", "4")]),
        ("update contacts set state = 'failed' where loan_id = 'L-1'", [("row", "C-L-1")]),
        ("update contacts set permit = jsonb_set(permit, '{engine}', '2') where loan_id = 'L-1'", [("row", "C-L-1")]),
        ("update tasks set outcome = 'NO_ANSWER' where loan_id = 'L-1'", [("row", "T-L-1")]),
        ("delete from tasks where loan_id = 'L-1'", [("row", "T-L-1")]),
        ("delete from contacts where loan_id = 'L-1'", [("row", "C-L-1")]),
    ],
)
async def test_what_is_changed_is_named(logged: Pool, statement: str, found: list[tuple[str, str]]) -> None:
    await behind_its_back(logged, statement)
    assert await broken(logged) == [(kind, "L-1", id_) for kind, id_ in found]


async def test_a_line_of_the_journal_that_was_changed_or_added_is_named(logged: Pool) -> None:
    id_ = str(await logged.fetchval("select id from case_events where loan_id = 'L-1'"))
    await behind_its_back(logged, "update case_events set kind = 'promised' where loan_id = 'L-1'")
    assert await broken(logged) == [("row", "L-1", id_)]
    await behind_its_back(logged, "delete from case_events where loan_id = 'L-1'")
    assert await broken(logged) == [("row", "L-1", id_)]
    await behind_its_back(
        logged,
        "insert into case_events (lender_id, loan_id, episode, at, kind) values ('default', 'L-2', 1, now(), 'x')",
    )
    assert {b[1] for b in await broken(logged)} == {"L-1", "L-2"}


async def test_a_chain_that_is_gone_is_named(logged: Pool) -> None:
    await behind_its_back(logged, "delete from audit where loan_id = 'L-1'")
    assert ("end", "L-1", "0") in await broken(logged)


async def test_a_chain_put_in_the_place_of_another_is_named(logged: Pool) -> None:
    for table in TABLES:
        await behind_its_back(logged, f"delete from {table} where loan_id = 'L-1'")
        await behind_its_back(logged, f"update {table} set loan_id = 'L-1' where loan_id = 'L-2'")
    assert ("previous", "L-1", "1") in await broken(logged)


async def test_a_detail_says_what_differs(logged: Pool) -> None:
    await behind_its_back(logged, "update contacts set state = 'failed', body = 'other' where loan_id = 'L-1'")
    async with logged.acquire() as conn:
        found = [b async for b in broken_links(conn)]
    assert [b.detail for b in found] == ["contact C-L-1 differs from what link 5 of the log saw: body, state"]


async def test_erasing_keeps_the_chain(logged: Pool) -> None:
    async with logged.acquire() as conn:
        assert await erase(conn, KEY) == 6
    left = await logged.fetch("select seq, content from audit_content where loan_id = 'L-1' and content is not null")
    assert [(r["seq"], r["content"]) for r in left] == [(7, '{"contents": 6}')]
    assert await logged.fetchval("select count(*) from audit_content where loan_id = 'L-2' and salt is null") == 0
    assert await broken(logged) == []
    with pytest.raises(asyncpg.RestrictViolationError):
        await logged.execute(
            "update audit_content set content = '{}', salt = gen_random_uuid(), erased_at = null where seq = 1 and loan_id = 'L-1'"
        )


async def test_erasing_one_party_leaves_the_others(logged: Pool) -> None:
    await logged.execute("update contacts set party_id = 'B-L-2' where loan_id = 'L-1'")
    async with logged.acquire() as conn:
        assert await erase(conn, KEY, "B-L-2") == 1
        # The contact's first links, the task and the journal are about the borrower.
        assert await erase(conn, KEY, "B-L-1") == 6
    assert await broken(logged) == []
