"""By which terms a loan is read: its lender's policy, and what it has of its own."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from domain.book import Disputed
from domain.errors import BadInput
from domain.interest import DayCount, Interest
from domain.loan import Component, LoanKey
from domain.money import minor_unit
from domain.position import Terms
from domain.waterfall import Waterfall, read_waterfall
from ledger.locks import lock_loan
from ledger.named import queries

TERMS = queries("terms")


@lru_cache
def waterfalls() -> dict[str, Waterfall]:
    """The waterfalls that come with the package, by name."""
    folder = files("policies") / "waterfalls"
    read = [read_waterfall(f.read_text("utf-8"), f.name) for f in sorted(folder.iterdir(), key=lambda f: f.name)]
    return {waterfall.name: waterfall for waterfall in read}


def waterfall_named(name: str) -> Waterfall:
    """A waterfall.

    Raises:
        BadInput: there is none of that name.
    """
    if (found := waterfalls().get(name)) is None:
        raise BadInput(f"waterfall {name!r} is not known: use one of {', '.join(waterfalls())}.")
    return found


def terms_from(row: Mapping[str, Any]) -> Terms:
    """The terms in a row that has the columns of the view `loan_terms`."""
    rates = row["annual_rate"], row["penalty_rate"]
    interest = Interest(row["opened_on"], *rates, DayCount(row["day_count"]), minor_unit(row["currency"]))
    return Terms(
        tolerance=row["tolerance"],
        materiality=row["materiality"],
        waterfall=waterfall_named(row["waterfall"]),
        interest=None if rates == (None, None) else interest,
        disputed=tuple(_disputed(*d) for d in row["disputed"] or ()),
    )


def _disputed(since: str, until: str | None, instalment: int | None, component: Component | None) -> Disputed:
    return Disputed(date.fromisoformat(since), date.fromisoformat(until) if until else None, instalment, component)


async def terms_of_loans(conn: Any, lender_ids: Sequence[str], loan_ids: Sequence[str]) -> dict[LoanKey, Terms]:
    """The terms of many loans at once, each named by its place in both lists."""
    rows = TERMS.terms_of_loans(conn, lender_ids=lender_ids, loan_ids=loan_ids)
    return {LoanKey(r["lender_id"], r["loan_id"]): terms_from(r) async for r in rows}


async def choose(
    conn: Any,
    lender_id: str,
    loan_id: str | None = None,
    *,
    waterfall: str | None = None,
    day_count: DayCount | None = None,
    daily_interest: bool | None = None,
    penalty_interest: bool | None = None,
) -> None:
    """Change the policy of a lender, or of one loan; what is None stays as it is.

    Raises:
        BadInput: the waterfall, the lender or the loan is unknown.
    """
    if waterfall is not None:
        waterfall_named(waterfall)
    chosen = {
        "waterfall": waterfall,
        "day_count": day_count,
        "daily_interest": daily_interest,
        "penalty_interest": penalty_interest,
    }
    if loan_id is not None:
        await lock_loan(conn, LoanKey(lender_id, loan_id))
        await TERMS.choose_for_loan(conn, lender_id=lender_id, loan_id=loan_id, **chosen)
    elif await TERMS.choose_for_lender(conn, lender_id=lender_id, **chosen) is None:
        raise BadInput(f"lender {lender_id!r} is unknown: intake its loans first.")


async def dispute_part(
    conn: Any,
    key: LoanKey,
    since: date,
    *,
    instalment: int | None,
    component: Component | None,
    source: str,
    reason: str,
) -> int:
    """Note that a part of a loan is disputed from a day on, by whose word and why; returns the dispute's id.

    Raises:
        BadInput: the loan is unknown, no part is named, or the loan has no such instalment.
    """
    if instalment is None and component is None:
        raise BadInput("a disputed part is missing: name its instalment, its component, or both.")
    await lock_loan(conn, key)
    if instalment is not None and not await TERMS.has_instalment(conn, **key._asdict(), number=instalment):
        raise BadInput(
            f"loan {key} has no instalment {instalment}: `arrears case {key} --export DIR` lists those it has."
        )
    part = {"instalment": instalment, "component": component, "source": source, "reason": reason}
    dispute_id: int = await TERMS.dispute_part(conn, **key._asdict(), since=since, **part)
    return dispute_id


async def end_disputes(conn: Any, key: LoanKey, until: date) -> int:
    """Note that nothing of a loan is disputed any longer from a day on, at the earliest the day after it began; how many parts were."""
    await lock_loan(conn, key)
    return len([row async for row in TERMS.end_disputes(conn, **key._asdict(), until=until)])
