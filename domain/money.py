"""Amounts of money: Decimal, never float, always beside a currency."""

from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel.core import Locale
from babel.numbers import format_currency, get_currency_precision, list_currencies

from domain.errors import BadInput

ZERO = Decimal(0)
LARGEST = Decimal("999999999999.99")


@lru_cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes that amounts may be in."""
    return frozenset(list_currencies())


@lru_cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for EUR, 1 for JPY (ISO 4217)."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def parse_amount(text: str | int | Decimal, currency: str, *, field: str = "amount", signed: bool = False) -> Decimal:
    """Read an amount exactly as written.

    Raises:
        BadInput: it is no decimal number, has more decimals than the currency, is zero, or is negative where it must not be.
    """
    if currency not in currencies():
        raise BadInput(f"currency {currency!r} is not an ISO 4217 code: use one such as EUR or CNY.")
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        raise BadInput(f"{field} {text!r} is not a number: write it as 12.50.") from None
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise BadInput(f"{field} {text!r} is out of range: write an amount up to {LARGEST}.")
    if amount == 0:
        raise BadInput(f"{field} is zero: leave the row out, or give the amount that moved.")
    if amount < 0 and not signed:
        raise BadInput(f"{field} {text} is negative: give a positive amount and let the kind say the direction.")
    if amount != amount.quantize(minor_unit(currency)):
        raise BadInput(f"{field} {text} has more decimals than {currency} allows: round it to {minor_unit(currency)}.")
    return amount


def plain(amount: Decimal, currency: str) -> str:
    """An amount as JSON carries it: a string with the currency's own number of decimals, such as "35.00"."""
    return str(amount.quantize(minor_unit(currency)))


def spoken(amount: Decimal, currency: str, language: str) -> str:
    """An amount as people of that language write it, such as "€35.00" or "35,00 €"."""
    locale = Locale.parse(language.replace("-", "_").split("_")[0])
    return str(format_currency(amount, currency, locale=locale))
