"""No contact that a rule forbids: every contact has its permit, the gate gives it again, and what it saw is what the ledger says."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from domain.errors import BadInput
from ledger.permits import decide_again
from ledger.proof.findings import Findings
from ledger.proof.hours import BY_HAND
from ledger.proof.reading import PROOF, Library, grouped, stream


async def permitted(conn: Any, findings: Findings) -> None:
    """Every contact has a permit that is given again on its recorded facts, and these facts left nothing out.

    The facts are compared where the order of commits says what was there: contacts before, holds, opt-outs and stops. A call or a visit
    by a person stands under the permit of its task, whose place in that order nobody noted: of such a one only the permit is judged.
    What was written back after a restore has lost its permit: it is counted as such.
    """
    library = Library(conn)
    async for row in stream(conn, PROOF.sent_contacts):
        findings.checked += 1
        findings.recovered += row["lost"]
        for kind, detail in await _wrong_with(row, library):
            findings.broken(kind, row, row["contact_id"], detail)
    await _ignored(conn, findings)
    async for _, rows in grouped(stream(conn, PROOF.subjects, "borrower"), lambda r: (r["lender_id"], r["subject"])):
        await _incomplete(rows, library, findings)


async def _wrong_with(row: Any, library: Library) -> list[tuple[str, str]]:
    permit = row["permit"]
    if row["lost"]:
        return []  # `money.quiet` judges it by what its case had heard, `limits` counts it
    if permit is None:
        return [("no_permit", f"this {row['channel']} was made without a permit")]
    try:
        again = decide_again(permit, await library.books(permit["rulebooks"]))
        said = permit["verdict"]["verdict"]
        asked = permit["request"]["channel"], permit["request"]["purpose"]
        at = datetime.fromisoformat(permit["facts"]["now"])
    except BadInput as error:
        return [("permit_not_repeated", str(error).rstrip("."))]
    except (ValidationError, KeyError, TypeError, ValueError):
        return [("permit_not_repeated", "its permit cannot be read any more: it is not as the gate wrote it")]
    found = []
    if again.verdict != "permit" or _in_any_order(again.model_dump(mode="json")) != _in_any_order(permit["verdict"]):
        detail = f"its permit says {said}, but on its facts the gate says {again.verdict} by {', '.join(again.rules)}"
        found.append(("permit_not_repeated", detail))
    elif permit["verdict"]["shadow"]:
        found.append(("only_in_shadow", "its permit was for shadow mode, in which nobody is contacted"))
    if asked != (row["channel"], row["purpose"]):
        detail = f"its permit is for {asked[0]} to {asked[1]}, but it is a {row['channel']} to {row['purpose']}"
        found.append(("permit_for_another", detail))
    if row["channel"] not in BY_HAND and at != row["sending_at"]:
        detail = f"its permit was given for {at:%Y-%m-%d %H:%M:%S}, but it was made at {row['sending_at']:%Y-%m-%d %H:%M:%S} UTC"
        found.append(("permit_for_another", detail))
    return found


def _in_any_order(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict without the order of its rules: the ledger keeps none of the rulebooks that they come from."""
    return {**verdict, "rules": sorted(verdict["rules"])}


async def _ignored(conn: Any, findings: Findings) -> None:
    async for row in stream(conn, PROOF.ignored_holds):
        detail = (
            f"hold {row['hold_id']} ({row['reason']}) was on record before and in force, but its permit did not see it"
        )
        findings.broken("hold_ignored", row, row["contact_id"], detail)
    async for row in stream(conn, PROOF.ignored_opt_outs):
        detail = f"the number had asked before for no more {row['channel']}, but its permit did not see it"
        findings.broken("opted_out_ignored", row, row["contact_id"], detail)
    async for row in stream(conn, PROOF.ignored_stops):
        detail = f"the stop button was pressed before it was committed (stop {row['stop_id']})"
        findings.broken("stop_ignored", row, row["contact_id"], detail)


async def _incomplete(rows: Sequence[Any], library: Library, findings: Findings) -> None:
    """Permits that left out a contact of the same borrower committed before them, as far back as their rules look.

    The lock on the borrower orders these; between loans of different borrowers there is no order to hold anybody to.
    """
    times = [row["sending_at"] for row in rows]
    for row in rows:
        if row["rulebooks"] is None or row["direction"] == "in" or row["channel"] in BY_HAND:
            continue
        back = max((r.days for r in await library.counting(row["rulebooks"])), default=0)
        first = bisect_left(times, row["sending_at"] - timedelta(days=back))
        before = [b for b in rows[first:] if _concerns(b, row) and _came_before(b, row)]
        if not before:
            continue
        past = json.loads(row["past"] or "[]")
        seen = Counter((datetime.fromisoformat(p["at"]), p["channel"]) for p in past)
        for each in before:
            this = each["sending_at"], each["channel"]
            if seen[this] <= 0:
                detail = (
                    f"its permit did not see the {each['channel']} {each['contact_id']} that was committed before it"
                )
                findings.broken("facts_incomplete", row, row["contact_id"], detail)
            seen[this] -= 1


def _concerns(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the gate counts one contact for the other: the same person, debt, or number or address."""
    return any(one[same] is not None and one[same] == other[same] for same in ("party_id", "loan_id", "contact_value"))


def _came_before(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one["commit_order"] is None or other["commit_order"] is None:
        return False
    return bool(one["commit_order"] < other["commit_order"])
