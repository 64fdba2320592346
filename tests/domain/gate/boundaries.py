"""Where each rule's boundary lies: what it still permits, and what it first does not. The figures are written out here, never read from the rule."""

from datetime import timedelta

from domain.gate import Consent, GateHold
from tests.domain.gate.asking import NOON, ROME, TICK, ask, facts, local, past
from tests.domain.gate.edges import (
    TODAY,
    Boundary,
    agreed_hours,
    any_day,
    days_ago,
    every_day,
    found_freely,
    frequency,
    held,
    hours,
    known,
    limit,
    limitation,
    located,
    silence,
    text_consent,
    told,
    validation,
    voice_consent,
    with_more,
)

NEW_YORK, LONDON, KOLKATA, SHANGHAI = "America/New_York", "Europe/London", "Asia/Kolkata", "Asia/Shanghai"

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
    "house.HOURS": every_day(ROME, 8, 21),
    "house.SMS_DAY": limit(ROME, "sms", 1, 1, "person"),
    "house.SMS_WEEK": limit(ROME, "sms", 3, 7, "person"),
    "house.CALLS_DAY": limit(ROME, "call voice", 1, 1, "person"),
    "house.CALLS_WEEK": limit(ROME, "call voice", 7, 7, "person"),
    "house.CALLS_DEBT": limit(ROME, "call voice", 7, 7, "loan"),
    "house.EFFECTIVE_DAY": limit(ROME, "call voice", 1, 1, "person", "effective"),
    "house.EFFECTIVE_WEEK": limit(ROME, "call voice", 3, 7, "person", "effective"),
    "house.SILENCE": silence(ROME, 7, "person"),
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
    "house.LIMITATION": with_more(limitation("filing"), limitation("letter")),
    "us-reg-f.HOURS": agreed_hours(NEW_YORK, 8, 21),
    "us-reg-f.WORK": known({"point_source": "tape"}, {"point_source": "employer"}, ask("call")),
    "us-reg-f.ATTORNEY": with_more(held("attorney"), held("attorney", "letter")),
    "us-reg-f.CEASE": held("cease", "voice"),
    "us-reg-f.THIRD_PARTY": with_more(told(), found_freely()),
    "us-reg-f.LOCATE_ONCE": located(1),
    "us-reg-f.TEXT_CONSENT": text_consent(),
    "us-reg-f.CALLS_7IN7": with_more(
        limit(NEW_YORK, "call voice", 7, 7, "loan", lifted=True),
        frequency(ask("call"), 7, past=TOO_MANY),
    ),
    "us-reg-f.SILENCE": with_more(silence(NEW_YORK, 7, "loan", lifted=True), frequency(ask("call"), 7, past=TALKED)),
    "us-reg-f.MEDIUM": OPTED_OUT,
    "us-reg-f.VALIDATION": validation(),
    "us-reg-f.LIMITATION": with_more(limitation("filing"), limitation("letter")),
    "us-tcpa.VOICE": with_more(
        voice_consent(),
        Boundary(((ask("call"), facts()),), ((ask("call", artificial_voice=True), facts()),)),
    ),
    "us-tcpa.REVOKED": OPTED_OUT,
    "uk.BREATHING_SPACE": held("breathing_space"),
    "uk.BREATHING_SPACE_COURT": held("breathing_space", "filing"),
    "uk.MORTGAGE_HOURS": every_day(LONDON, 8, 21),
    "uk.HOURS_20": every_day(LONDON, 8, 20),
    "uk.HOURS_21": with_more(
        with_more(hours(LONDON, 8, 21), any_day(LONDON, 11, 12, 13, 14, 15, 16)),
        known(
            {"now": local(2026, 5, 9, 20, zone=LONDON), "zone": LONDON},
            {"now": local(2026, 5, 10, 12, zone=LONDON), "zone": LONDON},
        ),
    ),
    "uk.HOURS_SATURDAY": with_more(
        with_more(hours(LONDON, 9, 13, day=9), any_day(LONDON, 10, 11, 12, 13, 14, 15)),
        known(
            {"now": local(2026, 5, 8, 23, 59, zone=LONDON), "zone": LONDON},
            {"now": local(2026, 5, 9, 0, 0, zone=LONDON), "zone": LONDON},
        ),
    ),
    "uk.STATUTE_BARRED": with_more(limitation("letter"), limitation("filing")),
    "in-rbi.HOURS": every_day(KOLKATA, 8, 19, "call", "voice"),
    "in-rbi.FAMILY": with_more(told(), found_freely()),
    "in-rbi.DRAFT_HOURS": every_day(KOLKATA, 8, 19),
    "in-rbi.DRAFT_BORROWER_ONLY": with_more(told(), located(0)),
    "in-rbi.DRAFT_SORROW": with_more(held("bereavement"), held("disaster", "visit")),
    "cn-gbt-45251.HOURS": agreed_hours(SHANGHAI, 8, 22),
    "cn-gbt-45251.EFFECTIVE_DAY": limit(SHANGHAI, "call voice", 3, 1, "person", "effective"),
    "cn-gbt-45251.THIRD_PARTY": with_more(told(), located(0)),
    "cn-gbt-45251.PACT_2018_22": every_day(SHANGHAI, 8, 22),
    "cn-gbt-45251.PACT_2018_21": every_day(SHANGHAI, 8, 21),
    "cn-cba-2026.HOURS": agreed_hours(SHANGHAI, 8, 22),
    "cn-cba-2026.UNANSWERED_DAY": with_more(
        limit(SHANGHAI, "call voice", 6, 1, "value", "unanswered", lifted=True),
        known(
            {"past": TOO_MANY, "consents": (Consent(scope="frequency", given_on=days_ago(9), expires_on=TODAY),)},
            {"past": TOO_MANY, "consents": (Consent(scope="frequency", given_on=days_ago(9), expires_on=days_ago(1)),)},
            ask("call"),
        ),
    ),
}
