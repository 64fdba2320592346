"""Checks the audit log, and erases from it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

from domain.loan import LoanKey
from ledger.export.check import Fault, Link, content_faults, end_faults, first_previous, link_faults
from ledger.named import queries

AUDIT = queries("audit")


class Broken(NamedTuple):
    """One fault of the log: of which loan, what kind, at which link or row, and one sentence."""

    lender_id: str
    loan_id: str
    kind: str
    id: str
    detail: str


async def broken_links(conn: Any) -> AsyncIterator[Broken]:
    """Every fault of the log, as it is read: memory does not grow with the log.

    A link that is missing, continues another, or was changed; a content that is not the one hashed, unless it was erased; a contact,
    task or line of the journal that stands otherwise than the log saw it last. The hashes are computed here, not by the database.
    """
    async with conn.transaction():
        await conn.execute("set local timezone = 'UTC'")  # the log wrote its times so
        async for broken in _broken_chains(conn):
            yield broken
        async for broken in _broken_rows(conn):
            yield broken


async def erase(conn: Any, key: LoanKey, party_id: str | None = None) -> int:
    """Erase what the log of a loan says of a party, or all that it says; how many contents went. The chain still holds."""
    gone: int = await conn.fetchval("select erase_audit_content($1, $2, $3)", *key, party_id)
    return gone


async def _broken_chains(conn: Any) -> AsyncIterator[Broken]:
    before: Link | None = None
    row: Any = None
    async with AUDIT.links_cursor(conn) as links:
        async for each in links:
            if row is not None and (row["lender_id"], row["loan_id"]) != (each["lender_id"], each["loan_id"]):
                for broken in _at_the_end(row, before):
                    yield broken
                before = None
            row = each
            link = Link(*(row[name] for name in Link._fields))
            for fault in _of_one(link, before, row):
                yield Broken(row["lender_id"], row["loan_id"], *fault)
            before = link
    if row is not None:
        for broken in _at_the_end(row, before):
            yield broken
    async for lost in AUDIT.heads_without_links(conn):
        yield Broken(lost["lender_id"], lost["loan_id"], *next(end_faults(None, lost["seq"], "")))


def _of_one(link: Link, before: Link | None, row: Any) -> Iterator[Fault]:
    yield from link_faults(link, before, first_previous(row["lender_id"], row["loan_id"]))
    yield from content_faults(link, row["salt"], row["content"], row["erased"])


def _at_the_end(row: Any, last: Link | None) -> Iterator[Broken]:
    for fault in end_faults(last, row["head_seq"] or 0, row["head_hash"] or ""):
        yield Broken(row["lender_id"], row["loan_id"], *fault)


async def _broken_rows(conn: Any) -> AsyncIterator[Broken]:
    families = {
        "contact": AUDIT.unlike_contacts_cursor,
        "task": AUDIT.unlike_tasks_cursor,
        "event": AUDIT.unlike_events_cursor,
    }
    for kind, unlike in families.items():
        async with unlike(conn) as rows:
            async for row in rows:
                what = (
                    f"{kind} {row['id']} was never logged"
                    if row["seq"] is None
                    else f"{kind} {row['id']} differs from what link {row['seq']} of the log saw: {', '.join(row['names'])}"
                )
                yield Broken(row["lender_id"], row["loan_id"], "row", str(row["id"]), what)
    async with AUDIT.vanished_cursor(conn) as rows:
        async for row in rows:
            what = f"{row['kind']} {row['id']} is in the log and not in the ledger"
            yield Broken(row["lender_id"], row["loan_id"], "row", row["id"], what)
