"""Reads the money of a loan: its schedule, its entries and the terms by which they are read. Where it stands follows from these alone."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from domain.loan import Entry, EntryKind, EntryStatus, Instalment, LoanKey
from domain.position import Position, Terms, position
from ledger.named import queries
from ledger.terms import terms_from

MONEY = queries("money")


class Money(NamedTuple):
    """The money of a loan; `entries` stand in the order of their commits."""

    instalments: list[Instalment]
    entries: list[Entry]
    terms: Terms

    def stands(self, as_of: date) -> Position:
        """Where the loan stands at the end of a day of its lender's calendar."""
        return position(self.instalments, self.entries, as_of, self.terms)

    def with_line(self, line: Entry) -> "Money":
        """The money with one more line, the newest."""
        return self._replace(entries=[*self.entries, line])

    def until(self, version: int) -> "Money":
        """The money as it was known at a ledger version of the loan."""
        return self._replace(entries=[e for e in self.entries if e.version <= version])


async def money_of(conn: Any, key: LoanKey) -> Money:
    """All that is in the ledger of a loan; nothing where it is unknown."""
    row = await MONEY.money_of_loan(conn, lender_id=key.lender_id, loan_id=key.loan_id)
    return Money([], [], Terms()) if row is None else money_from(row)


def money_from(row: Any) -> Money:
    """The money in a row that has the columns of `money_of_loan`."""
    return Money([Instalment(*r) for r in row["instalments"]], [_entry(r) for r in row["entries"]], terms_from(row))


async def position_of(conn: Any, key: LoanKey, as_of: date) -> Position:
    """Where the loan stands at the end of a day of its lender's calendar, from all that is in the ledger."""
    return (await money_of(conn, key)).stands(as_of)


def _entry(row: Sequence[Any]) -> Entry:
    """A row within a row comes without the names of its columns: they stand as the fields do."""
    entry = Entry(*row)
    return entry._replace(kind=EntryKind(entry.kind), status=EntryStatus(entry.status))
