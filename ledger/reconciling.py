"""Reads what a statement is held against."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from domain.errors import BadInput
from domain.loan import EntryKind, EntryStatus
from domain.reconcile import WINDOW, Booked
from ledger.named import queries

RECONCILE = queries("reconcile")


async def booked(
    conn: Any, since: date, until: date, references: Iterable[str], lender_id: str | None = None
) -> list[Booked]:
    """The entries that a statement over these days, with these references, may mean; of one lender or of all. Those in suspense too.

    What was returned before it was settled has no reversal; it stands for both, and the statement may show either.

    Raises:
        BadInput: the lender is unknown.
    """
    if lender_id is not None and await RECONCILE.lender_known(conn, lender_id=lender_id) is None:
        raise BadInput(f"lender {lender_id!r} is unknown: lenders come with the loans of `arrears intake`.")
    around = timedelta(days=WINDOW)
    rows = RECONCILE.booked(
        conn, lender_id=lender_id, since=since - around, until=until + around, ids=sorted(set(references))
    )
    found = [Booked(**{**r, **_kinds(r)}) async for r in rows]
    returned = [e for e in found if e.kind is not EntryKind.REVERSAL and e.status is EntryStatus.RETURNED]
    return found + [replace(e, kind=EntryKind.REVERSAL, reverses=e.entry_id, of=e.kind) for e in returned]


def _kinds(row: Any) -> dict[str, Any]:
    return {
        "kind": EntryKind(row["kind"]),
        "status": EntryStatus(row["status"]),
        "of": EntryKind(row["of"]) if row["of"] else None,
    }
