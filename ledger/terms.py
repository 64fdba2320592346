"""By which terms a loan is read: its lender's policy, and what it has of its own."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple
from zoneinfo import available_timezones

from domain.book import Disputed
from domain.errors import BadInput
from domain.interest import DayCount, Interest
from domain.loan import Component, LoanKey
from domain.money import minor_unit
from domain.position import Terms
from domain.waterfall import Waterfall, read_waterfall
from ledger.locks import lock_loan
from ledger.named import queries
from ledger.tracing import traceparent

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


class Chosen(NamedTuple):
    """Terms that somebody chooses; None leaves one as it is. Only the first four may be a loan's own.

    `tolerance`, `materiality` and `balance_tolerance` are amounts in each loan's currency; `timezone` decides the business date.
    """

    waterfall: str | None = None
    day_count: DayCount | None = None
    daily_interest: bool | None = None
    penalty_interest: bool | None = None
    tolerance: Decimal | None = None
    materiality: Decimal | None = None
    balance_tolerance: Decimal | None = None
    timezone: str | None = None

    def given(self) -> dict[str, Any]:
        """Those that are chosen, by name."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            BadInput: the waterfall or the zone is unknown, or an amount is below zero.
        """
        if self.waterfall is not None:
            waterfall_named(self.waterfall)
        if self.timezone is not None and self.timezone not in available_timezones():
            raise BadInput(f"timezone {self.timezone!r} is not known: use a name such as Europe/Rome.")
        for name in ("tolerance", "materiality", "balance_tolerance"):
            amount = getattr(self, name)
            if amount is not None and not (amount.is_finite() and amount >= 0):
                raise BadInput(f"{name} {amount} is no amount of money: use 0 or more.")


LOANS_OWN = Chosen._fields[:4]


async def choose(
    conn: Any, chosen: Chosen, lender_id: str, loan_id: str | None = None, *, by: str, why: str, now: datetime
) -> None:
    """Change the policy of a lender, or of one loan, with who and why; open cases whose days past due may change are told.

    Raises:
        BadInput: the lender or the loan is unknown, or what is chosen cannot be, or not for one loan.
    """
    chosen.check()
    values = chosen._asdict()
    if loan_id is None:
        before = await lender_terms(conn, lender_id)
        await TERMS.choose_for_lender(conn, lender_id=lender_id, **values)
    else:
        if others := [name for name in chosen.given() if name not in LOANS_OWN]:
            raise BadInput(f"{others[0]} is a lender's policy: leave out the loan, and name the lender by --lender.")
        await lock_loan(conn, LoanKey(lender_id, loan_id))
        before = await TERMS.own_terms_of_loan(conn, lender_id=lender_id, loan_id=loan_id)
        own = {name: values[name] for name in LOANS_OWN}
        await TERMS.choose_for_loan(conn, lender_id=lender_id, loan_id=loan_id, **own)
    changed = await note_change(conn, lender_id, loan_id, before, chosen.given(), by=by, why=why, now=now)
    if changed - {"balance_tolerance"}:
        await TERMS.tell_cases(conn, lender_id=lender_id, loan_id=loan_id, trace=traceparent())


async def lender_terms(conn: Any, lender_id: str) -> Mapping[str, Any]:
    """What a lender has chosen, kept from others until the transaction ends.

    Raises:
        BadInput: the lender is unknown.
    """
    found: Mapping[str, Any] | None = await TERMS.terms_of_lender(conn, lender_id=lender_id)
    if found is None:
        raise BadInput(f"lender {lender_id!r} is unknown: intake its loans first.")
    return found


async def note_change(
    conn: Any,
    lender_id: str,
    loan_id: str | None,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    by: str,
    why: str,
    now: datetime,
) -> set[str]:
    """Record which of these terms are no longer what they were before, by whom and why; their names."""
    changed = {name: [_plain(before[name]), _plain(new)] for name, new in after.items() if new != before[name]}
    if changed:
        this = {"lender_id": lender_id, "loan_id": loan_id}
        await TERMS.note_change(conn, **this, changed=changed, by=by, why=why, now=now)
    return set(changed)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else str(value)


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
    if instalment is not None:
        await check_instalment(conn, key, instalment)
    part = {"instalment": instalment, "component": component, "source": source, "reason": reason}
    dispute_id: int = await TERMS.dispute_part(conn, **key._asdict(), since=since, **part)
    return dispute_id


async def check_instalment(conn: Any, key: LoanKey, number: int) -> None:
    """Refuse an instalment that a loan does not have.

    Raises:
        BadInput: its schedule has none of that number.
    """
    if not await TERMS.has_instalment(conn, **key._asdict(), number=number):
        raise BadInput(f"loan {key} has no instalment {number}: `arrears case {key} --export DIR` lists those it has.")


async def end_disputes(conn: Any, key: LoanKey, until: date) -> int:
    """Note that nothing of a loan is disputed any longer from a day on, at the earliest the day after it began; how many parts were."""
    await lock_loan(conn, key)
    return len([row async for row in TERMS.end_disputes(conn, **key._asdict(), until=until)])
