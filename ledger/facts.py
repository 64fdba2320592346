"""Reads the facts of a case, all of them, under the loan's lock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.clock import business_date
from domain.facts import CaseFacts, Effect, Plan, PlanInstalment, Promise, Request, StepRecord, TaskFact
from domain.holds import Hold
from domain.loan import LoanKey
from domain.position import future_dates, position
from domain.strategy import Strategy
from ledger.named import queries
from ledger.posting import load_entries, load_instalments, load_terms
from ledger.strategies import strategy_from

CASES, WORK, AGREED = queries("cases"), queries("work"), queries("agreements")


@dataclass(frozen=True)
class CaseRow:
    """What the `cases` row says besides the facts of a decision."""

    workflow_id: str
    strategy: Strategy
    country: str
    borrower_id: str
    collector: str | None
    lender_zone: str
    shadow: bool
    packs: dict[str, list[str]]
    chosen_rules: frozenset[str]
    ledger_version: int


@dataclass(frozen=True)
class Snapshot:
    """A case at one moment."""

    row: CaseRow
    facts: CaseFacts


async def load_case(conn: Any, key: LoanKey, now: datetime) -> Snapshot | None:
    """The case of a loan at a business time; None where there is no case."""
    this = {"lender_id": key.lender_id, "loan_id": key.loan_id}
    row = await CASES.case_row(conn, **this)
    if row is None:
        return None
    today = business_date(now, row["lender_zone"])
    instalments, entries = await load_instalments(conn, key), await load_entries(conn, key)
    terms = await load_terms(conn, key)
    person = {"lender_id": key.lender_id, "party_id": row["borrower_id"]}
    review = await WORK.latest_review(conn, **this, chain_from=row["chain_from"])
    upcoming = future_dates(entries, today)
    facts = CaseFacts(
        key=key,
        currency=row["currency"],
        now=now,
        lender_zone=row["lender_zone"],
        contact_zone=await CASES.contact_zone(conn, **person) or row["lender_zone"],
        position=position(instalments, entries, today, terms),
        next_value_date=upcoming[0] if upcoming else None,
        open=row["open"],
        stage=row["stage"],
        episode=row["episode"],
        chain_from=row["chain_from"],
        episode_at=row["episode_at"],
        relapse=row["relapse"],
        cured_at=row["cured_at"],
        closing=row["closing"],
        rejected=review is not None and review["outcome"] == "REJECTED",
        steps=tuple([StepRecord(**dict(r)) async for r in WORK.steps(conn, **this)]),
        tasks=tuple([_task(r) async for r in WORK.open_tasks(conn, **this)]),
        effects=tuple([Effect(**dict(r)) async for r in WORK.standing_effects(conn, **this)]),
        holds=tuple([Hold(**dict(r)) async for r in AGREED.holds(conn, **this, party_id=row["borrower_id"])]),
        promises=tuple([Promise(**dict(r)) async for r in AGREED.promises(conn, **this, today=today)]),
        requests=tuple([Request(**dict(r)) async for r in WORK.open_requests(conn, **this)]),
        plans=tuple([_plan(r) async for r in AGREED.plans(conn, **this, today=today)]),
    )
    return Snapshot(_row(row), facts)


def _row(row: Any) -> CaseRow:
    return CaseRow(
        workflow_id=row["workflow_id"],
        strategy=strategy_from(
            row["strategy_content"], row["strategy_digest"], f"{row['strategy']} {row['strategy_version']}"
        ),
        country=row["country"],
        borrower_id=row["borrower_id"],
        collector=row["collector"],
        lender_zone=row["lender_zone"],
        shadow=row["mode"] == "shadow",
        packs=row["packs"],
        chosen_rules=frozenset(row["chosen_rules"]),
        ledger_version=row["loan_version"],
    )


def _task(row: Any) -> TaskFact:
    return TaskFact(**{k: row[k] for k in TaskFact.model_fields})


def _plan(row: Any) -> Plan:
    values = dict(row)
    values["instalments"] = tuple(PlanInstalment.model_validate(i) for i in values["instalments"])
    return Plan(**values)
