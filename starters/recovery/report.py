"""What a recovery did, and what it could not do."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from domain.loan import LoanKey


@dataclass
class Report:
    """One run of a recovery. Times are real.

    Attributes:
        lost_since: What the ledger lacks came after.
        cases_read: Workflows whose histories were read.
        contacts: Contacts written back that a history or the carrier proves; `unexplained` among them are messages of which no history
            tells, and `uncertain` those that a history calls sent and the carrier does not know.
        settled: Texts whose answer was lost, and that the carrier has.
        tasks: Tasks written back that had been handed out.
        messages: Messages of people that were absorbed again; `refused` of them were refused.
        replies: Texts from borrowers that were taken in again.
        strangers: Messages at the carrier to numbers that nobody in the ledger has.
        started: Cases whose workflow was missing and runs again. `woken`: those that decide anew.
        told_again: Messages of the outbox that are delivered again.
        loans, entries, strategies: What histories name and the ledger lacks, for somebody to bring again.
    """

    lost_since: datetime
    cases_read: int = 0
    contacts: int = 0
    unexplained: int = 0
    uncertain: int = 0
    settled: int = 0
    tasks: int = 0
    messages: int = 0
    refused: int = 0
    replies: int = 0
    strangers: int = 0
    started: int = 0
    woken: int = 0
    told_again: int = 0
    loans: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    strategies: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is missing that somebody must bring."""
        return not (self.loans or self.entries or self.strategies)

    def lacks_entries(self, key: LoanKey, ids: list[str]) -> None:
        """Note entries that a case had heard of."""
        self.entries += [f"{key}: {entry_id}" for entry_id in ids]

    def as_json(self) -> dict[str, Any]:
        """The report as `arrears recover --json` prints it."""
        values = asdict(self)
        missing = {name: sorted(set(values.pop(name))) for name in ("loans", "entries", "strategies")}
        return {**values, "missing": missing}
