"""Where each rule's boundary lies: what it still permits, and what it first does not. The figures are written out here, never read from the rule."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from domain.gate import Addressed, Consent, ContactRequest, GateFacts, GateHold, Limitation, Notice
from tests.domain.gate.asking import NOON, ROME, TICK, ask, facts, local, past

NEW_YORK, LONDON, KOLKATA, SHANGHAI = "America/New_York", "Europe/London", "Asia/Kolkata", "Asia/Shanghai"
TODAY = date(2026, 5, 11)
STRANGER = Addressed(role="reference", liable=False, may_discuss=False)
TRUSTED = Addressed(role="business_contact", liable=False, may_discuss=True)

Ask = tuple[ContactRequest, GateFacts]


class Boundary(NamedTuple):
    """The last that a rule permits, and the first that it does not."""

    permitted: tuple[Ask, ...]
    stopped: tuple[Ask, ...]


def noon(zone: str) -> datetime:
    return local(2026, 5, 11, 12, zone=zone)


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def known(permitted: dict[str, Any], stopped: dict[str, Any], request: ContactRequest | None = None) -> Boundary:
    """Two sets of facts about one request."""
    request = request or ask()
    return Boundary(((request, facts(**permitted)),), ((request, facts(**stopped)),))


def hours(zone: str, opens: int, closes: int, channel: str = "sms", day: int = 11) -> Boundary:
    """Permitted from the first moment of one hour to the last before another."""
    first, last = (local(2026, 5, day, hour, zone=zone) for hour in (opens, closes))
    request = ask(channel)
    return Boundary(
        tuple((request, facts(at, zone)) for at in (first, last - TICK)),
        tuple((request, facts(at, zone)) for at in (first - TICK, last)),
    )


def agreed_hours(zone: str, opens: int, closes: int) -> Boundary:
    """The same, and a consent lifts it: at night on its last day, not on the day after."""
    within = hours(zone, opens, closes)
    late = local(2026, 5, 11, closes, zone=zone)
    given = [(Consent(scope="hours", given_on=days_ago(9), expires_on=days_ago(ago)),) for ago in (0, 1)]
    last, over = ((ask(), facts(late, zone, consents=consents)) for consents in given)
    return Boundary((*within.permitted, last), (*within.stopped, over))


def limit(zone: str, channel: str, count: int, days: int, counted_too: str | None = None, **counted: Any) -> Boundary:
    """One fewer inside the days and one just before them; as many inside, the oldest at the first moment of the first day."""
    opens = local(2026, 5, 11, zone=zone) - timedelta(days=days - 1)
    made = counted_too or channel
    inside = tuple(past(opens + i * timedelta(minutes=1), made, **counted) for i in range(count))
    before = past(opens - TICK, made, **counted)
    request = ask(channel)
    return Boundary(
        ((request, facts(noon(zone), zone, past=(before, *inside[1:]))),),
        ((request, facts(noon(zone), zone, past=inside)),),
    )


def silence(zone: str, days: int, **talked: Any) -> Boundary:
    """From the midnight on that ends the last day; the day of the conversation is the first."""
    over = local(2026, 5, 11 + days, zone=zone)
    made = (past(local(2026, 5, 11, 23, zone=zone), "call", "reply", conversation=True, inbound=True, **talked),)
    request = ask("voice")
    return Boundary(
        ((request, facts(over, zone, past=made)),),
        ((request, facts(over - TICK, zone, past=made)),),
    )


def with_more(one: Boundary, other: Boundary) -> Boundary:
    return Boundary((*one.permitted, *other.permitted), (*one.stopped, *other.stopped))


def frequency(request: ContactRequest, days: int, **known_too: Any) -> Boundary:
    """What would be too much is lifted by a consent through its last day, not on the day after."""
    given = [(Consent(scope="frequency", given_on=days_ago(ago)),) for ago in (days - 1, days)]
    last, over = (facts(consents=consents, **known_too) for consents in given)
    return Boundary(((request, last),), ((request, over),))


def held(reason: str, channel: str = "sms") -> Boundary:
    """Permitted from the moment on in which the hold ends; the scopes are left out, so that the rule speaks alone."""
    return known(
        {"holds": (GateHold(reason=reason, scopes=(), until=NOON),)},
        {"holds": (GateHold(reason=reason, scopes=(), until=NOON + TICK),)},
        ask(channel),
    )


def told() -> Boundary:
    """Somebody else who may discuss the debt, and somebody who may not."""
    return known({"party": TRUSTED}, {"party": STRANGER}, ask("call", "service"))


def located(times: int) -> Boundary:
    """Whoever may not hear of the debt is asked so often where the person is."""
    request = ask("call", "service", discloses=False)
    made = tuple(past(NOON - timedelta(days=20 + i), "call", "service") for i in range(times))
    with_others = (*made[1:], past(NOON, "call", "service", same_party=False))
    permitted = facts(party=STRANGER, past=with_others) if times else facts(party=TRUSTED)
    return Boundary(((request, permitted),), ((request, facts(party=STRANGER, past=made)),))


def voice_consent() -> Boundary:
    """Permitted on the day of the consent and the day before it is taken back."""
    request = ask("voice", artificial_voice=True)
    held_on = [
        Consent(scope="voice_auto", given_on=TODAY),
        Consent(scope="voice_auto", given_on=days_ago(9), revoked_on=TODAY + timedelta(days=1)),
        Consent(scope="voice_auto", given_on=days_ago(9), expires_on=TODAY),
    ]
    lacking = [
        Consent(scope="voice_auto", given_on=TODAY + timedelta(days=1)),
        Consent(scope="voice_auto", given_on=days_ago(9), revoked_on=TODAY),
        Consent(scope="voice_auto", given_on=days_ago(9), expires_on=days_ago(1)),
        Consent(scope="sms", given_on=TODAY),
    ]
    return Boundary(
        tuple((request, facts(consents=(c,))) for c in held_on),
        (*((request, facts(consents=(c,))) for c in lacking), (request, facts())),
    )


def text_consent() -> Boundary:
    """Given, or the number checked, sixty days ago; not sixty-one."""

    def given(ago: int, checked: int | None = None) -> GateFacts:
        return facts(
            consents=(Consent(scope="sms", given_on=days_ago(ago)),),
            reassigned_checked_on=days_ago(checked) if checked is not None else None,
        )

    return Boundary(
        ((ask(), given(60)), (ask(), given(400, 60))),
        ((ask(), given(61)), (ask(), given(400, 61)), (ask(), facts(reassigned_checked_on=TODAY))),
    )


def limitation(channel: str) -> Boundary:
    """Permitted on the last day before it, not on the day itself; nor while nobody knows."""
    request = ask(channel)
    last = facts(limitation=Limitation(expires_on=TODAY + timedelta(days=1)))
    return Boundary(
        ((request, last),),
        (
            (request, facts(limitation=Limitation(expires_on=TODAY))),
            (request, facts(limitation=Limitation())),
            (request, facts()),
        ),
    )


def validation() -> Boundary:
    """Five days after the first contact the notice may be missing, on the sixth it may not; served today it is enough."""
    first = {"first_contact_at": local(2026, 5, 11, 12)}
    last = local(2026, 5, 17) - TICK
    missing = known({"now": last} | first, {"now": last + TICK} | first)
    late = facts(last + TICK, notices=(Notice(kind="validation", served_on=date(2026, 5, 17)),), **first)
    early = facts(last + TICK, notices=(Notice(kind="validation", served_on=date(2026, 5, 18)),), **first)
    other = facts(last + TICK, notices=(Notice(kind="default", served_on=date(2026, 5, 1)),), **first)
    return Boundary(
        (*missing.permitted, (ask(), late), (ask(), facts())), (*missing.stopped, (ask(), early), (ask(), other))
    )


def both_calls(count: int, days: int, **counted: Any) -> Boundary:
    """A limit in which calls of people and of machines count together."""
    return with_more(
        limit(ROME, "call", count, days, "voice", **counted), limit(ROME, "voice", count, days, "call", **counted)
    )


OPTED_OUT = known({"suppressed": False}, {"suppressed": True})
TOO_MANY = tuple(past(NOON - timedelta(minutes=i), "call") for i in range(7))
TALKED = (past(NOON - timedelta(hours=1), "call", conversation=True, connected=True),)

BOUNDARIES: dict[str, Boundary] = {
    "core.NO_JURISDICTION": with_more(
        known({"jurisdiction_known": True}, {"jurisdiction_known": False}), known({"zones": (ROME,)}, {"zones": ()})
    ),
    "core.NO_CONTACT_POINT": Boundary(((ask(), facts()),), ((ask(contact_value_known=False), facts()),)),
    "core.POINT_UNUSABLE": Boundary(
        ((ask(), facts(point_status="active")),),
        tuple((ask("sms", "reply"), facts(point_status=status)) for status in ("dead", "wrong", "reassigned")),
    ),
    "core.NOTHING_DUE": Boundary(
        tuple((ask("sms", purpose), facts(owes=True)) for purpose in ("collect", "reminder", "statutory")),
        tuple((ask("sms", purpose), facts(owes=False)) for purpose in ("collect", "reminder", "statutory")),
    ),
    "core.OPTED_OUT": with_more(OPTED_OUT, known({"point_status": "active"}, {"point_status": "opted_out"})),
    "core.THIRD_PARTY": told(),
    "core.STOPPED": known({"stopped": False}, {"stopped": True}, ask("letter", "service")),
    "core.HELD": known(
        {"holds": (GateHold(reason="dispute", scopes=("contact",), until=NOON),)},
        {"holds": (GateHold(reason="dispute", scopes=("contact",), until=NOON + TICK),)},
    ),
    "house.HOURS": with_more(hours(ROME, 8, 21), hours(ROME, 8, 21, "voice")),
    "house.SMS_DAY": limit(ROME, "sms", 1, 1),
    "house.SMS_WEEK": limit(ROME, "sms", 3, 7),
    "house.CALLS_DAY": both_calls(1, 1, same_loan=False, same_value=False),
    "house.CALLS_WEEK": both_calls(7, 7, same_loan=False, same_value=False),
    "house.CALLS_DEBT": both_calls(7, 7, same_value=False),
    "house.EFFECTIVE_DAY": both_calls(1, 1, effective=True, connected=True, same_loan=False),
    "house.EFFECTIVE_WEEK": both_calls(3, 7, effective=True, connected=True, same_loan=False),
    "house.SILENCE": silence(ROME, 7, same_loan=False),
    "house.VOICE": voice_consent(),
    "house.THIRD_PARTY": with_more(told(), located(1)),
    "house.FRESH": Boundary(
        (
            (ask(), facts(feed_hours=24, feed_at=NOON - timedelta(hours=24))),
            (ask(), facts(feed_hours=None, feed_at=None)),
        ),
        (
            (ask(), facts(feed_hours=24, feed_at=NOON - timedelta(hours=24) - TICK)),
            (ask(), facts(feed_hours=24, feed_at=None)),
        ),
    ),
    "house.IN_FLIGHT": known({"pending_until": NOON}, {"pending_until": NOON + TICK}),
    "house.LEAD": known({"lead": True}, {"lead": False}, ask("visit")),
    "house.LIMITATION": limitation("filing"),
    "us-reg-f.HOURS": agreed_hours(NEW_YORK, 8, 21),
    "us-reg-f.WORK": known({"point_source": "tape"}, {"point_source": "employer"}, ask("call")),
    "us-reg-f.ATTORNEY": with_more(held("attorney"), held("attorney", "letter")),
    "us-reg-f.CEASE": held("cease", "voice"),
    "us-reg-f.THIRD_PARTY": told(),
    "us-reg-f.LOCATE_ONCE": located(1),
    "us-reg-f.TEXT_CONSENT": text_consent(),
    "us-reg-f.CALLS_7IN7": with_more(
        with_more(limit(NEW_YORK, "call", 7, 7), limit(NEW_YORK, "call", 7, 7, "voice")),
        frequency(ask("call"), 7, past=TOO_MANY),
    ),
    "us-reg-f.SILENCE": with_more(silence(NEW_YORK, 7), frequency(ask("call"), 7, past=TALKED)),
    "us-reg-f.MEDIUM": OPTED_OUT,
    "us-reg-f.VALIDATION": validation(),
    "us-reg-f.LIMITATION": limitation("filing"),
    "us-reg-f.LIMITATION_THREAT": limitation("letter"),
    "us-tcpa.VOICE": with_more(
        voice_consent(),
        Boundary(((ask("call"), facts()),), ((ask("call", artificial_voice=True), facts()),)),
    ),
    "us-tcpa.REVOKED": OPTED_OUT,
    "uk.BREATHING_SPACE": held("breathing_space"),
    "uk.BREATHING_SPACE_COURT": held("breathing_space", "filing"),
    "uk.MORTGAGE_HOURS": hours(LONDON, 8, 21),
    "uk.HOURS_20": hours(LONDON, 8, 20),
    "uk.HOURS_21": with_more(
        hours(LONDON, 8, 21),
        known(
            {"now": local(2026, 5, 9, 20, zone=LONDON), "zone": LONDON},
            {"now": local(2026, 5, 10, 12, zone=LONDON), "zone": LONDON},
        ),
    ),
    "uk.HOURS_SATURDAY": with_more(
        hours(LONDON, 9, 13, day=9),
        known(
            {"now": local(2026, 5, 8, 23, 59, zone=LONDON), "zone": LONDON},
            {"now": local(2026, 5, 9, 0, 0, zone=LONDON), "zone": LONDON},
        ),
    ),
    "uk.STATUTE_BARRED": with_more(limitation("letter"), limitation("filing")),
    "in-rbi.HOURS": hours(KOLKATA, 8, 19, "call"),
    "in-rbi.FAMILY": told(),
    "in-rbi.DRAFT_HOURS": hours(KOLKATA, 8, 19, "visit"),
    "in-rbi.DRAFT_BORROWER_ONLY": with_more(told(), located(0)),
    "in-rbi.DRAFT_SORROW": with_more(held("bereavement"), held("disaster", "visit")),
    "cn-gbt-45251.HOURS": agreed_hours(SHANGHAI, 8, 22),
    "cn-gbt-45251.EFFECTIVE_DAY": with_more(
        limit(SHANGHAI, "voice", 3, 1, effective=True), limit(SHANGHAI, "voice", 3, 1, "call", effective=True)
    ),
    "cn-gbt-45251.THIRD_PARTY": with_more(told(), located(0)),
    "cn-gbt-45251.PACT_2018_22": hours(SHANGHAI, 8, 22),
    "cn-gbt-45251.PACT_2018_21": hours(SHANGHAI, 8, 21),
    "cn-cba-2026.HOURS": agreed_hours(SHANGHAI, 8, 22),
    "cn-cba-2026.UNANSWERED_DAY": with_more(
        with_more(limit(SHANGHAI, "call", 6, 1, same_loan=False), limit(SHANGHAI, "voice", 6, 1, "call")),
        known(
            {"past": TOO_MANY, "consents": (Consent(scope="frequency", given_on=days_ago(9), expires_on=TODAY),)},
            {"past": TOO_MANY, "consents": (Consent(scope="frequency", given_on=days_ago(9), expires_on=days_ago(1)),)},
            ask("call"),
        ),
    ),
}
