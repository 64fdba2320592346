"""Small tapes, written where a test wants them."""

from collections.abc import Callable
from pathlib import Path

from ledger.tape import TapeFiles, TapeReport, take_in
from tests.ledger.samples import Pool, Standing

LOANS_HEADER = (
    "loan_id,borrower_id,borrower_name,borrower_kind,phone,language,timezone,country,currency,opened_on,product"
)
ENTRIES_HEADER = "entry_id,loan_id,kind,amount,currency,value_date,reverses"
GOOD = {
    "loans": [
        LOANS_HEADER,
        "L-1,B-1,Ann,person,+12015550100,it,Europe/Rome,IT,EUR,2026-01-01,fine",
        "L-2,B-2,Bob & Co,business,,zh-Hans,,CN,JPY,2026-01-01,loan",
    ],
    "instalments": [
        "loan_id,number,due_on,principal,interest,fee",
        "L-1,1,2026-03-01,90.00,10.00,0",
        "L-2,1,2026-03-01,5000,0,0",
    ],
    "entries": [ENTRIES_HEADER, "E-1,L-1,payment,40.00,EUR,2026-03-05,", "E-2,L-1,payment,10,EUR,2026-03-06,"],
    "parties": [
        "loan_id,party_id,role,name,language,liable,may_discuss,since,until",
        "L-2,G-1,guarantor,Gus,en,true,yes,2026-01-01,",
    ],
    "contacts": [
        "party_id,kind,value,country,region,postcode,timezone,source,verified_on,status",
        "G-1,landline,+12015550101,US,,,America/New_York,application,2026-01-02,",
    ],
    "consents": [
        "party_id,contact_value,scope,given_on,expires_on,revoked_on,evidence",
        "B-1,+12015550100,sms,2026-01-01,,,signed form",
    ],
    "notices": ["notice_id,loan_id,kind,served_on,method,proof", "N-1,L-1,default,2026-03-10,letter,RR123456789GB"],
    "limitation": ["loan_id,event_id,kind,happened_on,until_on,years", "L-1,V-1,start,2026-03-01,,6"],
}
Tape = dict[str, list[str]]


def written(folder: Path, tape: Tape) -> TapeFiles:
    paths = {}
    for name, lines in tape.items():
        paths[name] = folder / f"{name}.csv"
        paths[name].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return TapeFiles(**paths)


async def take(pool: Pool, folder: Path, tape: Tape, **options: object) -> TapeReport:
    return await take_in(pool, written(folder, tape), **{"clock": Standing(), **options})  # type: ignore[arg-type]


def with_row(kind: str, *rows: str) -> Tape:
    """The good tape with rows added to one file."""
    return {**GOOD, kind: [*GOOD[kind], *rows]}


def with_line(kind: str, at: int, change: Callable[[str], str]) -> Tape:
    """The good tape with one line of a file changed; the header is line 1."""
    lines = list(GOOD[kind])
    lines[at - 1] = change(lines[at - 1])
    return {**GOOD, kind: lines}


async def contents(pool: Pool) -> dict[str, list[tuple[str, ...]]]:
    """All that a tape puts into the ledger, save the order in which it came."""
    tables = [
        "lenders",
        "parties",
        "loans",
        "loan_parties",
        "contact_points",
        "consents",
        "instalments",
        "tape_history",
        "suspense",
    ]
    found: dict[str, list[tuple[str, ...]]] = {}
    for table in tables:
        rows = await pool.fetch(f"select to_jsonb(t) - 'replaced_at' - 'posted_at' as row from {table} t")
        found[table] = sorted((str(r["row"]),) for r in rows)
    rows = await pool.fetch("select entry_id, loan_id, kind, amount, value_date, reverses, status from entries")
    found["entries"] = sorted(tuple(map(str, r)) for r in rows)
    return found
