"""The audit log: a chain of hashes for each loan, written by the database (ledger/migrations), checked here."""

from ledger.audit.checking import Broken, broken_links, erase

__all__ = ["Broken", "broken_links", "erase"]
