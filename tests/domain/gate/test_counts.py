"""Limits and the silence after a conversation."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain.gate import Consent, Defer, Permit, decide
from domain.rulebook import Limit
from domain.rulebook.rules import Silence
from tests.domain.gate.asking import NOON, TICK, ask, facts, local, past, shipped, verdict

GIVEN: dict[str, Any] = {"says": "-", "citation": "-", "status": "house"}
NEW_YORK, LOS_ANGELES = "America/New_York", "America/Los_Angeles"


def limit(count: int = 1, days: int = 1, per: Any = "person", **more: Any) -> Limit:
    return Limit(id="x.LIMIT", kind="limit", count=count, days=days, per=per, **GIVEN | more)


def silence(**more: Any) -> Silence:
    given: dict[str, Any] = GIVEN | {"days": 7, "per": "person", "channels": ("call", "voice")}
    return Silence(id="x.SILENCE", kind="silence", **given | more)


def until(said: object) -> datetime:
    assert isinstance(said, Defer), said
    return said.until


def test_the_second_of_a_day_waits_for_midnight() -> None:
    assert until(verdict(ask(), limit(), past=(past(local(2026, 5, 11, 8)),))) == local(2026, 5, 12)


def test_yesterdays_last_moment_does_not_count_today() -> None:
    assert isinstance(verdict(ask(), limit(), past=(past(local(2026, 5, 11) - TICK),)), Permit)


def test_the_third_in_seven_days_goes_and_the_fourth_waits_until_the_first_is_seven_days_old() -> None:
    made = tuple(past(local(2026, 5, d, 10)) for d in (5, 7, 9))
    assert isinstance(verdict(ask(), limit(3, 7), past=made[1:]), Permit)
    assert until(verdict(ask(), limit(3, 7), past=made)) == local(2026, 5, 12)


def test_past_contacts_may_come_in_any_order() -> None:
    made = tuple(past(local(2026, 5, d, 10)) for d in (9, 5, 7))
    assert until(verdict(ask(), limit(3, 7), past=made)) == local(2026, 5, 12)


def test_more_than_the_limit_waits_for_as_many_as_are_too_many() -> None:
    made = tuple(past(local(2026, 5, d, 10)) for d in (5, 6, 7, 8, 9))
    assert until(verdict(ask(), limit(3, 7), past=made)) == local(2026, 5, 14)


def test_the_deferral_passes_a_day_that_a_change_of_the_clocks_made_longer() -> None:
    made = (past(local(2026, 10, 25, 1)),)
    assert until(verdict(ask(), limit(), now=local(2026, 10, 25, 12), past=made)) == local(2026, 10, 26)


def test_only_the_channels_and_purposes_of_the_rule_count() -> None:
    today = local(2026, 5, 11, 8)
    texts = limit(channels=("sms",))
    assert isinstance(verdict(ask(), texts, past=(past(today, "call"), past(today, purpose="service"))), Permit)
    both = limit(channels=("sms", "call"))
    assert isinstance(verdict(ask(), both, past=(past(today, "call"),)), Defer)


@pytest.mark.parametrize(
    ("per", "other", "counts"),
    [
        ("person", {"same_loan": False, "same_value": False}, True),
        ("loan", {"same_value": False}, True),
        ("loan", {"same_loan": False}, False),
        ("value", {"same_loan": False}, True),
        ("value", {"same_value": False}, False),
    ],
)
def test_a_limit_counts_per_person_loan_or_number(per: Any, other: dict[str, bool], counts: bool) -> None:
    assert isinstance(verdict(ask(), limit(per=per), past=(past(NOON, **other),)), Defer) is counts


KINDS: dict[str, dict[str, bool]] = {
    "unanswered": {},
    "connected": {"connected": True},
    "effective": {"connected": True, "effective": True},
    "conversation": {"connected": True, "effective": True, "conversation": True},
}


@pytest.mark.parametrize(
    ("counts", "counted"),
    [
        ("placed", {"unanswered", "connected", "effective", "conversation"}),
        ("unanswered", {"unanswered"}),
        ("connected", {"connected", "effective", "conversation"}),
        ("effective", {"effective", "conversation"}),
        ("conversation", {"conversation"}),
    ],
)
def test_counters_are_kept_apart(counts: Any, counted: set[str]) -> None:
    rule = limit(counts=counts)
    stopped = {
        kind
        for kind, how in KINDS.items()
        if not isinstance(verdict(ask("call"), rule, past=(past(NOON, "call", **how),)), Permit)
    }
    assert stopped == counted


@pytest.mark.parametrize("counts", ["placed", "connected", "effective", "conversation"])
def test_what_the_person_began_never_counts(counts: Any) -> None:
    theirs = past(NOON, "call", "collect", inbound=True, connected=True, effective=True, conversation=True)
    assert isinstance(verdict(ask("call"), limit(counts=counts), past=(theirs,)), Permit)


def test_in_several_zones_the_reading_that_allows_least_holds() -> None:
    coasts = {"zones": (NEW_YORK, LOS_ANGELES)}
    last_night = past(local(2026, 5, 10, 22, zone=LOS_ANGELES))  # today already in New York
    noon = local(2026, 5, 11, 12, zone=NEW_YORK)
    assert until(verdict(ask(), limit(), now=noon, past=(last_night,), **coasts)) == local(2026, 5, 12, zone=NEW_YORK)
    tonight = past(local(2026, 5, 11, 1, zone=LOS_ANGELES))
    over = local(2026, 5, 12, zone=LOS_ANGELES)
    assert until(verdict(ask(), limit(), now=noon, past=(tonight,), **coasts)) == over


def test_a_consent_lifts_a_limit_for_its_days_and_what_was_placed_in_them_does_not_count() -> None:
    rule = limit(2, 7, lifted_by_consent=True, consent_days=7)
    made = tuple(past(local(2026, 5, 11, hour)) for hour in (8, 9, 10))
    agreed = {"consents": (Consent(scope="frequency", given_on=date(2026, 5, 11)),)}
    assert isinstance(verdict(ask(), rule, past=made, **agreed), Permit)
    assert isinstance(verdict(ask(), rule, past=made), Defer)
    after = local(2026, 5, 18, 12)
    later = tuple(past(local(2026, 5, 17, hour)) for hour in (8, 9))
    assert isinstance(verdict(ask(), rule, now=after, past=later, **agreed), Permit)
    assert isinstance(verdict(ask(), rule, now=after, past=later), Defer)


def test_a_consent_that_begins_sooner_ends_the_wait() -> None:
    rule = limit(1, 7, lifted_by_consent=True)
    agreed = {"consents": (Consent(scope="frequency", given_on=date(2026, 5, 13)),)}
    assert until(verdict(ask(), rule, past=(past(NOON),), **agreed)) == local(2026, 5, 13)


def test_silence_begins_with_a_conversation_whoever_called() -> None:
    for inbound in (False, True):
        talked = past(local(2026, 5, 11, 9), "call", "reply", inbound=inbound, conversation=True)
        assert until(verdict(ask("call"), silence(), past=(talked,))) == local(2026, 5, 18)
    heard = past(local(2026, 5, 11, 9), "call", connected=True, effective=True)
    assert isinstance(verdict(ask("call"), silence(), past=(heard,)), Permit)


def test_silence_may_be_about_one_loan() -> None:
    talked = past(NOON - timedelta(hours=1), "voice", conversation=True, same_loan=False)
    assert isinstance(verdict(ask("call"), silence(per="loan"), past=(talked,)), Permit)
    assert isinstance(verdict(ask("call"), silence(per="person"), past=(talked,)), Defer)


def test_silence_is_broken_by_a_consent_for_its_days_alone() -> None:
    talked = (past(local(2026, 5, 11, 9), "call", conversation=True),)
    rule = silence(lifted_by_consent=True, consent_days=2)
    agreed = {"consents": (Consent(scope="frequency", given_on=date(2026, 5, 10)),), "past": talked}
    assert isinstance(verdict(ask("call"), rule, now=local(2026, 5, 12) - TICK, **agreed), Permit)
    assert until(verdict(ask("call"), rule, now=local(2026, 5, 12), **agreed)) == local(2026, 5, 18)


def test_a_machines_call_uses_up_the_day_of_a_persons() -> None:
    made = (past(local(2026, 5, 11, 9), "voice"),)
    said = decide(ask("call"), facts(past=made), [shipped()["house"]])
    assert said == Defer(rules=("house.CALLS_DAY",), until=local(2026, 5, 12, 8))
