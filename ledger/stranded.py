"""Messages of the outbox whose case cannot hear them: they wait for an operator, and are no sign that the relay is slow."""

from datetime import timedelta
from typing import Any, NamedTuple

from domain.loan import LoanKey


class Lag(NamedTuple):
    """What waits in the outbox: messages in all, those among them that are stranded, and the age of the oldest other one."""

    waiting: int
    stranded: int
    oldest: timedelta


async def strand(conn: Any, key: LoanKey, why: str) -> None:
    """Note why a loan's messages are not delivered; they stay undelivered, and are tried again."""
    await conn.execute(
        "update outbox set result = $3 where lender_id = $1 and loan_id = $2 and delivered_at is null", *key, why
    )


async def lag(conn: Any) -> Lag:
    """How far the relay is behind."""
    row = await conn.fetchrow(
        """
        select count(*) as waiting, count(result) as stranded,
            coalesce(now() - min(created_at) filter (where result is null), interval '0') as oldest
        from outbox where delivered_at is null
        """
    )
    return Lag(**dict(row))
