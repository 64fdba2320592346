"""Erases what is known of one person, where no rule keeps it: figures, times and verdicts stay, and the audit chain holds."""

import secrets
from datetime import datetime
from typing import Any, NamedTuple

from domain.clock import business_date
from domain.erasure import HOUSE_YEARS, OUR_REASONS, OUR_SOURCES, RETURN_CODE, Held, Refusal, refusals
from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.audit import erase
from ledger.locks import lock_loan
from ledger.money import position_of
from ledger.named import queries

ERASURE = queries("erasure")
# What an answer or a message may say that is about the debt and not the person.
KEPT = [
    "task_id",
    "code",
    "by",
    "amount",
    "due_on",
    "hold_id",
    "promise_id",
    "plan_id",
    "instalment",
    "component",
    "scopes",
    "ledger_version",
]
STEPS = (
    "inbound",
    "letters",
    "calls",
    "contacts",
    "tasks",
    "events",
    "closings",
    "disputes",
    "notices",
    "limitation",
    "holds",
    "entries",
    "suspense",
    "messages",
    "phone",
    "tape",
    "consents",
    "points",
    "name",
)


class Erasure(NamedTuple):
    """What an erasure did, or would do: rows by kind, contents of the audit log; or the rules that keep the person's data."""

    counts: dict[str, int]
    refused: tuple[Refusal, ...]


async def erase_party(
    conn: Any, lender_id: str, party_id: str, now: datetime, zone: str, *, reason: str, house_years: int = HOUSE_YEARS
) -> Erasure:
    """Erase a person inside the caller's transaction; nothing is changed where a rule refuses.

    Opt-outs stay: the law asks for them, and they name a number and nobody. Entries stay but for the words that came with the money.

    Raises:
        BadInput: the lender does not know the person.
    """
    them = {"lender_id": lender_id, "party_id": party_id}
    if not await ERASURE.known_party(conn, **them):
        raise BadInput(
            f"party {party_id!r} of lender {lender_id!r} is unknown: give borrower_id or party_id of the tape."
        )
    rows = [r async for r in ERASURE.loans_of_party(conn, **them, now=now)]
    for row in rows:
        await lock_loan(conn, LoanKey(lender_id, row["loan_id"]))
    today = business_date(now, zone)
    refused = refusals([await _held(conn, row, today) for row in rows], today, house_years)
    if refused:
        return Erasure({}, refused)
    own = [row["loan_id"] for row in rows if row["borrower"]]
    audit = 0
    for row in rows:  # first: what the changes below log is of nobody any more
        audit += await erase(conn, LoanKey(lender_id, row["loan_id"]), party_id)
    theirs = {"lender_id": lender_id, "loans": own}
    ours = {"our_reasons": list(OUR_REASONS)}
    more: dict[str, dict[str, Any]] = {
        # The salt is dropped: equal numbers stay equal, and no number can be found again.
        "contacts": {**them, "salt": secrets.token_hex(16)},
        "tasks": {**theirs, "kept": KEPT},
        "events": {**theirs, **ours, "kept": KEPT},
        "closings": {**theirs, **ours},
        "holds": {**them, "now": now},
        "entries": {**theirs, **ours, "our_sources": list(OUR_SOURCES), "return_code": RETURN_CODE},
        **dict.fromkeys(("disputes", "notices", "limitation", "suspense", "messages"), theirs),
    }
    counts = {"audit": audit}
    for step in STEPS:
        counts[step] = _changed(await getattr(ERASURE, f"erase_{step}")(conn, **more.get(step, them)))
    await ERASURE.record_erasure(conn, **them, now=now, reason=reason, counts=counts)
    return Erasure(counts, ())


async def _held(conn: Any, row: Any, today: Any) -> Held:
    stands = await position_of(conn, LoanKey(row["lender_id"], row["loan_id"]), today)
    return Held(
        loan=row["loan_id"],
        country=row["country"],
        last_on=row["last_on"],
        outstanding=stands.outstanding,
        overpaid=stands.overpaid,
        open_case=row["open_case"],
        pending=row["pending"],
        disputed=row["disputed"],
    )


def _changed(status: Any) -> int:
    return int(str(status).split()[-1]) if status is not None else 0
