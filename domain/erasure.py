"""When what is known of a person may be erased: never while somebody owes, and not before the records of the collection may go."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

HOUSE_YEARS = 5
ERASED = "erased"  # what stands in the place of words that went
FREE_TEXT = ("reason", "source", "payer")  # of an entry: whatever its sender writes
# Words of an entry and of a closing that are ours, or mean something to the ledger, and say nothing of a person.
OUR_SOURCES = ("policy", "balances", "feed", "tape", "stripe", "gocardless")
OUR_REASONS = ("misposted", "not_due", "recalled", "sold", "returned")
RETURN_CODE = "^[A-Z]{1,2}[0-9]{2}$"  # of banks, such as R01 or AC04


class Keeping(NamedTuple):
    """A rule to keep records of a collection: so many years after the last thing that happened; `country` None is everywhere."""

    rule: str
    country: str | None
    years: int
    citation: str


LAWS = (
    Keeping("erasure.KEEP_US", "US", 3, "12 CFR 1006.100(a)"),
    Keeping("erasure.KEEP_CN", "CN", 5, "Measures for Consumer Finance Companies, 2024 (secondary source)"),
)


class Held(NamedTuple):
    """One loan of a person; amounts in its currency. `last_on` is the last day on which anything happened in it."""

    loan: str
    country: str
    last_on: date
    outstanding: Decimal = Decimal(0)
    overpaid: Decimal = Decimal(0)
    open_case: bool = False
    pending: bool = False
    disputed: bool = False


class Refusal(NamedTuple):
    """Why a person's data stay: the rule, the loan, one sentence, and the day from which it no longer speaks, where one is known."""

    rule: str
    loan: str
    says: str
    until: date | None = None


def refusals(loans: Iterable[Held], today: date, house_years: int = HOUSE_YEARS) -> tuple[Refusal, ...]:
    """Every rule that keeps a person's data on a day; none means that they may go.

    Args:
        loans: All loans on which the person stands, in any role.
        today: The lender's business date.
        house_years: How long the lender itself keeps records. It never shortens what a law asks for.
    """
    return tuple(refusal for loan in loans for refusal in (*_open(loan), *_kept(loan, today, house_years)))


def _open(loan: Held) -> Iterable[Refusal]:
    if loan.outstanding > 0:
        yield Refusal("erasure.OPEN_DEBT", loan.loan, f"loan {loan.loan} is owed still")
    if loan.overpaid > 0:
        yield Refusal("erasure.OVERPAID", loan.loan, f"loan {loan.loan} is overpaid, and the money is to go back")
    if loan.open_case:
        yield Refusal("erasure.OPEN_CASE", loan.loan, f"the case of loan {loan.loan} is open")
    if loan.pending:
        yield Refusal("erasure.PENDING", loan.loan, f"money for loan {loan.loan} is on its way")
    if loan.disputed:
        yield Refusal("erasure.LEGAL_CLAIM", loan.loan, f"a dispute or a suit about loan {loan.loan} is not ended")


def _kept(loan: Held, today: date, house_years: int) -> Iterable[Refusal]:
    house = Keeping("erasure.KEEP_HOUSE", None, house_years, "the lender's own, not law")
    for law in (*LAWS, house):
        until = _years_after(loan.last_on, law.years)
        if law.country in {None, loan.country} and today < until:
            says = f"records of loan {loan.loan} are kept until {until} ({law.years} years; {law.citation})"
            yield Refusal(law.rule, loan.loan, says, until)


def _years_after(day: date, years: int) -> date:
    """The same day so many years later; of 29 February, 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
