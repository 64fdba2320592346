"""What a case carries from one run to the next, and what it tells those who ask."""

from datetime import datetime

from pydantic import Field

from activities.contracts import CaseRef, Message, Payload, Result

KEPT_LINES = 40  # of the timeline; the ledger's journal has all of it
ROLL_OVER_AFTER = 250  # events of history: replaying a longer one costs more than starting a new run


class TimelineLine(Payload):
    """One line of a case's story."""

    at: datetime
    what: str
    why: str


class CaseState(Payload):
    """The input of a run. A new case has nothing but its name; a run that follows another gets what that one left."""

    case: CaseRef
    latest: Result | None = None
    inbox: tuple[Message, ...] = ()
    shown: dict[str, str] = Field(default_factory=dict)
    timeline: tuple[TimelineLine, ...] = ()
    roll_over_after: int = ROLL_OVER_AFTER


class Status(Payload):
    """The answer to the query `status`."""

    case: CaseRef
    waiting: int
    latest: Result | None
