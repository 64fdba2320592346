"""What every kind of statement comes to, and how its values are read."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.errors import BadInput
from domain.money import parse_amount
from domain.reconcile import Line


@dataclass(frozen=True)
class Statement:
    """The booked movements of a file, and the days that it covers; none where it is empty and does not say."""

    lines: tuple[Line, ...]
    since: date | None
    until: date | None


def covering(lines: list[Line], *days: date) -> Statement:
    """A statement that covers its movements, and the days that it names itself."""
    covered = [*days, *(line.value_date for line in lines)]
    return Statement(tuple(lines), min(covered, default=None), max(covered, default=None))


def amount_of(text: str | None, currency: str, where: str) -> Decimal:
    """An amount, positive or negative.

    Raises:
        BadInput: it is no amount of that currency.
    """
    try:
        return parse_amount((text or "").strip(), currency, signed=True)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def day_of(text: str | None, where: str) -> date:
    """The day of a date, or of a time: the bank's own day, whatever the zone.

    Raises:
        BadInput: it is no date.
    """
    given = (text or "").strip()
    try:
        if len(given) == 10 or given[10:11] in {"T", "Z", "+", "-"}:
            return date.fromisoformat(given[:10])
    except ValueError:
        pass
    raise BadInput(f"{where}: date {given[:40]!r} is no date: write it as 2026-01-31.")
