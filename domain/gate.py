"""The gate: every contact passes it, and it says which rules spoke. Pure: the same facts always give the same verdict."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from domain.loan import Frozen
from domain.rulebook import Channel, Hours, Limit, Purpose, Rule, Rulebook

STOPPED_FOR = timedelta(hours=1)  # how long a contact waits at the stop button before it asks again
HELD_FOR = timedelta(days=1)  # how long it waits at an open-ended hold; a change of the hold wakes the case anyway


class ContactRequest(Frozen):
    """A contact somebody means to make."""

    channel: Channel
    purpose: Purpose
    contact_value_known: bool


class PastContact(Frozen):
    """A contact that counts: when it was made, and whether it was with this loan or this very number or address."""

    at: datetime
    channel: Channel
    purpose: Purpose
    same_loan: bool
    same_value: bool


class GateFacts(Frozen):
    """What the gate sees, kept with the permit so that the verdict can be given again.

    `held` are the scopes that active holds stop; `held_until` is when the first of them ends. `past` are the contacts with the person
    over all loans and channels.
    """

    now: datetime
    zone: str
    owes: bool
    held: tuple[str, ...] = ()
    held_until: datetime | None = None
    suppressed: bool = False
    stopped: bool = False
    shadow: bool = False
    jurisdiction_known: bool = True
    past: tuple[PastContact, ...] = ()


class Permit(Frozen):
    """The contact may be made now; `shadow` means that it is only written down."""

    verdict: Literal["permit"] = "permit"
    rules: tuple[str, ...]
    shadow: bool = False


class Defer(Frozen):
    """Not now; `until` is the earliest time at which every rule allows it on these facts."""

    verdict: Literal["defer"] = "defer"
    rules: tuple[str, ...]
    until: datetime


class Forbid(Frozen):
    """Not at all on these facts."""

    verdict: Literal["forbid"] = "forbid"
    rules: tuple[str, ...]


Verdict = Annotated[Permit | Defer | Forbid, Field(discriminator="verdict")]


def decide(request: ContactRequest, facts: GateFacts, rulebooks: Sequence[Rulebook]) -> Verdict:
    """The verdict on one contact, with the id of every rule that spoke; the strictest wins."""
    forbidding = _forbidding(request, facts)
    if forbidding:
        return Forbid(rules=tuple(forbidding))
    rules = [
        r for book in rulebooks for r in book.rules if request.purpose in r.purposes and request.channel in r.channels
    ]
    waits = _house_waits(request, facts)
    waits += [(r.id, earliest) for r in rules if (earliest := _earliest(r, facts, facts.now)) > facts.now]
    if not waits:
        return Permit(rules=("core.OWES", "core.HOLDS", *(r.id for r in rules)), shadow=facts.shadow)
    until = _all_allow(max(at for _, at in waits), [partial(_earliest, r, facts) for r in rules])
    return Defer(rules=tuple(name for name, _ in waits), until=until)


def _forbidding(request: ContactRequest, facts: GateFacts) -> list[str]:
    return [
        rule
        for rule, speaks in (
            ("core.NO_JURISDICTION", not facts.jurisdiction_known),
            ("core.NO_CONTACT_POINT", not request.contact_value_known),
            ("core.NOTHING_DUE", request.purpose == "collect" and not facts.owes),
            ("core.OPTED_OUT", facts.suppressed and request.purpose != "reply"),
        )
        if speaks
    ]


def _house_waits(request: ContactRequest, facts: GateFacts) -> list[tuple[str, datetime]]:
    """What makes any contact wait, whatever the rulebooks say: the stop button and holds."""
    waits = []
    if facts.stopped:
        waits.append(("core.STOPPED", facts.now + STOPPED_FOR))
    if "contact" in facts.held and request.purpose in {"collect", "reminder"}:
        waits.append(("core.HELD", facts.held_until or facts.now + HELD_FOR))
    return waits


def _all_allow(at: datetime, earliest: Iterable[Callable[[datetime], datetime]]) -> datetime:
    """Push a time forward until no rule moves it any more. A year bounds it: rules that never agree defer to then."""
    tests, bound = list(earliest), at + timedelta(days=366)
    while at < bound:
        moved = max((test(at) for test in tests), default=at)
        if moved <= at:
            return at
        at = moved
    return at


def _earliest(rule: Rule, facts: GateFacts, at: datetime) -> datetime:
    """The first moment from `at` on that one rule allows."""
    match rule:
        case Hours():
            return _within_hours(rule, at, ZoneInfo(facts.zone))
        case Limit():
            return _under_limit(rule, facts, at)


def _within_hours(rule: Hours, at: datetime, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    opens, closes = (datetime.combine(local.date(), t, tzinfo=zone) for t in (rule.start, rule.end))
    if local < opens:
        return opens.astimezone(at.tzinfo)
    if local < closes:
        return at
    tomorrow = local.date() + timedelta(days=1)
    return datetime.combine(tomorrow, rule.start, tzinfo=zone).astimezone(at.tzinfo)


def _under_limit(rule: Limit, facts: GateFacts, at: datetime) -> datetime:
    zone = ZoneInfo(facts.zone)
    days = sorted(
        past.at.astimezone(zone).date()
        for past in facts.past
        if past.channel in rule.channels
        and past.purpose in rule.purposes
        and (
            rule.per == "person" or (rule.per == "loan" and past.same_loan) or (rule.per == "value" and past.same_value)
        )
    )
    today = at.astimezone(zone).date()
    inside = [d for d in days if d > today - timedelta(days=rule.days)]
    if len(inside) < rule.count:
        return at
    falls_out = inside[len(inside) - rule.count] + timedelta(days=rule.days)
    return datetime(falls_out.year, falls_out.month, falls_out.day, tzinfo=zone).astimezone(at.tzinfo)
