"""How many contacts the gate decides in a second on one core: forty past contacts, and every rule of us-reg-f, us-tcpa and house.

Run it from the checkout: `python -m benchmarks.gate_decide [--seconds 3]`.
"""

import argparse
import json
import platform
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from activities.gate import shipped
from domain.gate import Consent, ContactRequest, GateFacts, Limitation, Notice, PastContact, decide
from domain.rulebook import Channel, Rulebook

NOW = datetime(2026, 5, 11, 16, tzinfo=UTC)  # noon in New York
CONTACTS = 40
CHANNELS: tuple[Channel, ...] = ("sms", "call", "voice", "letter")


def known() -> GateFacts:
    """A person who was contacted forty times in forty days, and may be called today."""
    past = tuple(
        PastContact(
            at=NOW - timedelta(days=1 + i, hours=i % 7),
            channel=CHANNELS[i % 4],
            purpose="collect",
            same_loan=i % 2 == 0,
            same_value=i % 3 == 0,
            connected=i % 5 == 0,
            effective=i % 10 == 0,
        )
        for i in range(CONTACTS)
    )
    today = date(2026, 5, 11)
    return GateFacts(
        now=NOW,
        zones=("America/New_York",),
        owes=True,
        consents=tuple(Consent(scope=s, given_on=today - timedelta(days=30)) for s in ("sms", "voice_auto")),
        feed_at=NOW - timedelta(hours=6),
        feed_hours=24,
        first_contact_at=NOW - timedelta(days=40),
        notices=(Notice(kind="validation", served_on=today - timedelta(days=38)),),
        limitation=Limitation(expires_on=date(2030, 1, 1)),
        past=past,
    )


def a_second(request: ContactRequest, facts: GateFacts, books: tuple[Rulebook, ...], seconds: float) -> float:
    """Decisions in a second, over some seconds."""
    done, started = 0, time.process_time()  # what else the machine does is not counted
    while (passed := time.process_time() - started) < seconds:
        for _ in range(200):
            decide(request, facts, books)
        done += 200
    return done / passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    seconds = asked.seconds
    books = tuple(shipped()[name].in_force(frozenset()) for name in ("us-reg-f", "us-tcpa", "house"))
    day = known()
    night = day.model_copy(update={"now": NOW + timedelta(hours=12)})
    found = {}
    for name, channel, facts in (("sms", "sms", day), ("voice", "voice", day), ("voice, deferred", "voice", night)):
        request = ContactRequest(channel=channel, purpose="collect", artificial_voice=channel == "voice")  # type: ignore[arg-type]
        said = decide(request, facts, books)
        found[name] = {"verdict": said.verdict, "per_second": round(a_second(request, facts, books, seconds))}
    result = {
        "benchmark": "gate_decide",
        "past_contacts": CONTACTS,
        "rules": sum(len(book.rules) for book in books),
        "python": platform.python_version(),
        "cases": found,
    }
    told = ", ".join(f"{name} ({each['verdict']}) {each['per_second']:,} a second" for name, each in found.items())
    sys.stdout.write(f"decide() on one core: {told}.\n")
    if asked.json:
        asked.json.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
