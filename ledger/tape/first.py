"""The first tape of a ledger: what its tables promise of one another is checked once for all rows, and not row by row."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from ledger.named import queries

TAPE = queries("tape")
TABLES = ["parties", "contact_points", "loans", "instalments"]


@asynccontextmanager
async def first_tape(conn: Any) -> AsyncIterator[bool]:
    """Whether the ledger has no loan yet; then it is this tape's alone until the transaction ends.

    The foreign keys of loans, persons and numbers are gone meanwhile, and so is what instalments are found by; all is made again at the
    end, when millions of rows cost less than half. Whoever looks at these tables waits, and there was nothing to see. Where somebody
    looks just now, or the role does not own the tables, all stays as it is and False is given.

    Raises:
        asyncpg.ForeignKeyViolationError: a row names what is not there.
    """
    if not await _is_ours(conn):
        yield False
        return
    again = [r async for r in TAPE.made_again(conn, tables=TABLES)]
    for each in again:
        await conn.execute(each["without"])
    yield True
    for each in again:
        await conn.execute(each["with_it"])
    if alone := await TAPE.instalment_without_loan(conn):
        raise asyncpg.ForeignKeyViolationError(f"an instalment names loan {alone}, which is not there")


async def _is_ours(conn: Any) -> bool:
    if not await TAPE.may_be_first(conn, tables=TABLES):
        return False
    try:
        async with conn.transaction():
            await TAPE.have_for_oneself(conn)
    except asyncpg.LockNotAvailableError:
        return False
    # Somebody may have been quicker.
    return bool(await TAPE.may_be_first(conn, tables=TABLES))
