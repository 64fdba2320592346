"""The five checks, in one snapshot of the database. Each names the rows that break it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from pydantic import TypeAdapter

from domain.gate import ContactRequest, GateFacts, decide
from domain.loan import LoanKey
from domain.position import position
from domain.rulebook import Rulebook
from ledger.named import queries
from ledger.posting import load_entries, load_instalments, load_terms

PROOF = queries("proof")
BOOKS = TypeAdapter(list[Rulebook])
Check = dict[str, Any]


async def prove(conn: Any) -> Check:
    """Check all five promises on one snapshot; `ok` only if none is broken."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        checks = [await _check(name, run, conn) for name, run in CHECKS.items()]
    return {"ok": all(c["ok"] for c in checks), "checks": checks}


async def _check(name: str, run: Callable[[Any, list[Check]], Awaitable[int]], conn: Any) -> Check:
    violations: list[Check] = []
    checked = await run(conn, violations)
    return {"name": name, "ok": not violations, "checked": checked, "violations": violations}


def _broken(kind: str, row: Any, id_: str, detail: str) -> Check:
    return {"kind": kind, "loan_id": row["loan_id"], "lender_id": row["lender_id"], "id": str(id_), "detail": detail}


async def _quiet(conn: Any, violations: list[Check]) -> int:
    """No contact to collect that was committed at or after the ledger version that cured the debt."""
    checked = 0
    async for key, rows in _by_loan(PROOF.collect_contacts(conn)):
        instalments, entries, terms = (
            await load_instalments(conn, key),
            await load_entries(conn, key),
            await load_terms(conn, key),
        )
        for row in rows:
            checked += 1
            if row["ledger_version"] != row["newest_version"]:
                detail = f"its permit saw ledger version {row['ledger_version']}, but {row['newest_version']} was committed before it"
                violations.append(_broken("saw_old_ledger", row, row["contact_id"], detail))
            seen = [e for e in entries if e.version <= max(row["ledger_version"], row["newest_version"])]
            if position(instalments, seen, row["business_date"], terms).cured:
                detail = f"nothing was past due on {row['business_date']} at ledger version {row['newest_version']}"
                violations.append(_broken("contact_after_cure", row, row["contact_id"], detail))
    return checked


async def _by_loan(rows: AsyncIterator[Any]) -> AsyncIterator[tuple[LoanKey, list[Any]]]:
    """Rows that come sorted by loan, a loan at a time."""
    key: LoanKey | None = None
    found: list[Any] = []
    async for row in rows:
        its = LoanKey(row["lender_id"], row["loan_id"])
        if key is not None and its != key:
            yield key, found
            found = []
        key = its
        found.append(row)
    if key is not None:
        yield key, found


async def _once(conn: Any, violations: list[Check]) -> int:
    """One contact a step's attempt, one carrier message a contact, one contact a carrier message."""
    violations += [
        _broken("two_contacts_one_step", row, row["id"], f"{row['n']} contacts for one attempt at a step")
        async for row in PROOF.shared_keys(conn)
    ]
    violations += [
        _broken("two_contacts_one_message", row, row["id"], f"{row['n']} contacts claim this carrier message")
        async for row in PROOF.shared_carrier_ids(conn)
    ]
    violations += [
        _broken("no_carrier_message", row, row["id"], "sent, but no carrier message is named")
        async for row in PROOF.texts_without_message(conn)
    ]
    return sum([1 async for _ in PROOF.sent_contacts(conn)])


async def _permitted(conn: Any, violations: list[Check]) -> int:
    """Every contact has a permit, and the gate gives it again on the recorded facts."""
    checked = 0
    async for row in PROOF.sent_contacts(conn):
        checked += 1
        permit = row["permit"]
        if permit is None:
            violations.append(
                _broken("no_permit", row, row["contact_id"], f"a {row['channel']} contact without a permit")
            )
            continue
        again = decide(
            ContactRequest.model_validate(permit["request"]),
            GateFacts.model_validate(permit["facts"]),
            BOOKS.validate_python(permit["rulebooks"]),
        )
        if again.verdict != "permit" or again.model_dump(mode="json") != permit["verdict"]:
            detail = f"the gate now says {again.verdict} by {', '.join(again.rules)}"
            violations.append(_broken("permit_not_repeated", row, row["contact_id"], detail))
    return checked


async def _entries(conn: Any, violations: list[Check]) -> int:
    """Each loan's versions run 1, 2, 3 without a gap; commits agree with them; every case was told."""
    violations += [
        _broken(
            "versions",
            row,
            row["loan_id"],
            f"{row['entries']} entries up to version {row['newest']}, the loan says {row['ledger_version']}",
        )
        async for row in PROOF.broken_versions(conn)
    ]
    violations += [
        _broken("order", row, row["entry_id"], "committed before an entry of a lower version")
        async for row in PROOF.out_of_order(conn)
    ]
    violations += [
        _broken("untold", row, row["entry_id"], "posted beside an open case that was never told")
        async for row in PROOF.untold(conn)
    ]
    checked: int = await PROOF.entry_count(conn)
    return checked


async def _undone(conn: Any, violations: list[Check]) -> int:
    """What touched the world was on record, and a cure has ended it."""
    violations += [
        _broken(
            "not_undone",
            row,
            row["effect_id"],
            f"{row['kind']} of step {row['step_id']} stands although the case is in {row['stage']}",
        )
        async for row in PROOF.standing_after_cure(conn)
    ]
    violations += [
        _broken("not_on_record", row, row["id"], f"a {row['kind']} without an open effect on record")
        async for row in PROOF.effectless(conn)
    ]
    checked: int = await PROOF.effect_count(conn)
    return checked


CHECKS: dict[str, Callable[[Any, list[Check]], Awaitable[int]]] = {
    "quiet": _quiet,
    "once": _once,
    "permitted": _permitted,
    "entries": _entries,
    "undone": _undone,
}
