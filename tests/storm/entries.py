"""Holds the entries of a ledger against the file that they were sent from, field by field."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.storm.crippled import AGAIN
from tests.storm.portfolio import Portfolio, Row, read

# What a sender may leave out, and what it then means.
MEANT = {"lender_id": "default", "status": "settled"}
FIELDS = (
    *("entry_id", "loan_id", "kind", "amount", "currency", "value_date", "reverses", "lender_id"),
    *("status", "component", "instalment", "direction", "reason", "source", "payer"),
)


@dataclass(frozen=True)
class Kept:
    """What was found of entries: those of loans, and those that wait for one."""

    ledger: Sequence[Mapping[str, Any]]
    suspense: Sequence[Mapping[str, Any]]


async def kept(conn: Any) -> Kept:
    """All entries there are."""
    ledger = [dict(row) for row in await conn.fetch(f"select {', '.join(FIELDS)} from entries")]
    suspense = [
        _waiting(row)
        for row in await conn.fetch("select *, coalesce(status, entry ->> 'status') as stands from suspense")
    ]
    return Kept(ledger, suspense)


def _waiting(row: Any) -> dict[str, Any]:
    key = {name: row[name] for name in ("lender_id", "entry_id", "loan_id")}
    altered = {} if key.items() <= row["entry"].items() else {"reason": "its key is another"}
    return {**row["entry"], **key, "status": row["stands"], **altered}


def wrong(found: Kept, portfolio: Portfolio, acknowledged: Iterable[str]) -> dict[str, list[str]]:
    """Every entry that is lost, there twice, or otherwise than it was sent."""
    sent = read(portfolio.entries)
    loans = {row["loan_id"] for row in read(portfolio.loans)}
    return {
        "lost": _lost(found, acknowledged),
        "doubles": _doubles(found),
        "strangers": [
            *_strangers(found.ledger, [row for row in sent if row["loan_id"] in loans], "the ledger"),
            *_strangers(found.suspense, [row for row in sent if row["loan_id"] not in loans], "suspense"),
        ],
    }


def _lost(found: Kept, acknowledged: Iterable[str]) -> list[str]:
    there = {row["entry_id"] for row in [*found.ledger, *found.suspense]}
    return [f"{entry} was acknowledged, and is nowhere" for entry in sorted(set(acknowledged) - there)]


def _doubles(found: Kept) -> list[str]:
    """There more than once, in the ledger or in suspense or in both."""
    times = Counter(row["entry_id"].partition(AGAIN)[0] for row in [*found.ledger, *found.suspense])
    return [f"{entry} is there {n} times" for entry, n in times.items() if n > 1]


def _strangers(rows: Iterable[Mapping[str, Any]], sent: Iterable[Row], place: str) -> list[str]:
    """Nobody sent them, or not so, or for a loan whose money belongs elsewhere."""
    right = {_plain(row) for row in sent}
    return [f"{row['entry_id']} is in {place}, and was not sent so" for row in rows if _plain(row) not in right]


def _plain(row: Mapping[str, Any]) -> tuple[object, ...]:
    values = {**MEANT, **{name: value for name, value in row.items() if value is not None}}
    values["amount"] = Decimal(values["amount"])
    values["value_date"] = str(values["value_date"])
    return tuple(values.get(name) for name in FIELDS)
