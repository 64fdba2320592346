"""Rules that always hold, whatever the rulebooks say."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.gate.engine_1.asked import Asked
from domain.gate.engine_1.needs import FINAL, never_told, open_until, spares, suppressed
from domain.gate.facts import GateHold
from domain.rulebook.rules import Purpose

STOPPED_FOR = timedelta(hours=1)  # how long a contact waits at the stop button before it asks again

SAYS: Mapping[str, str] = {
    "core.NO_JURISDICTION": "Nobody is contacted where no rulebook governs, or nobody knows what time it is there.",
    "core.NO_CONTACT_POINT": "Nobody is contacted without a number or an address.",
    "core.POINT_UNUSABLE": "A number or an address that is dead, wrong or somebody else's by now is not used.",
    "core.NOTHING_DUE": "Nobody who owes nothing is asked for money or reminded of it.",
    "core.OPTED_OUT": "Whoever asked to be left alone on a channel hears nothing there but answers.",
    "core.THIRD_PARTY": "Nobody who neither owes nor may discuss the debt hears of it.",
    "core.STOPPED": "While the stop button is pressed only answers are given.",
    "core.HELD": "A hold that stops contact stops collecting and reminding, one that stops legal steps stops these.",
}
DUE = frozenset({"collect", "reminder", "statutory"})
UNUSABLE = frozenset({"dead", "wrong", "reassigned", "replaced"})


def asked_for(purpose: Purpose) -> tuple[str, ...]:
    """The ids of the rules that are asked about a purpose."""
    return _ASKED[purpose]


def answers(asked: Asked) -> list[tuple[str, datetime | None]]:
    """Each rule that speaks, with the moment until which it defers; None forbids."""
    request, facts = asked.request, asked.facts
    found: list[tuple[str, datetime | None]] = []
    if not facts.jurisdiction_known or not facts.zones:
        found.append(("core.NO_JURISDICTION", None))
    if not request.contact_value_known:
        found.append(("core.NO_CONTACT_POINT", None))
    if facts.point_status in UNUSABLE:
        found.append(("core.POINT_UNUSABLE", None))
    if not facts.owes and request.purpose in DUE:
        found.append(("core.NOTHING_DUE", None))
    if never_told(asked):
        found.append(("core.THIRD_PARTY", None))
    if request.purpose != "reply":
        if suppressed(facts):
            found.append(("core.OPTED_OUT", None))
        if facts.stopped:
            found.append(("core.STOPPED", facts.now + STOPPED_FOR))
    speaking = [hold for hold in facts.holds if _speaks(hold, asked) and not spares(hold, facts)]
    if speaking:
        found.append(("core.HELD", open_until(speaking, facts)))
    return found


def _speaks(hold: GateHold, asked: Asked) -> bool:
    channel, purpose = asked.request.channel, asked.request.purpose
    if purpose == "reply":
        return False
    if channel == "filing":
        return "legal" in hold.scopes
    if "legal" in hold.scopes and channel == "letter" and purpose == "collect":
        return True
    return "contact" in hold.scopes and (
        purpose in {"collect", "reminder"} or (purpose == "service" and hold.reason in FINAL)
    )


_ASKED: Mapping[Purpose, tuple[str, ...]] = {
    purpose: tuple(
        name
        for name in SAYS
        if (name != "core.NOTHING_DUE" or purpose in DUE)
        and (name not in {"core.OPTED_OUT", "core.STOPPED", "core.HELD"} or purpose != "reply")
    )
    for purpose in ("collect", "reminder", "statutory", "service", "reply")
}
