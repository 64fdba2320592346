"""Why a person was contacted, or was not: for each contact the facts seen, the rules that spoke, and what came of it."""

from typing import Any

from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.explain.account import Account, Part, account
from ledger.explain.judged import Judged, Registered, judged, with_registered
from ledger.explain.words import Words, words_of
from ledger.named import queries

CASES = queries("cases")
SHOWN = [
    "contact_id",
    "channel",
    "purpose",
    "state",
    "step_id",
    "ordinal",
    "episode",
    "template",
    "language",
    "body",
    "ledger_version",
    "sending_at",
    "carrier_status",
    "error_code",
    "reason",
    "outcome",
    "recovered",
]


async def why(
    conn: Any, key: LoanKey, contact: str | None = None, language: str = "en", registered: Registered | None = None
) -> dict[str, Any]:
    """The journal of a case and what the gate judged in it, as records and, under `told`, in words; or one judgement alone.

    `contact` is a contact's id, a task's, or `e` and the number of a line of the journal. `registered` knows the ids that a country's
    carriers want of a text; nothing is told of them without.

    Raises:
        BadInput: the loan has nothing of that id, or nobody wrote the words of that language.
    """
    words = words_of(language)
    every = await judged(conn, key)
    found = [j for j in every if contact in {None, j.id}]
    if registered is not None:
        found = [with_registered(j, registered) for j in found]
    if contact is not None and not found:
        raise BadInput(f"contact {contact!r} is not one of loan {key}: `arrears why {key.loan_id}` lists them.")
    this = {"lender_id": key.lender_id, "loan_id": key.loan_id}
    events = [] if contact else [r async for r in CASES.events(conn, **this)]
    return {
        **this,
        "events": [
            {
                "id": f"e{e['id']}",
                "at": e["at"],
                "episode": e["episode"],
                "kind": e["kind"],
                "about": _about(e["data"]),
                "data": e["data"],
            }
            for e in events
        ],
        "contacts": [_contact(j) for j in found if j.kind == "contact"],
        "put_off": [_event(j) for j in found if j.kind not in {"contact", "task"}],
        "tasks": [_task(j) for j in found if j.kind == "task"],
        "told": [_told(account(j, words)) for j in found],
    }


def _about(data: dict[str, Any]) -> str:
    for name in ("said", "why", "refused", "task_id", "step", "relapse"):
        if data.get(name):
            return str(data[name])
    body = data.get("body") or {}
    return str(body.get("code") or body.get("reason") or "")


def _judgement(each: Judged) -> dict[str, Any]:
    return {
        "rules": each.verdict.get("rules", []),
        "verdict": each.verdict.get("verdict"),
        "until": each.verdict.get("until"),
        "facts": each.permit.get("facts"),
        "engine": each.permit.get("engine"),
        "rulebooks": each.permit.get("rulebooks"),
    }


def _contact(each: Judged) -> dict[str, Any]:
    return {
        **{name: each.row[name] for name in SHOWN},
        "carrier_id": each.row["taken_as"],
        "other_carrier_ids": each.row["also_taken_as"],
        "registered": each.registered,
        **_judgement(each),
    }


def _event(each: Judged) -> dict[str, Any]:
    step, kind = each.row["data"].get("step"), each.row["kind"]
    return {
        "id": each.id,
        "kind": kind,
        "at": each.at,
        "step_id": step,
        "ledger_version": each.version,
        **_judgement(each),
    }


def _task(each: Judged) -> dict[str, Any]:
    shown = {name: each.row[name] for name in ("task_id", "kind", "status", "step_id", "outcome")}
    return {**shown, "ledger_version": each.version, **_judgement(each)}


def _told(each: Account) -> dict[str, Any]:
    return {
        "id": each.id,
        "verdict": each.verdict,
        "title": each.title,
        "parts": [{"label": p.label, "lines": p.lines} for p in each.parts],
    }


__all__ = ["Account", "Judged", "Part", "Registered", "Words", "account", "judged", "why", "words_of"]
