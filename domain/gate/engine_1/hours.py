"""Contact hours in the person's own time; with several zones, those common to all."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.gate.engine_1.asked import Asked, first_in, soonest
from domain.rulebook.rules import Hours

LOOK_AHEAD = timedelta(days=366)


def within_hours(rule: Hours, asked: Asked, at: datetime) -> datetime | None:
    """When it is neither too early nor too late anywhere."""
    lifted = first_in(asked.consented("hours"), at) if rule.lifted_by_consent else None
    if lifted == at:
        return at
    return soonest(_common(rule, asked, at), lifted)


def _common(rule: Hours, asked: Asked, at: datetime) -> datetime | None:
    bound = at + LOOK_AHEAD
    while at <= bound:
        moved = at
        for zone in asked.facts.zones:
            moved = max(moved, _opens(rule, ZoneInfo(zone), asked.facts.holidays, at))
        if moved == at:
            return at
        at = moved
    return None


def _opens(rule: Hours, zone: ZoneInfo, holidays: tuple[date, ...], at: datetime) -> datetime:
    """The first moment from `at` on within the hours of one zone."""
    local = at.astimezone(zone)
    day, clock = local.date(), local.time()
    if _open_on(rule, holidays, day):
        if rule.start <= clock < rule.end:
            return at
        if clock < rule.start:
            return _moment(day, rule.start, zone, local.fold)
    if rule.other_days == "open" and day.isoweekday() not in rule.weekdays:
        return at
    for _ in range(LOOK_AHEAD.days):
        day += timedelta(days=1)
        if _open_on(rule, holidays, day):
            return _moment(day, rule.start, zone)
        if rule.other_days == "open" and day.isoweekday() not in rule.weekdays:
            return _moment(day, time(), zone)
    return at + LOOK_AHEAD


def _open_on(rule: Hours, holidays: tuple[date, ...], day: date) -> bool:
    return day.isoweekday() in rule.weekdays and (rule.on_holidays or day not in holidays)


def _moment(day: date, clock: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).replace(fold=fold).astimezone(UTC)
