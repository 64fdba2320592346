"""Rules about what must be there, or must not: consent, notices, holds, third parties, the feed, the lead."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.gate.engine_1.asked import Asked, Stretch, begins, dawns, ends, first_in, later, local_day
from domain.gate.facts import GateFacts, GateHold
from domain.rulebook.rules import (
    ConsentNeeded,
    FreshFeed,
    HeldBy,
    LeadOnly,
    NoticeNeeded,
    NotOptedOut,
    NotTimeBarred,
    PendingPayment,
    Place,
    ThirdParty,
)

HELD_FOR = timedelta(
    days=1
)  # how long a contact waits at an open-ended hold; a change of the hold wakes the case anyway
FINAL = frozenset({"cease", "attorney"})  # open-ended, they wait for nothing: the case goes on without contact


def suppressed(facts: GateFacts) -> bool:
    """Whether the person asked to be left alone here."""
    return facts.suppressed or facts.point_status == "opted_out"


def never_told(asked: Asked) -> bool:
    """Whether somebody would hear of a debt who must not."""
    return asked.request.discloses and _stranger(asked.facts)


def _stranger(facts: GateFacts) -> bool:
    return not facts.party.liable and not facts.party.may_discuss


def spares(hold: GateHold, facts: GateFacts) -> bool:
    """Whether a hold is not meant for the one who is contacted: whoever has an attorney is reached through the attorney."""
    return hold.reason == "attorney" and facts.party.role == "attorney"


def open_until(holds: Iterable[GateHold], facts: GateFacts) -> datetime | None:
    """When the last of some holds ends; a day from now where nobody knows; None where one of them never ends by itself."""
    latest = facts.now
    for hold in holds:
        if hold.until is None and hold.reason in FINAL:
            return None
        latest = max(latest, hold.until or facts.now + HELD_FOR)
    return latest


def not_held(rule: HeldBy, asked: Asked, at: datetime) -> datetime | None:
    """After the last hold of these reasons."""
    facts = asked.facts
    holding = [h for h in facts.holds if h.reason in rule.reasons and not spares(h, facts)]
    return max(at, until) if (until := open_until(holding, facts)) is not None else None


def not_opted_out(_rule: NotOptedOut, asked: Asked, at: datetime) -> datetime | None:
    """Never where the person asked to be left alone."""
    return None if suppressed(asked.facts) else at


def may_hear(rule: ThirdParty, asked: Asked, at: datetime) -> datetime | None:
    """Never of the debt; without a word of it so often."""
    if not _stranger(asked.facts):
        return at
    if asked.request.discloses:
        return None
    if rule.locate is None:
        return at
    made = [p for p in asked.facts.past if p.same_party and not p.inbound and p.channel in rule.channels]
    return at if len(made) < rule.locate else None


def not_there(rule: Place, asked: Asked, at: datetime) -> datetime | None:
    """Never at such a place."""
    return None if asked.facts.point_source in rule.sources else at


def agreed(rule: ConsentNeeded, asked: Asked, at: datetime) -> datetime | None:
    """While a consent holds and is young enough, or the number was checked as recently."""
    request, facts = asked.request, asked.facts
    if rule.artificial_only and not request.artificial_voice and request.channel != "voice":
        return at
    if rule.max_age_days is None:
        return first_in(asked.consented(rule.scope), at)
    found = asked.consented(rule.scope, rule.max_age_days + 1)
    if rule.reassigned_check and facts.reassigned_checked_on is not None:
        checked = facts.reassigned_checked_on
        fresh = Stretch(begins(facts.zones, checked), ends(facts.zones, later(checked, rule.max_age_days)))
        held = asked.consented(rule.scope)
        found += [Stretch(max(s.begins, fresh.begins), min(s.ends, fresh.ends)) for s in held if _meet(s, fresh)]
    return first_in(found, at)


def _meet(one: Stretch, other: Stretch) -> bool:
    return max(one.begins, other.begins) < min(one.ends, other.ends)


def notified(rule: NoticeNeeded, asked: Asked, at: datetime) -> datetime | None:
    """Some days after the notice was served; before that only until the grace is over."""
    facts = asked.facts
    if rule.grace_days is not None:
        first = facts.first_contact_at
        if first is None or all(at < ends((z,), later(local_day(z, first), rule.grace_days)) for z in facts.zones):
            return at
    served = [n.served_on for n in facts.notices if n.kind == rule.notice]
    if not served:
        return None
    return max(at, begins(facts.zones, later(min(served), rule.min_days_since)))


def not_time_barred(_rule: NotTimeBarred, asked: Asked, at: datetime) -> datetime | None:
    """A filing, or words that announce one, before the day on which the debt becomes time-barred."""
    if asked.request.channel != "filing" and not asked.request.threatens:
        return at
    known = asked.facts.limitation
    if known is None or known.expires_on is None:
        return None
    return at if at < dawns(asked.facts.zones, known.expires_on) else None


def nothing_pending(_rule: PendingPayment, asked: Asked, at: datetime) -> datetime | None:
    """Once the payment on its way has had its time."""
    until = asked.facts.pending_until
    return at if until is None else max(at, until)


def fed(rule: FreshFeed, asked: Asked, at: datetime) -> datetime | None:
    """Now, or some hours later to see whether the feed has come."""
    facts = asked.facts
    if facts.feed_hours is None:
        return at
    if facts.feed_at is not None and at - facts.feed_at <= timedelta(hours=facts.feed_hours):
        return at
    return at + timedelta(hours=rule.retry_hours)


def leads(rule: LeadOnly, asked: Asked, at: datetime) -> datetime | None:
    """Now, or some days later to see whether it leads by then."""
    return at if asked.facts.lead else at + timedelta(days=rule.retry_days)
