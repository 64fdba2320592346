"""The outbox: what the ledger has to tell its cases, written in the transaction that made it true, delivered by the relay."""

from datetime import timedelta
from typing import Any, NamedTuple

from domain.loan import LoanKey
from ledger.tracing import traceparent


class OutboxRow(NamedTuple):
    """One message to one case; `message` is the signal's name, `trace` the request that it came from."""

    id: int
    message: str
    payload: dict[str, Any]
    trace: str | None = None


async def add(conn: Any, key: LoanKey, message: str, payload: dict[str, Any]) -> None:
    """Tell a loan's case something, once the transaction commits."""
    await conn.execute(
        "insert into outbox (lender_id, loan_id, message, payload, trace) values ($1, $2, $3, $4, $5)",
        *key,
        message,
        payload,
        traceparent(),
    )


async def waiting_loans(conn: Any, limit: int) -> list[LoanKey]:
    """The loans whose oldest undelivered message has waited longest."""
    rows = await conn.fetch(
        """
        select lender_id, loan_id from outbox where delivered_at is null
        group by lender_id, loan_id order by min(id) limit $1
        """,
        limit,
    )
    return [LoanKey(r["lender_id"], r["loan_id"]) for r in rows]


async def take(conn: Any, key: LoanKey, limit: int = 500) -> list[OutboxRow]:
    """A loan's undelivered messages in order, or none where another relay has them. Hold the transaction until they are delivered."""
    free = await conn.fetchval("select pg_try_advisory_xact_lock(hashtextextended($1, 7))", f"outbox {key}")
    if not free:
        return []
    rows = await conn.fetch(
        """
        select id, message, payload, trace from outbox
        where lender_id = $1 and loan_id = $2 and delivered_at is null order by id limit $3
        """,
        *key,
        limit,
    )
    return [OutboxRow(*r) for r in rows]


async def delivered(conn: Any, ids: list[int], result: str) -> None:
    """These messages have arrived, or need not; `result` says which."""
    await conn.execute("update outbox set delivered_at = now(), result = $2 where id = any($1)", ids, result)


async def backlog(conn: Any) -> tuple[int, timedelta]:
    """How many messages wait, and how long the oldest has."""
    row = await conn.fetchrow(
        "select count(*) as waiting, coalesce(now() - min(created_at), interval '0') as age from outbox where delivered_at is null"
    )
    return row["waiting"], row["age"]
