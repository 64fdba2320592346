"""Rules that count past contacts, or wait after a conversation."""

from datetime import datetime

from domain.gate.engine_1.asked import Asked, first_in, later, local_day, midnight, soonest
from domain.gate.facts import PastContact
from domain.rulebook.rules import Limit, Silence


def under_limit(rule: Limit, asked: Asked, at: datetime) -> datetime | None:
    """When so many days hold fewer contacts than the limit, in every zone."""
    lifts = asked.consented("frequency", rule.consent_days) if rule.lifted_by_consent else []
    lifted = first_in(lifts, at) if lifts else None
    if lifted == at:
        return at
    since = asked.windows(at, rule.days)
    counted = [p.at for p in asked.placed(min([start for _, start in since])) if _counts(rule, p)]
    if lifts:
        counted = [made for made in counted if first_in(lifts, made) != made]
    if len(counted) < rule.count:
        return at
    counted.sort()
    free = at
    for zone, start in since:
        inside = [made for made in counted if made >= start]
        if len(inside) >= rule.count:
            leaves = local_day(zone, inside[len(inside) - rule.count])
            free = max(free, midnight(zone, later(leaves, rule.days)))
    return soonest(free, lifted)


def _counts(rule: Limit, past: PastContact) -> bool:
    if past.channel not in rule.channels or past.purpose not in rule.purposes:
        return False
    if (rule.per == "loan" and not past.same_loan) or (rule.per == "value" and not past.same_value):
        return False
    match rule.counts:
        case "placed":
            return True
        case "connected":
            return past.connected
        case "unanswered":
            return not past.connected
        case "effective":
            return past.effective
        case "conversation":
            return past.conversation


def silent(rule: Silence, asked: Asked, at: datetime) -> datetime | None:
    """When the days after the last conversation are over, in every zone."""
    lifted = first_in(asked.consented("frequency", rule.consent_days), at) if rule.lifted_by_consent else None
    if lifted == at:
        return at
    over = at
    for past in asked.facts.past:
        if past.conversation and past.channel in rule.channels and (rule.per == "person" or past.same_loan):
            for zone in asked.facts.zones:
                over = max(over, midnight(zone, later(local_day(zone, past.at), rule.days)))
    return soonest(over, lifted)
