"""What would have been done in shadow mode, beside what the lender did meanwhile."""

import csv
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from domain.clock import business_date
from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.money import position_of
from ledger.named import queries

SHADOW = queries("shadow")
COLUMNS = ("source_id", "loan_id", "channel", "made_at")
CHANNELS = ("sms", "call", "voice", "visit", "letter", "email")
SHOWN = 50
SAME = timedelta(days=1)


async def take_lender_contacts(conn: Any, file: Path) -> int:
    """Keep what a lender says it did: CSV with `source_id,loan_id,channel,made_at` and optionally `lender_id`; how many rows were new.

    Raises:
        BadInput: a row or the file cannot be read; nothing of it is kept.
    """
    try:
        text = file.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise BadInput(f"file {file} cannot be read ({error.strerror}): check the path.") from None
    with text:
        reader = csv.DictReader(text)
        missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
        if missing:
            raise BadInput(f"file {file}, line 1: column {missing[0]} is missing; it needs {', '.join(COLUMNS)}.")
        rows = [_row(file, reader.line_num, row) for row in reader]
    async with conn.transaction():
        return sum([await SHADOW.keep_lender_contact(conn, **row) is not None for row in rows])


def _row(file: Path, line: int, row: dict[str, str]) -> dict[str, Any]:
    try:
        made_at = datetime.fromisoformat(row["made_at"])
    except ValueError:
        raise BadInput(
            f"file {file}, line {line}, field made_at: write a time such as 2026-03-02T10:00+01:00."
        ) from None
    if made_at.tzinfo is None:
        raise BadInput(f"file {file}, line {line}, field made_at: give its zone, such as 2026-03-02T10:00+01:00.")
    if row["channel"] not in CHANNELS:
        raise BadInput(f"file {file}, line {line}, field channel: use one of {', '.join(CHANNELS)}.")
    if not row["source_id"] or not row["loan_id"]:
        raise BadInput(f"file {file}, line {line}: source_id and loan_id must not be empty.")
    return {
        "lender_id": row.get("lender_id") or "default",
        "source_id": row["source_id"],
        "loan_id": row["loan_id"],
        "channel": row["channel"],
        "made_at": made_at,
    }


async def shadow_report(conn: Any, lender_id: str | None) -> dict[str, Any]:
    """Counts by channel of what would have gone out, what the lender did, and where both agree within a day.

    `nothing_due` are contacts of the lender with somebody who owed nothing by then, as the ledger knows it; `refused` what the gate
    forbade or put off, by rule; `would_have_gone` the newest texts themselves.
    """
    ours = [r async for r in SHADOW.would_have_made(conn, lender_id=lender_id)]
    theirs = [r async for r in SHADOW.lender_made(conn, lender_id=lender_id)]
    near: Counter[str] = Counter()
    for own in ours:
        near[own["channel"]] += any(
            (own["lender_id"], own["loan_id"], own["channel"]) == (t["lender_id"], t["loan_id"], t["channel"])
            and abs(own["at"] - t["made_at"]) <= SAME
            for t in theirs
        )
    counted, did = Counter(o["channel"] for o in ours), Counter(t["channel"] for t in theirs)
    return {
        "lender_id": lender_id or "*",
        "channels": {
            channel: {"would_have_made": counted[channel], "lender_made": did[channel], "both": near[channel]}
            for channel in sorted({*counted, *did})
        },
        "nothing_due": [found async for found in _nothing_due(conn, theirs)],
        "refused": {r["rule"]: r["contacts"] async for r in SHADOW.refused(conn, lender_id=lender_id)},
        "would_have_gone": [
            {name: own[name] for name in ("lender_id", "loan_id", "channel", "at", "step_id", "rules", "body")}
            for own in ours[-SHOWN:]
        ],
    }


async def _nothing_due(conn: Any, theirs: list[Any]) -> Any:
    for made in theirs:
        if made["timezone"] is None:
            continue
        key = LoanKey(made["lender_id"], made["loan_id"])
        stands = await position_of(conn, key, business_date(made["made_at"], made["timezone"]))
        if stands.cured:
            shown = ("lender_id", "loan_id", "channel", "source_id", "made_at")
            yield {name: made[name] for name in shown}
