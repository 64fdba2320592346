"""Rules that always hold, and what a verdict looks like."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain.gate import Addressed, Consent, Defer, Forbid, GateHold, Permit, decide
from domain.rulebook.rules import ConsentNeeded
from tests.domain.gate.asking import NOON, ask, facts, local, shipped, verdict

HOUSE = shipped()["house"]
PURPOSES = ("collect", "reminder", "statutory", "service", "reply")
OPEN_DISPUTE = GateHold(reason="dispute", scopes=("contact", "legal"))


def stopped(*purposes: str, channel: str = "sms", **known: Any) -> set[str]:
    """The purposes that do not pass, of all."""
    return {p for p in purposes or PURPOSES if not isinstance(verdict(ask(channel, p), **known), Permit)}


@pytest.mark.parametrize(
    ("known", "stops"),
    [
        ({"owes": False}, {"collect", "reminder", "statutory"}),
        ({"suppressed": True}, {"collect", "reminder", "statutory", "service"}),
        ({"point_status": "opted_out"}, {"collect", "reminder", "statutory", "service"}),
        ({"stopped": True}, {"collect", "reminder", "statutory", "service"}),
        ({"jurisdiction_known": False}, set(PURPOSES)),
        ({"zones": ()}, set(PURPOSES)),
        ({"point_status": "dead"}, set(PURPOSES)),
        ({"party": Addressed(role="reference", liable=False, may_discuss=False)}, set(PURPOSES)),
        ({"party": Addressed(role="reference", liable=False, may_discuss=True)}, set()),
        ({"party": Addressed(role="guarantor", liable=True, may_discuss=False)}, set()),
        ({"holds": (OPEN_DISPUTE,)}, {"collect", "reminder"}),
        ({"holds": (GateHold(reason="cease", scopes=("contact",)),)}, {"collect", "reminder", "service"}),
        ({"holds": (GateHold(reason="limitation", scopes=("legal", "fees")),)}, set()),
    ],
)
def test_each_rule_stops_its_purposes_and_no_other(known: dict[str, Any], stops: set[str]) -> None:
    assert stopped(**known) == stops


@pytest.mark.parametrize(
    ("channel", "scopes", "stops"),
    [
        ("filing", ("legal",), set(PURPOSES) - {"reply"}),
        ("filing", ("contact",), set()),
        ("letter", ("legal",), {"collect"}),
        ("letter", ("contact",), {"collect", "reminder"}),
        ("visit", ("escalation",), set()),
    ],
)
def test_legal_holds_stop_legal_steps(channel: str, scopes: tuple[str, ...], stops: set[str]) -> None:
    assert stopped(channel=channel, holds=(GateHold(reason="dispute", scopes=scopes),)) == stops


def test_the_stop_button_makes_a_contact_wait_an_hour() -> None:
    assert verdict(ask(), stopped=True) == Defer(rules=("core.STOPPED",), until=NOON + timedelta(hours=1))


def test_holds_wait_for_the_last_known_end_and_the_hours_after_it() -> None:
    ends = tuple(GateHold(reason="dispute", scopes=("contact",), until=local(2026, 5, d, 3)) for d in (14, 12))
    said = decide(ask(), facts(holds=ends), [HOUSE])
    assert said == Defer(rules=("core.HELD",), until=local(2026, 5, 14, 8))


def test_an_open_hold_is_looked_at_again_in_a_day() -> None:
    assert verdict(ask(), holds=(OPEN_DISPUTE,)) == Defer(rules=("core.HELD",), until=NOON + timedelta(days=1))


@pytest.mark.parametrize("reason", ["attorney", "cease"])
def test_open_holds_that_wait_for_nothing_forbid(reason: str) -> None:
    hold = GateHold(reason=reason, scopes=("contact",))
    assert verdict(ask(), holds=(hold, OPEN_DISPUTE)) == Forbid(rules=("core.HELD",))
    assert verdict(ask("filing"), holds=(hold,)).verdict == "permit"
    ends = hold.model_copy(update={"until": local(2026, 6, 1)})
    assert verdict(ask(), holds=(ends,)) == Defer(rules=("core.HELD",), until=local(2026, 6, 1))


def test_an_attorneys_hold_does_not_keep_us_from_the_attorney() -> None:
    attorney = Addressed(role="attorney", liable=False, may_discuss=True)
    hold = GateHold(reason="attorney", scopes=("contact",))
    assert isinstance(verdict(ask("letter"), holds=(hold,), party=attorney), Permit)
    assert isinstance(verdict(ask("letter"), holds=(OPEN_DISPUTE,), party=attorney), Defer)


def test_whoever_may_not_hear_of_the_debt_may_be_asked_where_somebody_is() -> None:
    stranger = Addressed(role="reference", liable=False, may_discuss=False)
    assert isinstance(verdict(ask("call", "service", discloses=False), party=stranger), Permit)
    assert verdict(ask("call", "service"), party=stranger) == Forbid(rules=("core.THIRD_PARTY",))


def test_everything_that_forbids_is_named_and_outdoes_what_defers() -> None:
    said = decide(ask(), facts(local(2026, 5, 11, 23), owes=False, suppressed=True, stopped=True), [HOUSE])
    assert said == Forbid(rules=("core.NOTHING_DUE", "core.OPTED_OUT"))


def test_shadow_permits_on_paper_only() -> None:
    said = verdict(shadow=True)
    assert isinstance(said, Permit)
    assert said.shadow


def test_a_permit_names_every_rule_that_was_asked() -> None:
    said = decide(ask("sms", "service"), facts(), [HOUSE])
    assert said.rules == (
        "core.NO_JURISDICTION",
        "core.NO_CONTACT_POINT",
        "core.POINT_UNUSABLE",
        "core.OPTED_OUT",
        "core.THIRD_PARTY",
        "core.STOPPED",
        "core.HELD",
        "house.HOURS",
        "house.THIRD_PARTY",
    )


def test_days_at_the_ends_of_the_calendar_are_for_ever() -> None:
    rule = ConsentNeeded(id="x.R", kind="consent", scope="sms", says="-", citation="-", status="house")
    given = Consent(scope="sms", given_on=date.min, expires_on=date.max)
    assert isinstance(verdict(ask(), rule, consents=(given,)), Permit)
    gone = given.model_copy(update={"revoked_on": date.min})
    assert isinstance(verdict(ask(), rule, consents=(gone,)), Forbid)
