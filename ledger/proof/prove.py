"""The checks, in one snapshot of the database. Each names the rows that break it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ledger.audit import broken_links
from ledger.named import queries
from ledger.proof.findings import Findings, Told
from ledger.proof.hours import hours
from ledger.proof.limits import limits
from ledger.proof.money import entries, quiet, undone
from ledger.proof.once import once
from ledger.proof.permitted import permitted

AUDIT = queries("audit")
Check = Callable[[Any, Findings], Awaitable[None]]


async def audit(conn: Any, findings: Findings) -> None:
    """The chains of the audit log are whole, and what stands in the ledger is what they saw last."""
    async for fault in broken_links(conn):
        findings.broken(fault.kind, fault._asdict(), fault.id, fault.detail)
    findings.checked = await AUDIT.link_count(conn)


CHECKS: Mapping[str, Check] = {
    "quiet": quiet,
    "once": once,
    "permitted": permitted,
    "limits": limits,
    "hours": hours,
    "entries": entries,
    "undone": undone,
    "audit": audit,
}


async def prove(
    conn: Any, told: Told | None = None, done: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Check everything on one snapshot; `ok` only if nothing is broken.

    Args:
        conn: A connection that is not in a transaction.
        told: Hears of each violation as it is found, with its check's name; the result holds a thousand a check at most.
        done: Hears of each check's result.
    """
    checks = []
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        for name, check in CHECKS.items():
            findings = Findings(name, told)
            await check(conn, findings)
            checks.append(findings.result())
            if done is not None:
                done(checks[-1])
    return {"ok": all(c["ok"] for c in checks), "checks": checks}
