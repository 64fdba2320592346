"""Words for boundaries: facts on either side of a figure. The figures come from whoever calls, never from a rule."""

from datetime import date, datetime, timedelta
from itertools import product
from typing import Any, NamedTuple

from domain.gate import Addressed, Consent, ContactRequest, GateFacts, GateHold, Limitation, Notice
from tests.domain.gate.asking import NOON, TICK, ask, facts, local, past

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


def hours(zone: str, opens: int, closes: int, *channels: str, day: int = 11) -> Boundary:
    """Permitted from the first moment of one hour to the last before another; no consent makes it longer."""
    first, last = (local(2026, 5, day, hour, zone=zone) for hour in (opens, closes))
    agreed = (Consent(scope="hours", given_on=days_ago(9)),)
    requests = [ask(channel) for channel in channels or ("sms", "call", "voice", "visit")]
    return Boundary(
        tuple((r, facts(at, zone)) for at in (first, last - TICK) for r in requests),
        tuple((r, facts(at, zone, consents=agreed)) for at in (first - TICK, last) for r in requests),
    )


def any_day(zone: str, *days: int) -> Boundary:
    """On these days of May 2026 too, from the Monday on if none is named, holiday or not."""
    found = [local(2026, 5, day, 12, zone=zone) for day in days or range(11, 18)]
    return Boundary(tuple((ask("call"), facts(at, zone, holidays=(at.date(),))) for at in found), ())


def every_day(zone: str, opens: int, closes: int, *channels: str) -> Boundary:
    return with_more(hours(zone, opens, closes, *channels), any_day(zone))


def agreed_hours(zone: str, opens: int, closes: int) -> Boundary:
    """The same, but a consent lifts it: at night on its last day, not on the day after."""
    first, last = (local(2026, 5, 11, hour, zone=zone) for hour in (opens, closes))
    on, over = ((Consent(scope="hours", given_on=days_ago(9), expires_on=days_ago(ago)),) for ago in (0, 1))
    requests = [ask(channel) for channel in ("sms", "call", "voice", "visit")]
    within = Boundary(
        (
            *((r, facts(at, zone)) for at in (first, last - TICK) for r in requests),
            (ask(), facts(last, zone, consents=on)),
        ),
        tuple((r, facts(at, zone, consents=over)) for at in (first - TICK, last) for r in requests),
    )
    return with_more(within, any_day(zone))


OF: dict[str, dict[str, bool]] = {  # the least that a contact must be in order to count
    "person": {"same_loan": False, "same_value": False},
    "loan": {"same_value": False},
    "value": {"same_loan": False},
    "placed": {},
    "unanswered": {},
    "effective": {"connected": True, "effective": True},
}
NOT_OF: dict[str, dict[str, bool]] = {  # what keeps one that counts otherwise from counting
    "person": {"inbound": True},
    "loan": {"same_loan": False},
    "value": {"same_value": False},
    "placed": {"inbound": True},
    "unanswered": {"connected": True},
    "effective": {"effective": False, "connected": True},
}


def limit(
    zone: str, channels: str, count: int, days: int, per: str, counts: str = "placed", lifted: bool = False
) -> Boundary:
    """One fewer inside the days, one just before them, and what does not count; as many inside, the oldest at the first moment."""
    opens = local(2026, 5, 11, zone=zone) - timedelta(days=days - 1)
    found = Boundary((), ())
    agreed = () if lifted else (Consent(scope="frequency", given_on=TODAY),)
    ways: list[dict[str, bool]] = [{"connected": False}, {"connected": True}] if counts == "placed" else [{}]
    for channel, made, way in product(channels.split(), channels.split(), ways):
        how = OF[per] | OF[counts] | way
        inside = tuple(past(opens + i * timedelta(minutes=1), made, **how) for i in range(count))
        aside = (
            past(opens - TICK, made, **how),
            *(past(noon(zone), made, **how | NOT_OF[word]) for word in (per, counts)),
        )
        found = with_more(
            found,
            Boundary(
                ((ask(channel), facts(noon(zone), zone, past=(*aside, *inside[1:]))),),
                ((ask(channel), facts(noon(zone), zone, past=inside, consents=agreed)),),
            ),
        )
    return found


def silence(zone: str, days: int, per: str, lifted: bool = False) -> Boundary:
    """From the midnight on that ends the last day; the day of the conversation is the first."""
    over = local(2026, 5, 11 + days, zone=zone)
    talked = local(2026, 5, 11, 23, zone=zone)
    made, aside = (
        (past(talked, "call", "reply", inbound=True, **OF[per] | {"conversation": spoken} | how),)
        for spoken, how in ((True, {}), (per == "loan", {"same_loan": False}))
    )
    request = ask("voice")
    agreed = () if lifted else (Consent(scope="frequency", given_on=TODAY),)
    return Boundary(
        ((request, facts(over, zone, past=made)), (request, facts(over - TICK, zone, past=aside))),
        ((request, facts(over - TICK, zone, past=made, consents=agreed)),),
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


def found_freely() -> Boundary:
    """Whoever may not hear of the debt may be asked where the person is, however often."""
    request, made = ask("call", "service", discloses=False), tuple(past(NOON, "call", "service") for _ in range(9))
    return Boundary(((request, facts(party=STRANGER, past=made)),), ())


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
    """A filing, or words that announce one: permitted on the last day before it, not on the day itself; nor while nobody knows."""
    request = ask(channel, threatens=channel != "filing")
    last = facts(limitation=Limitation(expires_on=TODAY + timedelta(days=1)))
    return Boundary(
        ((request, last), (ask("letter"), facts())),
        (
            (request, facts(limitation=Limitation(expires_on=TODAY))),
            (request, facts(limitation=Limitation())),
            (request, facts()),
        ),
    )


def validation() -> Boundary:
    """Five days after the first contact the notice may be missing, on the sixth it may not; served today it is enough."""
    first: dict[str, Any] = {"first_contact_at": local(2026, 5, 11, 12)}
    last = local(2026, 5, 17) - TICK
    missing = known({"now": last} | first, {"now": last + TICK} | first)
    late = facts(last + TICK, notices=(Notice(kind="validation", served_on=date(2026, 5, 17)),), **first)
    early = facts(last + TICK, notices=(Notice(kind="validation", served_on=date(2026, 5, 18)),), **first)
    other = facts(last + TICK, notices=(Notice(kind="default", served_on=date(2026, 5, 1)),), **first)
    return Boundary(
        (*missing.permitted, (ask(), late), (ask(), facts())), (*missing.stopped, (ask(), early), (ask(), other))
    )
