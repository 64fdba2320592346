from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadInput
from domain.gate import ContactRequest, Defer, Forbid, GateFacts, PastContact, Permit, decide
from domain.rulebook import Hours, Limit, Rulebook, read_rulebook

HOUSE = read_rulebook(Path("policies/rulebooks/house.toml").read_text("utf-8"), "house.toml")
SMS = ContactRequest(channel="sms", purpose="collect", contact_value_known=True)
CALL = ContactRequest(channel="call", purpose="collect", contact_value_known=True)
ROME = "Europe/Rome"


def local(*parts: int, zone: str = ROME) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type, misc]


NOON = local(2026, 5, 11, 12)


def facts(now: datetime = NOON, **changes: Any) -> GateFacts:
    known: dict[str, Any] = {"now": now, "zone": ROME, "owes": True} | changes
    return GateFacts(**known)


def past(at: datetime, channel: Any = "sms", purpose: Any = "collect", **changes: Any) -> PastContact:
    return PastContact(at=at, channel=channel, purpose=purpose, **{"same_loan": True, "same_value": True} | changes)


def verdict(request: ContactRequest = SMS, book: Rulebook = HOUSE, **known: Any) -> Permit | Defer | Forbid:
    return decide(request, facts(**known), [book])


# --- hours ---


@pytest.mark.parametrize(
    ("clock", "until"),
    [
        ((7, 59, 59), (11, 8)),
        ((8, 0, 0), None),
        ((20, 59, 59), None),
        ((21, 0, 0), (12, 8)),
    ],
)
def test_hours_open_at_eight_and_close_at_nine_in_the_evening(
    clock: tuple[int, int, int], until: tuple[int, int] | None
) -> None:
    said = verdict(now=local(2026, 5, 11, *clock))
    if until is None:
        assert isinstance(said, Permit)
    else:
        assert said == Defer(rules=("house.HOURS",), until=local(2026, 5, *until))


@pytest.mark.parametrize(("day", "utc_hour"), [((2026, 3, 28), 6), ((2026, 10, 24), 7)])
def test_hours_follow_the_borrowers_clock_over_a_change_of_the_clocks(day: tuple[int, int, int], utc_hour: int) -> None:
    said = verdict(now=local(*day, 22))
    assert isinstance(said, Defer)
    assert (said.until.day, said.until.hour) == (day[2] + 1, utc_hour)


def test_the_same_moment_is_night_for_one_borrower_and_day_for_another() -> None:
    assert isinstance(verdict(zone="Pacific/Honolulu"), Defer)
    assert isinstance(verdict(zone=ROME), Permit)


# --- limits ---


def test_the_second_text_of_a_day_waits_for_the_morning() -> None:
    said = verdict(past=(past(local(2026, 5, 11, 8)),))
    assert said == Defer(rules=("house.SMS_DAY",), until=local(2026, 5, 12, 8))


def test_yesterdays_last_moment_does_not_count_today() -> None:
    assert isinstance(verdict(past=(past(local(2026, 5, 10, 23, 59, 59)),)), Permit)


def test_the_third_text_in_seven_days_goes_and_the_fourth_waits_until_the_first_is_seven_days_old() -> None:
    days = [past(local(2026, 5, d, 10)) for d in (5, 7, 9)]
    assert isinstance(verdict(past=tuple(days[1:])), Permit)
    said = verdict(past=tuple(days))
    assert said == Defer(rules=("house.SMS_WEEK",), until=local(2026, 5, 12, 8))


def test_the_seventh_day_back_no_longer_counts() -> None:
    days = [past(local(2026, 5, d, 10)) for d in (4, 7, 9)]
    assert isinstance(verdict(past=tuple(days)), Permit)


def test_a_call_does_not_use_up_the_texts() -> None:
    assert isinstance(verdict(past=(past(NOON, "call"),)), Permit)


def test_a_service_text_does_not_count_as_collecting() -> None:
    assert isinstance(verdict(past=(past(NOON, purpose="service"),)), Permit)


def test_a_limit_over_several_channels_counts_them_all() -> None:
    rule = Limit(
        id="x.ALL", kind="limit", count=1, days=1, per="person", channels=("sms", "call"), citation="-", status="house"
    )
    assert isinstance(verdict(book=Rulebook(name="x", rules=(rule,)), past=(past(NOON, "call"),)), Defer)


@pytest.mark.parametrize(
    ("per", "other", "permitted"),
    [("person", {}, False), ("loan", {"same_loan": False}, True), ("value", {"same_value": False}, True)],
)
def test_a_limit_counts_per_person_loan_or_number(per: Any, other: dict[str, bool], permitted: bool) -> None:
    rule = Limit(id="x.ONE", kind="limit", count=1, days=1, per=per, citation="-", status="house")
    book = Rulebook(name="x", rules=(rule,))
    assert isinstance(verdict(book=book, past=(past(NOON),)), Defer)
    assert isinstance(verdict(book=book, past=(past(NOON, **other),)), Permit) is permitted


# --- what needs no rulebook ---


@pytest.mark.parametrize(
    ("known", "rule"),
    [
        ({"owes": False}, "core.NOTHING_DUE"),
        ({"suppressed": True}, "core.OPTED_OUT"),
        ({"jurisdiction_known": False}, "core.NO_JURISDICTION"),
    ],
)
def test_what_is_forbidden_is_forbidden_by_name(known: dict[str, Any], rule: str) -> None:
    assert verdict(**known) == Forbid(rules=(rule,))


def test_nobody_is_contacted_without_a_number() -> None:
    assert verdict(SMS.model_copy(update={"contact_value_known": False})) == Forbid(rules=("core.NO_CONTACT_POINT",))


def test_thanks_may_be_said_when_nothing_is_due() -> None:
    assert isinstance(verdict(SMS.model_copy(update={"purpose": "service"}), owes=False), Permit)


def test_a_reply_may_go_to_somebody_who_opted_out() -> None:
    assert isinstance(verdict(SMS.model_copy(update={"purpose": "reply"}), suppressed=True), Permit)


def test_the_stop_button_makes_any_contact_wait_an_hour() -> None:
    assert verdict(stopped=True) == Defer(rules=("core.STOPPED",), until=NOON + timedelta(hours=1))


def test_a_hold_makes_collecting_wait_for_its_end_and_the_hours_after_it() -> None:
    said = verdict(held=("contact",), held_until=local(2026, 5, 12, 3))
    assert said == Defer(rules=("core.HELD",), until=local(2026, 5, 12, 8))


def test_a_hold_of_other_scopes_stops_no_contact() -> None:
    assert isinstance(verdict(held=("legal", "fees")), Permit)


def test_shadow_permits_on_paper_only() -> None:
    said = verdict(shadow=True)
    assert isinstance(said, Permit)
    assert said.shadow


def test_a_permit_names_every_rule_that_spoke() -> None:
    said = verdict()
    assert said.rules == ("core.OWES", "core.HOLDS", "house.HOURS", "house.SMS_DAY", "house.SMS_WEEK")


# --- the earliest time ---


@settings(deadline=None, max_examples=12)
@given(
    st.sampled_from(["Europe/Rome", "America/New_York", "Asia/Shanghai", "America/Santiago"]),
    st.integers(0, 400 * 24 * 60),
    st.lists(st.integers(1, 7 * 24 * 60), max_size=6),
    st.sampled_from([SMS, CALL]),
)
def test_a_deferral_is_the_first_minute_that_every_rule_allows(
    zone: str, start: int, ago: list[int], request: ContactRequest
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    known = facts(now, zone=zone, past=tuple(past(now - timedelta(minutes=m), request.channel) for m in ago))
    said = decide(request, known, [HOUSE])
    later = now
    while not isinstance(decide(request, known.model_copy(update={"now": later}), [HOUSE]), Permit):
        later += timedelta(minutes=1)
    assert later == (said.until if isinstance(said, Defer) else now)


# --- rulebooks ---


RULE = (
    'name = "x"\n[[rules]]\nid = "x.H"\nkind = "hours"\nstart = {}\nend = 08:00:00\ncitation = "-"\nstatus = "house"\n'
)


def test_hours_that_end_before_they_start_are_refused() -> None:
    with pytest.raises(BadInput, match=r"^rulebook x\.toml, key rules\.0\.hours: rule x\.H ends before it starts"):
        read_rulebook(RULE.format("21:00:00"), "x.toml")


def test_a_misspelt_key_of_a_rule_is_named() -> None:
    with pytest.raises(BadInput, match=r"^rulebook x\.toml, key rules\.0\.hours\.chanels: "):
        read_rulebook(RULE.format("07:00:00") + 'chanels = ["sms"]', "x.toml")


def test_bad_toml_of_a_rulebook_is_told_with_its_file() -> None:
    with pytest.raises(BadInput, match=r"^rulebook x\.toml is not valid TOML: "):
        read_rulebook("name =", "x.toml")


def test_hours_are_of_one_day() -> None:
    rule = Hours(id="h", kind="hours", start=time(8), end=time(21), citation="-", status="house")
    assert rule.channels == ("sms", "call", "visit", "letter")
