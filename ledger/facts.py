"""Reads the facts of a case, all of them, under the loan's lock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from domain.clock import business_date
from domain.facts import CaseFacts, Effect, Plan, Promise, Request, StepRecord, TaskFact
from domain.holds import Hold
from domain.loan import Entry, EntryKind, EntryStatus, Frozen, LoanKey
from domain.position import future_dates
from domain.rulebook import Governed
from domain.strategy import Strategy
from ledger.money import money_from
from ledger.named import queries
from ledger.strategies import pinned

FACTS = queries("facts")
Fact = TypeVar("Fact", bound=Frozen)
PERSON = (  # the columns of a row of `people`
    "role",
    "liable",
    "may_discuss",
    "since",
    "until",
    "party_id",
    "name",
    "language",
    "mobile",
    "landline",
    "address",
)


@dataclass(frozen=True)
class CaseRow:
    """What the `cases` row says besides the facts of a decision, and the loan's people: the borrower, and others by their id."""

    workflow_id: str
    strategy: Strategy
    governed: Governed
    borrower_id: str
    collector: str | None
    lender_zone: str
    shadow: bool
    packs: dict[str, list[str]]
    chosen_rules: frozenset[str]
    ledger_version: int
    people: tuple[dict[str, Any], ...]

    @property
    def country(self) -> str:
        """Where the borrower lives."""
        return self.governed.country


@dataclass(frozen=True)
class Snapshot:
    """A case at one moment."""

    row: CaseRow
    facts: CaseFacts


async def load_case(conn: Any, key: LoanKey, now: datetime) -> Snapshot | None:
    """The case of a loan at a business time; None where there is no case."""
    row = await FACTS.facts_of_case(conn, lender_id=key.lender_id, loan_id=key.loan_id, now=now)
    if row is None:
        return None
    strategy = await pinned(conn, row["strategy"], row["strategy_version"], row["strategy_digest"])
    facts = _facts(row, key, now)
    return Snapshot(_row(row, strategy, facts.position.as_of), facts)


def _facts(row: Any, key: LoanKey, now: datetime) -> CaseFacts:
    today = business_date(now, row["lender_zone"])
    money = money_from(row)
    upcoming = future_dates(money.entries, today)
    return CaseFacts(
        key=key,
        currency=row["currency"],
        now=now,
        lender_zone=row["lender_zone"],
        contact_zone=row["contact_zone"] or row["lender_zone"],
        position=money.stands(today),
        next_value_date=upcoming[0] if upcoming else None,
        open=row["open"],
        stage=row["stage"],
        episode=row["episode"],
        chain_from=row["chain_from"],
        episode_at=row["episode_at"],
        relapse=row["relapse"],
        cured_at=row["cured_at"],
        closing=row["closing"],
        rejected=row["review"] == "REJECTED",
        steps=_all(StepRecord, row["steps"]),
        tasks=_all(TaskFact, row["tasks"]),
        effects=_all(Effect, row["effects"]),
        holds=_all(Hold, row["holds"]),
        promises=_all(Promise, _with_paid(row["promises"], money.entries, today)),
        plans=_all(Plan, _with_paid(row["plans"], money.entries, today)),
        requests=_all(Request, row["requests"]),
    )


def _row(row: Any, strategy: Strategy, today: date) -> CaseRow:
    return CaseRow(
        workflow_id=row["workflow_id"],
        strategy=strategy,
        governed=Governed(
            country=row["country"],
            governing_law=row["governing_law"],
            purpose=row["purpose"],
            creditor_role=row["creditor_role"],
        ),
        borrower_id=row["borrower_id"],
        collector=row["collector"],
        lender_zone=row["lender_zone"],
        shadow=row["mode"] == "shadow",
        packs=row["packs"],
        chosen_rules=frozenset(row["chosen_rules"]),
        ledger_version=row["ledger_version"],
        people=_people(row, today),
    )


def _people(row: Any, today: date) -> tuple[dict[str, Any], ...]:
    """Whoever belongs to the loan on a day, with what a contact says to all of them."""
    told = {"lender_name": row["lender_name"], "currency": row["currency"]}
    people = [dict(zip(PERSON, found, strict=True)) | told for found in row["people"]]
    return tuple(p for p in people if (p["since"] or date.min) <= today and (p["until"] is None or today < p["until"]))


def _all(kind: type[Fact], rows: Iterable[Sequence[Any]]) -> tuple[Fact, ...]:
    """Rows as facts; a row within a row comes without the names of its columns, and they stand as the fields do."""
    return tuple(kind(**dict(zip(kind.model_fields, row, strict=True))) for row in rows)


def _with_paid(agreed: Iterable[Sequence[Any]], entries: list[Entry], today: date) -> list[Sequence[Any]]:
    """Promises or plans with what was settled by today of the entries since each was captured, in place of that version."""
    return [(*rest, _paid_since(version, entries, today)) for version, *rest in agreed]


def _paid_since(version: int, entries: list[Entry], today: date) -> Decimal:
    signs = {EntryKind.PAYMENT: 1, EntryKind.REVERSAL: -1}
    counted = (
        signs[e.kind] * e.amount
        for e in entries
        if e.version > version and e.kind in signs and e.status is EntryStatus.SETTLED and e.value_date <= today
    )
    return sum(counted, Decimal(0))
