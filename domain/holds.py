"""Holds: reasons why something must not be done for a while, on a person, a contact point or a loan."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from domain.loan import Frozen


class Scope(StrEnum):
    """What a hold stops."""

    CONTACT = "contact"
    ESCALATION = "escalation"
    LEGAL = "legal"
    FEES = "fees"


_ALL = frozenset(Scope)
_PAUSE = frozenset({Scope.CONTACT, Scope.ESCALATION})

# What each reason stops unless the message says otherwise (domain.md 3d). Contractual days past due never stop.
REASONS: dict[str, frozenset[Scope]] = {
    "dispute": frozenset({Scope.CONTACT, Scope.ESCALATION, Scope.LEGAL}),
    "hardship": frozenset({Scope.CONTACT, Scope.ESCALATION, Scope.LEGAL}),
    "vulnerability": frozenset({Scope.CONTACT, Scope.ESCALATION, Scope.LEGAL}),
    "bereavement": _ALL,
    "insolvency": _ALL,
    "breathing_space": _ALL,
    "attorney": frozenset({Scope.CONTACT}),
    "cease": frozenset({Scope.CONTACT}),
    "complaint": _PAUSE,
    "fraud": _ALL,
    "military": _ALL,
    "disaster": _ALL,
    "payment_in_flight": frozenset({Scope.CONTACT, Scope.ESCALATION, Scope.LEGAL}),
    "data_quality": _PAUSE,
    "balance_mismatch": frozenset({Scope.CONTACT, Scope.ESCALATION, Scope.LEGAL}),
    "recalled": _ALL,
    "limitation": frozenset({Scope.LEGAL}),
    "operator": frozenset({Scope.CONTACT, Scope.ESCALATION, Scope.LEGAL}),
}


LEAVE_ALONE = frozenset({"attorney", "cease"})


class Hold(Frozen):
    """One hold; `until` and `released_at` are when it ends by itself and when somebody ended it, in business time."""

    hold_id: str
    subject_kind: Literal["person", "contact_point", "loan"]
    subject_id: str
    reason: str
    scopes: frozenset[Scope]
    since: datetime
    until: datetime | None = None
    released_at: datetime | None = None

    @property
    def end(self) -> datetime | None:
        """When it ended or will end; None while nobody knows."""
        ends = [e for e in (self.until, self.released_at) if e is not None]
        return min(ends, default=None)

    def active(self, now: datetime) -> bool:
        """Whether it holds at a moment."""
        return self.since <= now and (self.end is None or now < self.end)

    @property
    def leaves_alone(self) -> bool:
        """Whether it forbids contact for good and nothing else: the gate refuses each contact, and the case goes on without."""
        return self.reason in LEAVE_ALONE and self.scopes == {Scope.CONTACT} and self.end is None


class Pause(NamedTuple):
    """A stretch of time that does not count as stage time; open-ended while `until` is None."""

    since: datetime
    until: datetime | None


def holds_on_case(holds: Iterable[Hold], now: datetime) -> list[Hold]:
    """The active holds on the loan and its people; one on a number or address stops that alone, and is the gate's business."""
    return [hold for hold in holds if hold.active(now) and hold.subject_kind != "contact_point"]


def scopes_held(holds: Iterable[Hold], now: datetime) -> frozenset[Scope]:
    """The union of what all active holds on the case stop."""
    return frozenset(scope for hold in holds_on_case(holds, now) for scope in hold.scopes)


def pauses(holds: Iterable[Hold], scope: Scope) -> list[Pause]:
    """When a scope was held, one pause a hold."""
    return [
        Pause(h.since, h.end)
        for h in holds
        if scope in h.scopes and h.subject_kind != "contact_point" and (h.end is None or h.end > h.since)
    ]


def resumed(start: datetime, length: timedelta, stops: Iterable[Pause]) -> datetime | None:
    """The moment when `length` of unpaused time has passed since `start`; None while an open-ended pause is in the way.

    A stage that was held goes on with what was left of its time.
    """
    at = start + length
    reached = start  # overlapping pauses count once
    for pause in sorted(stops, key=lambda p: (p.since, p.until or datetime.max.replace(tzinfo=p.since.tzinfo))):
        begins = max(pause.since, reached)
        if begins > at or (length > timedelta(0) and begins == at):
            break
        if pause.until is None:
            return None
        if pause.until > begins:
            at += pause.until - begins
            reached = pause.until
    return at
