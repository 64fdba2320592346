"""What every kind of statement comes to, and how its values are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.errors import BadInput
from domain.money import parse_amount
from domain.reconcile import Line
from ledger.new_entry import CONTROLS, NUMBER


@dataclass(frozen=True)
class Statement:
    """The booked movements of a file, the days that it covers, and the currencies of its accounts; none where it does not say."""

    lines: tuple[Line, ...]
    since: date | None
    until: date | None
    currencies: frozenset[str] = frozenset()


def covering(lines: list[Line], days: Iterable[date], currencies: Iterable[str] = ()) -> Statement:
    """A statement that covers all between these days."""
    covered = list(days)
    return Statement(tuple(lines), min(covered, default=None), max(covered, default=None), frozenset(currencies))


def amount_of(text: str | None, currency: str, where: str) -> Decimal | None:
    """An amount, positive or negative; None for nothing: some put notes between the movements, as movements of zero.

    Raises:
        BadInput: it is no amount of that currency.
    """
    given = (text or "").strip()
    if not NUMBER.fullmatch(given):
        raise BadInput(f"{where}: amount {given[:40]!r} is not a number: write it as 12.50.")
    if Decimal(given) == 0:
        return None
    try:
        return parse_amount(given, currency, signed=True)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def reference_of(text: str, where: str) -> str:
    """An id that the statement gives.

    Raises:
        BadInput: it holds a control character.
    """
    if CONTROLS.search(text):
        raise BadInput(f"{where}: reference {text[:40]!r} holds a control character: remove it.")
    return text


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
