"""Brings a restored system together again: what Temporal's histories and the carrier know, and the ledger does not, and the reverse.

A ledger restored to an earlier time lacks contacts, tasks and what people told. Their traces are in the histories (what was ordered, done
and told) and at the carrier (what really went out and came in). A Temporal restored to an earlier time lacks workflows, or has them behind:
they are started from the ledger, and woken. Doing it twice changes nothing.
"""

from starters.recovery.recovering import Recovering
from starters.recovery.report import Report

__all__ = ["Recovering", "Report"]
