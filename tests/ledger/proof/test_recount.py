"""Limits, silences and hours counted anew from contacts as they stand in the ledger."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from domain.rulebook import Rulebook
from ledger.permits import keep_rulebooks
from ledger.proof.findings import Findings
from ledger.proof.hours import hours
from ledger.proof.limits import limits
from ledger.proof.permitted import permitted
from ledger.strategies import publish_shipped

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Book:
    """A ledger with two loans of one person and one of another, and contacts put in one by one under rules of the test's own."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self.made = 0
        self.rulebooks: dict[str, str] = {}

    async def rules(self, *rules: dict[str, Any]) -> None:
        every = [
            {"id": f"test.R{n}", "says": "x", "citation": "x", "status": "house", **rule}
            for n, rule in enumerate(rules)
        ]
        book = Rulebook.model_validate({"name": "test", "title": "x", "about": "x", "rules": every})
        self.rulebooks = await keep_rulebooks(self.conn, (book,))

    async def contact(self, at: datetime, **more: Any) -> str:
        self.made += 1
        facts = {"now": at.isoformat(), "zones": ["UTC"], "owes": True, **more.pop("facts", {})}
        row = {
            "contact_id": f"C{self.made}",
            "loan_id": "L1",
            "party_id": "P1",
            "contact_value": "+12015550101",
            "channel": "call",
            "state": "sent",
            **more,
        }
        row |= {"step_id": row["contact_id"], "sending_at": at.isoformat(), "reserved_at": at.isoformat()}
        row |= {
            "lender_id": "default",
            "episode": 1,
            "ordinal": 1,
            "purpose": "collect",
            "direction": row.get("direction", "out"),
        }
        row |= {name: row.get(name, False) for name in ("connected", "effective", "conversation")}
        row["permit"] = {"rulebooks": self.rulebooks, "facts": facts}
        row["commit_order"] = await self.conn.fetchval("select nextval('commit_order')")
        await self.conn.execute("insert into contacts select (jsonb_populate_record(null::contacts, $1)).*", row)
        return str(row["contact_id"])

    async def found(self, check: Any) -> list[tuple[str, str]]:
        findings = Findings("test")
        async with self.conn.transaction():
            await check(self.conn, findings)
        return [(v["kind"], v["id"]) for v in findings.kept]


@pytest_asyncio.fixture
async def book(pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[Book]:
    async with pool.acquire() as conn:
        await publish_shipped(conn)
        await conn.execute(
            "insert into parties (lender_id, party_id, name) select 'default', 'P' || n, 'x' from generate_series(1, 2) n"
        )
        await conn.execute(
            """
            insert into loans (lender_id, loan_id, borrower_id, country, currency, opened_on, product)
            select 'default', 'L' || n, case n when 3 then 'P2' else 'P1' end, 'IT', 'EUR', date '2025-01-01', 'loan' from generate_series(1, 3) n
            """
        )
        await conn.execute(
            """
            insert into cases (lender_id, loan_id, workflow_id, strategy, strategy_version, opened_at, episode_at)
            select 'default', 'L' || n, 'L' || n, 'standard', version, now(), now() from generate_series(1, 3) n, strategies where name = 'standard'
            """
        )
        yield Book(conn)


def limit(count: int, days: int, per: str = "person", **more: Any) -> dict[str, Any]:
    return {"kind": "limit", "count": count, "days": days, "per": per, **more}


async def test_the_last_that_is_allowed_and_the_first_that_is_not(book: Book) -> None:
    await book.rules(limit(2, 7))
    await book.contact(NOON)
    await book.contact(NOON + 3 * DAY)
    assert await book.found(limits) == []
    await book.contact(NOON + 7 * DAY)  # the first is out of its window
    assert await book.found(limits) == []
    late = await book.contact(NOON + 9 * DAY)  # with day 3 and 7
    assert await book.found(limits) == [("limit_exceeded", late)]


async def test_any_window_counts_not_only_the_newest(book: Book) -> None:
    await book.rules(limit(1, 7))
    await book.contact(NOON)
    second = await book.contact(NOON + 6 * DAY)
    await book.contact(NOON + 60 * DAY)
    assert await book.found(limits) == [("limit_exceeded", second)]


@pytest.mark.parametrize(
    ("per", "same", "other"),
    [
        ("person", {"loan_id": "L2", "contact_value": "+12015550102"}, {"party_id": "P2", "loan_id": "L3"}),
        ("loan", {"party_id": "P2", "contact_value": "+12015550102"}, {"loan_id": "L2"}),
        ("value", {"party_id": "P2", "loan_id": "L3"}, {"contact_value": "+12015550102"}),
    ],
)
async def test_it_counts_for_each_person_debt_and_number(
    book: Book, per: str, same: dict[str, str], other: dict[str, str]
) -> None:
    await book.rules(limit(1, 1, per))
    await book.contact(NOON)
    await book.contact(NOON + HOUR, **other)
    assert await book.found(limits) == []
    second = await book.contact(NOON + 2 * HOUR, **same)
    assert ("limit_exceeded", second) in await book.found(limits)


async def test_days_are_the_persons_own(book: Book) -> None:
    await book.rules(limit(1, 1))
    await book.contact(NOON, facts={"zones": ["Asia/Tokyo"]})  # nine in the evening
    await book.contact(NOON + 4 * HOUR, facts={"zones": ["Asia/Tokyo"]})  # the next day there
    assert await book.found(limits) == []
    either = await book.contact(NOON + 5 * HOUR, facts={"zones": ["Asia/Tokyo", "UTC"]})
    assert await book.found(limits) == [("limit_exceeded", either)]


@pytest.mark.parametrize(
    ("counts", "flags"),
    [
        ("connected", {"connected": True}),
        ("effective", {"effective": True}),
        ("conversation", {"conversation": True}),
        ("unanswered", {}),
    ],
)
async def test_only_what_the_rule_counts_counts(book: Book, counts: str, flags: dict[str, bool]) -> None:
    await book.rules(limit(1, 1, counts=counts))
    others = {"connected": True} if counts == "unanswered" else {}
    await book.contact(NOON, **others)
    await book.contact(NOON + HOUR, **flags)
    await book.contact(NOON + 2 * HOUR, state="failed", **flags)
    await book.contact(NOON + 2 * HOUR, direction="in", **flags)
    await book.contact(NOON + 2 * HOUR, channel="letter", **flags)
    await book.contact(NOON + 2 * HOUR, **others)
    assert await book.found(limits) == []
    second = await book.contact(NOON + 3 * HOUR, **flags)
    assert await book.found(limits) == [("limit_exceeded", second)]


async def test_what_a_consent_lifted_does_not_count(book: Book) -> None:
    await book.rules(limit(1, 7, lifted_by_consent=True, consent_days=2))
    agreed = {"consents": [{"scope": "frequency", "given_on": "2026-03-02"}]}
    for hours_later in (0, 1, 25):
        await book.contact(NOON + hours_later * HOUR, facts=agreed)
    await book.contact(NOON + 2 * DAY, facts=agreed)
    assert await book.found(limits) == []
    second = await book.contact(NOON + 3 * DAY, facts=agreed)
    assert await book.found(limits) == [("limit_exceeded", second)]


async def test_silence_lasts_its_days_whoever_began_the_conversation(book: Book) -> None:
    await book.rules({"kind": "silence", "days": 7, "per": "person"})
    await book.contact(NOON, direction="in", conversation=True)
    early = await book.contact(NOON + 6 * DAY)
    await book.contact(NOON + 7 * DAY)
    assert await book.found(limits) == [("silence_broken", early)]


async def test_hours_are_kept_in_every_zone(book: Book) -> None:
    await book.rules(
        {"kind": "hours", "start": "08:00", "end": "20:00", "weekdays": [1, 2, 3, 4, 5], "on_holidays": False}
    )
    await book.contact(NOON - 4 * HOUR, channel="sms")
    await book.contact(NOON + 8 * HOUR - timedelta(seconds=1), channel="sms")
    assert await book.found(hours) == []
    wrong = [
        await book.contact(NOON + 8 * HOUR, channel="sms"),
        await book.contact(NOON - 4 * HOUR - timedelta(seconds=1), channel="sms"),
        await book.contact(NOON, channel="sms", facts={"zones": ["UTC", "America/New_York"]}),
        await book.contact(NOON + 5 * DAY, channel="sms"),
        await book.contact(NOON + DAY, channel="sms", facts={"holidays": ["2026-03-03"]}),
    ]
    assert await book.found(hours) == [("quiet_hours", each) for each in wrong]


async def test_other_days_and_consents_open_the_hours(book: Book) -> None:
    await book.rules(
        {
            "kind": "hours",
            "start": "08:00",
            "end": "20:00",
            "weekdays": [1],
            "other_days": "open",
            "lifted_by_consent": True,
        }
    )
    await book.contact(NOON + DAY + 10 * HOUR, channel="sms")
    agreed = {"consents": [{"scope": "hours", "given_on": "2026-03-01", "revoked_on": "2026-03-09"}]}
    await book.contact(NOON + 10 * HOUR, channel="sms", facts=agreed)
    assert await book.found(hours) == []
    revoked = await book.contact(NOON + 7 * DAY + 10 * HOUR, channel="sms", facts=agreed)
    assert await book.found(hours) == [("quiet_hours", revoked)]


async def test_a_permit_must_have_seen_what_the_gate_counts_of_the_same_borrower(book: Book) -> None:
    await book.rules(limit(9, 7))
    await book.contact(NOON, channel="sms")
    past = [{"at": NOON.isoformat(), "channel": "sms"}]
    await book.contact(NOON + DAY, channel="sms", facts={"past": past}, loan_id="L2")
    blind = await book.contact(NOON + 2 * DAY, channel="sms", facts={"past": past}, loan_id="L2")
    await book.contact(NOON + 10 * DAY, channel="sms")  # nothing within the rules' days
    await book.contact(NOON + 10 * DAY, channel="sms", party_id="P2", loan_id="L3")  # no lock orders these two
    incomplete = [id_ for kind, id_ in await book.found(permitted) if kind == "facts_incomplete"]
    assert incomplete == [blind]
