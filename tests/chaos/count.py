"""Counts what really happened: the messages that the carrier took, held against what the ledger says."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from channels.simulator import Message
from ledger.proof import prove

A_DAY, A_WEEK = 1, 3  # house.SMS_DAY and house.SMS_WEEK
MADE = frozenset({"sending", "sent", "unknown", "failed"})


async def count(pool: Any, messages: Iterable[Message], *, limits: bool = True) -> dict[str, Any]:
    """What was meant, what went out, and every failure: a list of sentences under the name of each kind.

    `limits`: whether there were any.
    """
    async with pool.acquire() as conn:
        rows = await conn.fetch("select * from contacts where channel = 'sms'")
        entries = await conn.fetch("select loan_id, ledger_version, commit_order from entries")
        proof = await prove(conn)
    taken = _by_attempt(messages)
    contacts = {row["contact_id"]: row for row in rows}
    failures = {
        "doubles": _doubles(contacts, taken),
        "strangers": [
            f"{n} messages name attempt {a}, which the ledger does not know"
            for a, n in taken.items()
            if a not in contacts
        ],
        "denied": [
            f"contact {row['contact_id']} went out, but the ledger says {row['state']}"
            for row in rows
            if taken[row["contact_id"]] and row["state"] in {"reserved", "cancelled", "forbidden", "shadow", "failed"}
        ],
        "made up": [
            f"contact {row['contact_id']} is sent, but the carrier has no message"
            for row in rows
            if row["state"] == "sent" and not taken[row["contact_id"]]
        ],
        "left in the air": [
            f"contact {row['contact_id']} is still in sending" for row in rows if row["state"] == "sending"
        ],
        "after payment": _after_payment([row for row in rows if row["state"] in MADE], entries, taken),
        "limits exceeded": _limits([row for row in rows if taken[row["contact_id"]]], taken) if limits else [],
        "proof": [
            f"{c['name']}: {v['kind']} {v['id']}: {v['detail']}" for c in proof["checks"] for v in c["violations"]
        ],
    }
    states = Counter(row["state"] for row in rows)
    return {
        "intended": len({(row["loan_id"], row["episode"], row["step_id"]) for row in rows}),
        "messages": sum(taken.values()),
        "states": dict(sorted(states.items())),
        "failures": failures,
    }


def _by_attempt(messages: Iterable[Message]) -> Counter[str]:
    found: Counter[str] = Counter()
    for message in messages:
        if message.direction == "outbound-api":
            found[parse_qs(urlsplit(message.callback or "").query)["attempt"][0]] += 1
    return found


def _doubles(contacts: dict[str, Any], taken: Counter[str]) -> list[str]:
    """More than one message for one step of one loan, whatever rows and attempts the ledger has for it."""
    steps: dict[tuple[str, int, str], list[str]] = defaultdict(list)
    for attempt in taken.elements():
        if row := contacts.get(attempt):
            steps[row["loan_id"], row["episode"], row["step_id"]].append(attempt)
    return [
        f"loan {loan} got {len(attempts)} messages for step {step} of episode {episode}"
        for (loan, episode, step), attempts in steps.items()
        if len(attempts) > 1
    ]


def _after_payment(made: list[Any], entries: list[Any], taken: Counter[str]) -> list[str]:
    """Contacts to collect whose permit or commit came at or after a payment; each payment of this run cures."""
    paid = {entry["loan_id"]: entry for entry in entries}
    found = []
    for row in made:
        entry = paid.get(row["loan_id"])
        if entry is None or row["purpose"] != "collect":
            continue
        if row["ledger_version"] >= entry["ledger_version"] or row["commit_order"] >= entry["commit_order"]:
            found.append(f"contact {row['contact_id']} came after the payment ({taken[row['contact_id']]} messages)")
    return found


def _limits(sent: list[Any], taken: Counter[str]) -> list[str]:
    """Texts to collect, for each person in all loans, by the business day on which they were committed."""
    days: dict[str, Counter[Any]] = defaultdict(Counter)
    for row in sent:
        if row["purpose"] == "collect":
            days[row["party_id"]][row["sending_at"].date()] += taken[row["contact_id"]]
    found = []
    for person, on in days.items():
        found += [f"person {person} got {n} texts on {day}" for day, n in on.items() if n > A_DAY]
        for day in on:
            in_week = sum(n for other, n in on.items() if timedelta(0) <= day - other < timedelta(days=7))
            if in_week > A_WEEK:
                found.append(f"person {person} got {in_week} texts in the seven days up to {day}")
    return found
