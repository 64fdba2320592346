"""Made-up facts for the tests of the ledger."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg

from domain.loan import EntryKind, LoanKey
from ledger.new_entry import NewEntry

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
KEY = LoanKey("default", "L-1")
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Standing:
    """A clock that stands at one moment."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    async def now(self) -> datetime:
        return self.at

    async def real(self, at: datetime) -> datetime:
        return at


async def add_loan(pool: Pool, key: LoanKey = KEY, *, currency: str = "EUR", owed: str = "100") -> None:
    """A loan with one instalment, due 2026-03-01."""
    borrower = f"B-{key.loan_id}"
    await pool.execute(
        "insert into parties (lender_id, party_id, name) values ($1, $2, 'Ann')", key.lender_id, borrower
    )
    await pool.execute(
        """
        insert into loans (lender_id, loan_id, borrower_id, country, currency, opened_on, product)
        values ($1, $2, $3, 'IT', $4, '2026-01-01', 'fine')
        """,
        *key,
        borrower,
        currency,
    )
    await pool.execute(
        "insert into instalments (lender_id, loan_id, number, due_on, principal, interest, fee) values ($1, $2, 1, '2026-03-01', $3, 0, 0)",
        *key,
        Decimal(owed),
    )


async def add_case(pool: Pool, key: LoanKey = KEY, *, is_open: bool = True) -> None:
    """A case of a loan, with its strategy."""
    await pool.execute(
        "insert into strategies (name, version, digest, content) values ('plain', 1, '', '{}') on conflict do nothing"
    )
    await pool.execute(
        """
        insert into cases (lender_id, loan_id, workflow_id, strategy, strategy_version, opened_at, episode_at, open)
        values ($1, $2, $3, 'plain', 1, $4, $4, $5)
        """,
        *key,
        key.workflow_id,
        NOON,
        is_open,
    )


async def add_task(pool: Pool, task_id: str, kind: str, key: LoanKey = KEY, *, status: str = "open") -> None:
    """A task of a case; its id is also its step."""
    await pool.execute(
        """
        insert into tasks (task_id, lender_id, loan_id, episode, step_id, ordinal, kind, status, opened_at, deadline)
        values ($1, $2, $3, 1, $1, 1, $4, $5, $6, $6)
        """,
        task_id,
        *key,
        kind,
        status,
        NOON,
    )


async def add_contact(pool: Pool, contact_id: str, state: str, purpose: str, key: LoanKey = KEY) -> None:
    """A contact of a case; its id is also its step."""
    await pool.execute(
        """
        insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, state, reserved_at)
        values ($1, $2, $3, 1, $1, 1, 'sms', $4, 'B-L-1', $5, $6)
        """,
        contact_id,
        *key,
        purpose,
        state,
        NOON,
    )


def entry(entry_id: str = "E-1", **values: Any) -> NewEntry:
    """A payment of 100 EUR on 2026-03-09, unless said otherwise."""
    usual: dict[str, Any] = {
        "entry_id": entry_id,
        "loan_id": KEY.loan_id,
        "kind": EntryKind.PAYMENT,
        "amount": Decimal(100),
        "currency": "EUR",
        "value_date": date(2026, 3, 9),
    }
    return NewEntry(**usual | values)
