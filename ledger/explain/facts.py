"""The facts that the gate saw, in words."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.gate import Consent, ContactRequest, GateFacts, PastContact
from domain.rulebook import Rulebook
from ledger.explain.words import Words, utc

WEEK = timedelta(days=7)


class Owed(NamedTuple):
    """What was past due when the gate decided: the amount with its currency, and since when."""

    amount: str
    since: date


def facts_in_words(
    request: ContactRequest, facts: GateFacts, books: tuple[Rulebook, ...], owed: Owed | None, words: Words
) -> list[str]:
    """Each fact that the gate saw, one sentence each; of those that change nothing only the usual ones."""
    speaking = {
        rule.kind
        for b in books
        for rule in b.rules
        if request.channel in rule.channels and request.purpose in rule.purposes
    }
    return [
        _owes(facts, owed, words),
        *_person(request, facts, words),
        *_past(facts, words),
        *_holds(facts, words),
        *_consents(facts, words, "consent" in speaking),
        *_lender(facts, words, "fresh" in speaking),
        *_law(request, facts, words, "limitation" in speaking),
    ]


def _owes(facts: GateFacts, owed: Owed | None, words: Words) -> str:
    if not facts.owes:
        return words.say("facts", "owes_nothing")
    if owed is None:
        return words.say("facts", "owes_some")
    return words.say("facts", "owes", amount=owed.amount, date=words.day(owed.since))


def _person(request: ContactRequest, facts: GateFacts, words: Words) -> Iterator[str]:
    for name, speaks in (
        ("not_liable", not facts.party.liable),
        ("may_not_discuss", not facts.party.may_discuss),
        ("silent_words", not request.discloses),
        ("machine", request.artificial_voice),
        ("no_point", not request.contact_value_known),
        ("suppressed", facts.suppressed),
        ("not_lead", not facts.lead),
    ):
        if speaks:
            yield words.say("facts", name)
    if len(facts.zones) > 1:
        yield words.say("facts", "zones", zones=words.several(facts.zones))
    if facts.point_status != "active":
        yield words.say("facts", "point", status=facts.point_status.replace("_", " "))
    if facts.point_source != "tape":
        yield words.say("facts", "source", source=words.say("sources", facts.point_source))
    if facts.reassigned_checked_on:
        yield words.say("facts", "checked", date=words.day(facts.reassigned_checked_on))


def _past(facts: GateFacts, words: Words) -> Iterator[str]:
    recent = [p for p in facts.past if p.at > facts.now - WEEK]
    ours = [p for p in recent if not p.inbound]
    if ours:
        yield words.say("facts", "past", counts=_counts(ours, words))
    else:
        yield words.say("facts", "no_past")
    if facts.zones:
        zone = ZoneInfo(facts.zones[0])
        today = [p for p in ours if p.at.astimezone(zone).date() == facts.now.astimezone(zone).date()]
        if today:
            yield words.say("facts", "today", counts=_counts(today, words))
    if theirs := [p for p in recent if p.inbound]:
        yield words.say("facts", "inbound", counts=_counts(theirs, words))
    if talks := [p.at for p in facts.past if p.conversation]:
        yield words.say("facts", "conversation", date=words.day(max(talks)))


def _counts(contacts: list[PastContact], words: Words) -> str:
    channels = Counter(p.channel for p in contacts)
    return words.several(words.counted(channel, n) for channel, n in channels.items())


def _holds(facts: GateFacts, words: Words) -> Iterator[str]:
    if not facts.holds:
        yield words.say("facts", "no_holds")
    for hold in facts.holds:
        yield words.say(
            "facts",
            "hold",
            on=words.say("scopes", hold.on),
            reason=hold.reason.replace("_", " "),
            scopes=words.several(words.say("scopes", s) for s in hold.scopes),
            until=f"{utc(hold.until)} UTC" if hold.until else words.say("facts", "open"),
        )


def _consents(facts: GateFacts, words: Words, needed: bool) -> Iterator[str]:
    if needed and not facts.consents:
        yield words.say("facts", "no_consents")
    for consent in facts.consents:
        scope = words.say("scopes", consent.scope)
        yield words.say("facts", "consent", scope=scope, date=words.day(consent.given_on), ends=_ends(consent, words))


def _ends(consent: Consent, words: Words) -> str:
    if consent.revoked_on:
        return words.say("facts", "consent_revoked", date=words.day(consent.revoked_on))
    return words.say("facts", "consent_ends", date=words.day(consent.expires_on)) if consent.expires_on else ""


def _lender(facts: GateFacts, words: Words, fresh: bool) -> Iterator[str]:
    for name, speaks in (
        ("stopped", facts.stopped),
        ("shadow", facts.shadow),
        ("no_jurisdiction", not facts.jurisdiction_known),
    ):
        if speaks:
            yield words.say("facts", name)
    if facts.feed_hours and facts.feed_at:
        yield words.say("facts", "feed", at=utc(facts.feed_at), hours=facts.feed_hours)
    elif facts.feed_hours:
        yield words.say("facts", "feed_never", hours=facts.feed_hours)
    elif fresh:
        yield words.say("facts", "no_feed")
    if facts.pending_until and facts.pending_until > facts.now:
        yield words.say("facts", "pending", at=utc(facts.pending_until))


def _law(request: ContactRequest, facts: GateFacts, words: Words, barred: bool) -> Iterator[str]:
    for notice in facts.notices:
        yield words.say("facts", "notice", kind=notice.kind.replace("_", " "), date=words.day(notice.served_on))
    expires = facts.limitation.expires_on if facts.limitation else None
    if expires:
        yield words.say("facts", "limitation", date=words.day(expires))
    elif barred or request.channel == "filing":
        yield words.say("facts", "limitation_unknown")
    if request.channel == "letter":
        yield words.say("facts", "letter_threatens" if request.threatens else "letter_bare")
    if facts.zones and facts.now.astimezone(ZoneInfo(facts.zones[0])).date() in facts.holidays:
        yield words.say("facts", "holiday")
