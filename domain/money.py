"""Amounts of money: Decimal, never float, always beside a currency."""

from copy import copy
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel.core import Locale

from domain.currencies import DECIMALS
from domain.errors import BadInput

ZERO = Decimal(0)
LARGEST = Decimal("999999999999.99")


@lru_cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes that amounts may be in: those of money that is in use."""
    return frozenset(DECIMALS)


@lru_cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for EUR and RSD, 1 for JPY, 0.001 for KWD (ISO 4217); 0.01 for one that was withdrawn."""
    return Decimal(1).scaleb(-DECIMALS.get(currency, 2))


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
    """An amount as people of that language write it, such as "€35.00" or "35,00 €"; to the last decimal that is owed."""
    locale = Locale.parse(language.replace("-", "_").split("_")[0])
    pattern = copy(locale.currency_formats["standard"])
    decimals = DECIMALS.get(currency, 2)
    pattern.frac_prec = (decimals, decimals)
    return str(pattern.apply(amount, locale, currency=currency, currency_digits=False))
