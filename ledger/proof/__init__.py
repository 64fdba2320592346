"""The proof: the five promises (design.md 1) checked on the ledger as it stands, by versions and the order of commits, never by clocks."""

from ledger.proof.prove import prove

__all__ = ["prove"]
