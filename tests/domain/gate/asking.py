"""Words for asking the gate: facts about one debtor, past contacts, rules alone."""

from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from domain.gate import ContactRequest, Defer, Forbid, GateFacts, PastContact, Permit, decide
from domain.rulebook import Hours, Rule, Rulebook, read_rulebook

ROME = "Europe/Rome"
TICK = datetime.resolution


@cache
def shipped() -> dict[str, Rulebook]:
    """Every shipped rulebook by its name."""
    books = (read_rulebook(f.read_text("utf-8"), f.name) for f in sorted(Path("policies/rulebooks").glob("*.toml")))
    return {book.name: book for book in books}


def local(*parts: int, zone: str = ROME) -> datetime:
    """A moment by the clock of a zone."""
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type, misc]


NOON = local(2026, 5, 11, 12)  # a Monday


def ask(channel: Any = "sms", purpose: Any = "collect", **more: Any) -> ContactRequest:
    return ContactRequest(channel=channel, purpose=purpose, **more)


def facts(now: datetime = NOON, zone: str = ROME, **changes: Any) -> GateFacts:
    """Facts of somebody who owes, at noon in Rome unless told otherwise."""
    given: dict[str, Any] = {"now": now, "zones": (zone,), "owes": True}
    return GateFacts(**given | changes)


def past(at: datetime, channel: Any = "sms", purpose: Any = "collect", **changes: Any) -> PastContact:
    return PastContact(at=at, channel=channel, purpose=purpose, **{"same_loan": True, "same_value": True} | changes)


def hours(start: int = 8, end: int = 21, **more: Any) -> Hours:
    """A rule about hours, from eight to nine in the evening unless told otherwise."""
    given = {"id": "x.HOURS", "kind": "hours", "says": "-", "citation": "-", "status": "house"}
    return Hours(start=time(start), end=time(end), **given | more)


def alone(rule: Rule) -> Rulebook:
    """A rulebook of one rule, chosen whether or not it is on by default."""
    book = Rulebook(name=rule.id.partition(".")[0], title="-", about="-", rules=(rule,))
    return book.in_force(frozenset({rule.id}))


def verdict(request: ContactRequest | None = None, *rules: Rule, **known: Any) -> Permit | Defer | Forbid:
    """What the gate says with these rules alone."""
    return decide(request or ask(), facts(**known), [alone(rule) for rule in rules])
