"""The gate: every contact passes it, and it says which rules spoke. Pure: the same facts always give the same verdict.

An engine is a way to read facts and rules. One that has given permits is never changed: what must be decided differently gets an engine
of its own, and `arrears verify` asks the one that gave the permit.
"""

from collections.abc import Callable, Mapping, Sequence

from domain.gate import engine_1
from domain.gate.facts import (
    Addressed,
    Consent,
    ContactRequest,
    Defer,
    Forbid,
    GateFacts,
    GateHold,
    Limitation,
    Notice,
    PastContact,
    Permit,
    Verdict,
)
from domain.rulebook import Rulebook

Engine = Callable[[ContactRequest, GateFacts, Sequence[Rulebook]], Permit | Defer | Forbid]
ENGINES: Mapping[int, Engine] = {1: engine_1.decide}
ENGINE = max(ENGINES)
"""The engine that decides now."""
STOPPED = "core.STOPPED"
"""The rule of the stop button; its release tells every case that waits (ledger/stops.py)."""


def decide(
    request: ContactRequest, facts: GateFacts, rulebooks: Sequence[Rulebook], engine: int = ENGINE
) -> Permit | Defer | Forbid:
    """The verdict on one contact, with the id of every rule that spoke; the strictest wins."""
    return ENGINES[engine](request, facts, rulebooks)


__all__ = [
    "ENGINE",
    "ENGINES",
    "STOPPED",
    "Addressed",
    "Consent",
    "ContactRequest",
    "Defer",
    "Forbid",
    "GateFacts",
    "GateHold",
    "Limitation",
    "Notice",
    "PastContact",
    "Permit",
    "Verdict",
    "decide",
]
