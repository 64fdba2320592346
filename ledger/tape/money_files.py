"""The files about money: instalments and entries, like those about loans and people (files.py)."""

from domain.loan import EntryKind, EntryStatus
from ledger.tape.kind import FileKind
from ledger.tape.rules import (
    Check,
    Rule,
    days,
    fits_currency,
    ids,
    needed,
    numbers,
    one_of,
    rules,
    texts,
)

_PARTS = ("principal", "interest", "fee")
_ID = rb"[A-Za-z0-9_.:-]{1,100}+"
_DAY = rb"(?:19|20)\d\d-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_AMOUNT = rb"\d{1,12}+(?:\.\d{1,2}+)?+"
INSTALMENTS = FileKind(
    name="instalments",
    needed=("loan_id", "number", "due_on", *_PARTS),
    optional=(),
    key=("lender_id", "loan_id", "number"),
    sound={
        "lender_id": _ID,
        "loan_id": _ID,
        "number": rb"(?:0|[1-9]\d{0,8}+)",
        "due_on": _DAY,
        **dict.fromkeys(_PARTS, _AMOUNT),
    },
    checks=(
        Check(
            "select * from staged_instalments",
            rules(
                needed("loan_id", "number", "due_on", *_PARTS),
                ids("lender_id", "loan_id"),
                Rule(
                    "number",
                    r"number !~ '^(0|[1-9]\d{0,8})$'",
                    "number '{number}' is not a whole number: count instalments 1, 2, 3.",
                ),
                days("due_on"),
                numbers(*_PARTS),
            ),
        ),
        Check(
            """
            select s.*, l.currency, l.begun_on, c.decimals from staged_instalments s
            left join loans l using (lender_id, loan_id)
            left join known_codes c on c.kind = 'currency' and c.code = l.currency
            """,
            rules(
                Rule("loan_id", "currency is null", "loan {loan_id} is unknown: put it into the loans file."),
                fits_currency(_PARTS, "currency"),
                Rule(
                    "due_on",
                    "begun_on is not null and due_on::date <= begun_on and principal::numeric + interest::numeric + fee::numeric > 0",
                    "due_on {due_on} is not after {begun_on}: the instalment is already in the opening balance of that day, leave it out.",
                ),
            ),
        ),
    ),
)

ENTRIES = FileKind(
    name="entries",
    needed=("entry_id", "loan_id", "kind", "amount", "currency", "value_date"),
    optional=("reverses", "status", "component", "instalment", "direction", "reason", "source", "payer"),
    key=("lender_id", "entry_id"),
    usual=(("status", "settled"),),
    checks=(
        Check(
            "select s.*, c.decimals from staged_entries s left join known_codes c on c.kind = 'currency' and c.code = s.currency",
            rules(
                needed("entry_id", "loan_id", "kind", "amount", "currency", "value_date"),
                ids("lender_id", "entry_id", "loan_id", "reverses"),
                texts("component", "direction", "reason", "source", "payer"),
                one_of("kind", EntryKind),
                Rule(
                    "currency",
                    "decimals is null",
                    "currency '{currency}' is not an ISO 4217 code: use one such as EUR or CNY.",
                ),
                numbers("amount", signed="kind = 'adjustment'"),
                Rule(
                    "amount", "amount::numeric = 0", "amount is zero: leave the row out, or give the amount that moved."
                ),
                fits_currency(["amount"], "currency"),
                days("value_date"),
                one_of("status", EntryStatus),
                Rule(
                    "instalment",
                    r"instalment !~ '^(0|[1-9]\d{0,8})$'",
                    "instalment '{instalment}' is not a whole number: write its number.",
                ),
                Rule(
                    "reverses",
                    "kind = 'reversal' and reverses is null",
                    "reverses is missing: a reversal names the entry that it takes back.",
                ),
                Rule(
                    "reverses",
                    "kind <> 'reversal' and reverses is not null",
                    "reverses is for reversals alone: leave it empty.",
                ),
            ),
        ),
    ),
)
