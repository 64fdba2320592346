"""What makes an entry the same however often it comes, and where it was seen before: in the ledger, or in suspense."""

from dataclasses import fields, replace
from typing import Any, NamedTuple

from domain.errors import BadInput
from domain.loan import EntryKind, EntryStatus
from ledger.named import queries
from ledger.new_entry import NewEntry

POSTING = queries("posting")


class Known(NamedTuple):
    """An entry as it first came, and the status it moved on to, each with the version that it made; none in suspense."""

    entry: NewEntry
    version: int | None
    moved_to: EntryStatus | None
    moved_version: int | None

    def version_of(self, entry: NewEntry) -> int | None:
        """The version that an entry made when it came before; the first content sent again stays known for ever.

        Raises:
            Conflict: it is not the same entry.
        """
        entry = entry.beside(self.entry)
        if entry == self.entry:
            return self.version
        if replace(entry, status=self.entry.status) != self.entry:
            raise Conflict.between(entry, self.entry)
        if entry.status is not self.moved_to and not self.moved_by(entry):
            raise Conflict.between(entry, self.entry)
        return self.moved_version

    def moved_by(self, entry: NewEntry) -> bool:
        """Whether the same entry now says what became of money that was pending."""
        return self.entry.status is EntryStatus.PENDING is not entry.status and self.moved_to is None


class Conflict(BadInput):
    """The same entry id came before with other content."""

    @classmethod
    def between(cls, entry: NewEntry, known: NewEntry) -> "Conflict":
        """Says in what they differ. The values stay out of the sentence: a payer is a person."""
        other = ", ".join(f.name for f in fields(entry) if getattr(entry, f.name) != getattr(known, f.name))
        return cls(
            f"entry {entry.entry_id} is already known with other content ({other}): post a reversal or use a new id."
        )


async def known_entry(conn: Any, lender_id: str, entry_id: str) -> Known | None:
    """A posted entry by the sender's id."""
    row = await POSTING.known_entry(conn, lender_id=lender_id, entry_id=entry_id)
    if row is None:
        return None
    values = dict(row)
    moved_to, moved_version = values.pop("moved_to"), values.pop("moved_version")
    entry, version = entry_from(values)
    return Known(entry, version, EntryStatus(moved_to) if moved_to else None, moved_version)


def kept_entry(entry: Any, status: str | None) -> Known:
    """An entry in suspense, from its row there."""
    return Known(NewEntry.read(entry), None, EntryStatus(status) if status else None, None)


def entry_from(row: Any) -> tuple[NewEntry, int]:
    """A row of the ledger as the entry that was sent, with its loan's version that it made."""
    values = dict(row)
    version: int = values.pop("ledger_version")
    values |= {"kind": EntryKind(row["kind"]), "status": EntryStatus(row["status"])}
    return NewEntry(**values), version
