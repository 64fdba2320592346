"""What must be there, or must not: consent, notices, holds, third parties, the feed, the lead."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain.gate import Addressed, Consent, Defer, Forbid, GateHold, Limitation, Notice, Permit
from domain.rulebook.rules import (
    ConsentNeeded,
    FreshFeed,
    HeldBy,
    LeadOnly,
    NoticeNeeded,
    NotTimeBarred,
    PendingPayment,
    ThirdParty,
)
from tests.domain.gate.asking import NOON, ROME, TICK, ask, hours, local, past, verdict

GIVEN: dict[str, Any] = {"id": "x.RULE", "says": "-", "citation": "-", "status": "house"}
ATTORNEY = Addressed(role="attorney", liable=False, may_discuss=True)
STRANGER = Addressed(role="reference", liable=False, may_discuss=False)
FORBIDDEN = Forbid(rules=("x.RULE",))


def deferred(until: Any) -> Defer:
    return Defer(rules=("x.RULE",), until=until)


TEXTS = ConsentNeeded(kind="consent", scope="sms", max_age_days=60, reassigned_check=True, **GIVEN)


def test_a_consent_that_begins_later_is_waited_for() -> None:
    given = (Consent(scope="sms", given_on=date(2026, 5, 13)),)
    assert verdict(ask(), TEXTS, consents=given) == deferred(local(2026, 5, 13))


def test_a_check_of_the_number_is_no_consent_and_does_not_outlive_one() -> None:
    checked = {"reassigned_checked_on": date(2026, 5, 1)}
    over = (Consent(scope="sms", given_on=date(2025, 1, 1), expires_on=date(2026, 5, 10)),)
    assert verdict(ask(), TEXTS, **checked) == FORBIDDEN
    assert verdict(ask(), TEXTS, consents=over, **checked) == FORBIDDEN


def test_a_consent_that_ends_before_the_next_permitted_hour_forbids() -> None:
    given = (Consent(scope="sms", given_on=date(2026, 5, 1), expires_on=date(2026, 5, 11)),)
    said = verdict(ask(), TEXTS, hours(), now=local(2026, 5, 11, 22), consents=given)
    assert said == Forbid(rules=("x.HOURS", "x.RULE"))


def test_in_several_zones_a_consent_holds_while_it_does_in_all() -> None:
    plain = ConsentNeeded(kind="consent", scope="sms", **GIVEN)
    given = (Consent(scope="sms", given_on=date(2026, 5, 12), expires_on=date(2026, 5, 12)),)
    coasts = {"zones": ("America/New_York", "America/Los_Angeles"), "consents": given}
    opens = local(2026, 5, 12, zone="America/Los_Angeles")
    closes = local(2026, 5, 13, zone="America/New_York")
    assert verdict(ask(), plain, now=opens - TICK, **coasts) == deferred(opens)
    assert isinstance(verdict(ask(), plain, now=closes - TICK, **coasts), Permit)
    assert verdict(ask(), plain, now=closes, **coasts) == FORBIDDEN


def test_a_rule_about_machines_leaves_people_who_call_alone() -> None:
    machine = ConsentNeeded(kind="consent", scope="voice_auto", artificial_only=True, **GIVEN)
    assert isinstance(verdict(ask("call"), machine), Permit)
    assert verdict(ask("call", artificial_voice=True), machine) == FORBIDDEN
    assert verdict(ask("voice"), machine) == FORBIDDEN


@pytest.mark.parametrize(
    ("holds", "said"),
    [
        ((GateHold(reason="dispute", scopes=(), until=local(2026, 5, 12)),), deferred(local(2026, 5, 12))),
        ((GateHold(reason="dispute", scopes=()),), deferred(NOON + timedelta(days=1))),
        ((GateHold(reason="attorney", scopes=()),), FORBIDDEN),
        ((GateHold(reason="attorney", scopes=(), until=local(2026, 6, 1)),), deferred(local(2026, 6, 1))),
        (
            (
                GateHold(reason="dispute", scopes=(), until=local(2026, 5, 12)),
                GateHold(reason="attorney", scopes=(), until=local(2026, 5, 14)),
            ),
            deferred(local(2026, 5, 14)),
        ),
    ],
)
def test_a_hold_of_a_reason_defers_to_its_end_or_forbids(holds: tuple[GateHold, ...], said: Defer | Forbid) -> None:
    rule = HeldBy(kind="held", reasons=("attorney", "dispute"), **GIVEN)
    assert verdict(ask(), rule, holds=holds) == said


def test_holds_of_other_reasons_are_not_the_rules_business() -> None:
    rule = HeldBy(kind="held", reasons=("attorney",), **GIVEN)
    assert isinstance(verdict(ask(), rule, holds=(GateHold(reason="cease", scopes=()),)), Permit)


def test_whoever_has_an_attorney_is_reached_through_the_attorney() -> None:
    rule = HeldBy(kind="held", reasons=("attorney",), **GIVEN)
    hold = (GateHold(reason="attorney", scopes=("contact",)),)
    assert isinstance(verdict(ask("letter"), rule, holds=hold, party=ATTORNEY), Permit)
    assert isinstance(verdict(ask("letter"), rule, holds=hold), Forbid)


def test_a_third_party_is_not_limited_where_the_rule_does_not_say_how_often() -> None:
    rule = ThirdParty(kind="third_party", **GIVEN)
    made = tuple(past(NOON - timedelta(days=d), "call") for d in range(9))
    assert isinstance(verdict(ask("call", discloses=False), rule, party=STRANGER, past=made), Permit)


DEFAULT_NOTICE = NoticeNeeded(kind="notice", notice="default", min_days_since=14, **GIVEN)


def test_a_notice_needs_its_days() -> None:
    served = (Notice(kind="default", served_on=date(2026, 5, 1)), Notice(kind="default", served_on=date(2026, 5, 8)))
    opens = local(2026, 5, 15)
    assert verdict(ask(), DEFAULT_NOTICE, notices=served) == deferred(opens)
    assert isinstance(verdict(ask(), DEFAULT_NOTICE, now=opens, notices=served), Permit)


def test_a_notice_without_grace_must_come_before_the_first_contact() -> None:
    assert verdict(ask(), DEFAULT_NOTICE) == FORBIDDEN


def test_a_notice_served_in_the_grace_does_not_end_it() -> None:
    rule = NoticeNeeded(kind="notice", notice="validation", grace_days=5, min_days_since=30, **GIVEN)
    served = (Notice(kind="validation", served_on=date(2026, 5, 10)),)
    first = {"first_contact_at": local(2026, 5, 10, 12), "notices": served}
    assert isinstance(verdict(ask(), rule, now=local(2026, 5, 16) - TICK, **first), Permit)
    assert verdict(ask(), rule, now=local(2026, 5, 16), **first) == deferred(local(2026, 6, 9))


def test_an_unknown_limitation_forbids_and_so_does_one_that_is_near() -> None:
    rule = NotTimeBarred(kind="limitation", **GIVEN)
    threat = ask(threatens=True)
    assert verdict(threat, rule) == FORBIDDEN
    assert isinstance(verdict(ask(), rule), Permit)
    near = Limitation(expires_on=date(2026, 5, 12))
    assert isinstance(verdict(threat, rule, limitation=near), Permit)
    said = verdict(threat, rule, hours(), now=local(2026, 5, 11, 22), limitation=near)
    assert said == Forbid(rules=("x.HOURS", "x.RULE"))


def test_a_stale_feed_is_looked_at_again_after_some_hours_and_not_before_the_persons_morning() -> None:
    rule = FreshFeed(kind="fresh", retry_hours=4, **GIVEN)
    stale = {"feed_hours": 24, "feed_at": NOON - timedelta(hours=30)}
    assert verdict(ask(), rule, **stale) == deferred(NOON + timedelta(hours=4))
    late = verdict(ask(), rule, hours(), now=local(2026, 5, 11, 20), feed_hours=24)
    assert late == Defer(rules=("x.RULE",), until=local(2026, 5, 12, 8))


def test_a_feed_that_is_fresh_now_does_not_hinder_a_deferral_beyond_its_hours() -> None:
    rule = FreshFeed(kind="fresh", **GIVEN)
    night = local(2026, 5, 11, 22)
    said = verdict(ask(), rule, hours(), now=night, feed_hours=4, feed_at=night)
    assert said == Defer(rules=("x.HOURS",), until=local(2026, 5, 12, 8))


def test_a_payment_on_its_way_is_waited_for() -> None:
    rule = PendingPayment(kind="pending", **GIVEN)
    assert verdict(ask(), rule, pending_until=local(2026, 5, 14)) == deferred(local(2026, 5, 14))


def test_who_does_not_lead_asks_again_later() -> None:
    rule = LeadOnly(kind="lead", retry_days=7, **GIVEN)
    assert verdict(ask(), rule, lead=False, zone=ROME) == deferred(NOON + timedelta(days=7))
