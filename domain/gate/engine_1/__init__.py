"""Engine 1 of the gate. It has given permits: what must be decided differently gets an engine of its own.

A rule answers one question: which is the first moment, from a given one on, at which it allows the contact? None means never on these
facts. Rules about time are asked again and again until they agree on a moment; all others are asked once, now.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.gate.engine_1 import core
from domain.gate.engine_1.asked import Asked
from domain.gate.engine_1.counts import silent, under_limit
from domain.gate.engine_1.hours import within_hours
from domain.gate.engine_1.needs import (
    agreed,
    fed,
    leads,
    may_hear,
    not_held,
    not_opted_out,
    not_there,
    not_time_barred,
    nothing_pending,
    notified,
)
from domain.gate.facts import ContactRequest, Defer, Forbid, GateFacts, Permit
from domain.rulebook.rules import (
    ConsentNeeded,
    FreshFeed,
    HeldBy,
    Hours,
    LeadOnly,
    Limit,
    NoticeNeeded,
    NotOptedOut,
    NotTimeBarred,
    PendingPayment,
    Place,
    Rulebook,
    Silence,
    ThirdParty,
)

LOOK_AHEAD = timedelta(days=366)  # rules that do not agree on a moment within a year never will

Test = Callable[[Any, Asked, datetime], datetime | None]
ABOUT_TIME: Mapping[type, Test] = {
    Hours: within_hours,
    Limit: under_limit,
    Silence: silent,
    ConsentNeeded: agreed,
    NoticeNeeded: notified,
    NotTimeBarred: not_time_barred,
    PendingPayment: nothing_pending,
}
NOW_ONLY: Mapping[type, Test] = {
    HeldBy: not_held,
    NotOptedOut: not_opted_out,
    ThirdParty: may_hear,
    Place: not_there,
    FreshFeed: fed,
    LeadOnly: leads,
}
TESTS: Mapping[type, Test] = {**ABOUT_TIME, **NOW_ONLY}
CORE = core.SAYS


def decide(request: ContactRequest, facts: GateFacts, rulebooks: Sequence[Rulebook]) -> Permit | Defer | Forbid:
    """The verdict on one contact, with the id of every rule that spoke; the strictest wins."""
    asked = Asked(request, facts)
    now, purpose, channel = facts.now, request.purpose, request.channel
    rules = [r for book in rulebooks for r in book.rules if channel in r.channels and purpose in r.purposes]
    if not facts.zones:
        rules = []  # they cannot be asked where nobody knows what time it is; core.NO_JURISDICTION forbids
    answers = core.answers(asked)
    answers += [(rule.id, TESTS[type(rule)](rule, asked, now)) for rule in rules]

    never = tuple(name for name, at in answers if at is None)
    if never:
        return Forbid(rules=never)
    waits = tuple(name for name, at in answers if at is not None and at > now)
    if not waits:
        return Permit(rules=(*core.asked_for(purpose), *(r.id for r in rules)), shadow=facts.shadow)

    timely = [(r.id, ABOUT_TIME[type(r)], r) for r in rules if type(r) in ABOUT_TIME]
    until, closed = _all_allow(asked, max(at for _, at in answers if at is not None), timely)
    if until is None:
        return Forbid(rules=tuple(dict.fromkeys([*waits, *closed])))
    return Defer(rules=waits, until=until)


def _all_allow(
    asked: Asked, at: datetime, timely: Sequence[tuple[str, Test, Any]]
) -> tuple[datetime | None, tuple[str, ...]]:
    """The first moment from `at` on that every rule allows; or None, and the rules that never allow it any more."""
    bound = at + LOOK_AHEAD
    while at <= bound:
        moved = at
        for name, test, rule in timely:
            earliest = test(rule, asked, at)
            if earliest is None:
                return None, (name,)
            moved = max(moved, earliest)
        if moved == at:
            return at, ()
        at = moved
    return None, ()
