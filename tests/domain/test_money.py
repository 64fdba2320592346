"""Currencies by ISO 4217, and amounts as people write them."""

from decimal import Decimal

import pytest
from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision, list_currencies

from domain.errors import BadInput
from domain.money import currencies, minor_unit, parse_amount, plain, spoken

D = Decimal


@pytest.mark.parametrize(
    ("currency", "unit"),
    [("EUR", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("CLF", "0.0001")]
    # What CLDR gives no decimals, for want of coins.
    + [(code, "0.01") for code in ("RSD", "ALL", "MMK", "LBP", "SYP", "YER", "IRR", "LAK", "KPW", "SOS", "AFN", "MGA")]
    + [("IQD", "0.001")],
)
def test_the_smallest_amount_is_that_of_iso_4217(currency: str, unit: str) -> None:
    assert minor_unit(currency) == D(unit)
    assert parse_amount(unit, currency) == D(unit)
    with pytest.raises(BadInput, match=f"more decimals than {currency} allows: round it to {unit}"):
        parse_amount(str(D(unit) / 10), currency)


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XDR", "DEM", "HRK", "ZWL", "eur", ""])
def test_what_nobody_can_owe_is_no_currency(code: str) -> None:
    assert code not in currencies()
    with pytest.raises(BadInput, match="is not an ISO 4217 code"):
        parse_amount("1", code)


def test_every_country_s_money_is_among_them() -> None:
    spent = {
        code
        for money in get_global("territory_currencies").values()
        for code, _, end, tender in money
        if tender and not end
    }
    assert spent - currencies() <= {"BGN"}  # the euro's since 2026, which not every release of CLDR knows
    assert currencies() <= set(list_currencies())


@pytest.mark.parametrize("language", ["en", "de", "zh", "hi", "es", "it-IT"])
def test_people_read_every_decimal_that_is_owed(language: str) -> None:
    assert spoken(D("1234.56"), "EUR", language) == format_currency(D("1234.56"), "EUR", locale=language[:2])
    same = [code for code in sorted(currencies()) if D(1).scaleb(-get_currency_precision(code)) == minor_unit(code)]
    assert len(same) > 120
    for code in same:
        assert spoken(D(1234), code, language) == format_currency(D(1234), code, locale=language[:2])
    assert "35" in spoken(D("35.50"), "RSD", language)
    assert "50" in spoken(D("35.50"), "RSD", language)


def test_plain_has_the_currency_s_own_decimals() -> None:
    assert [plain(D(35), code) for code in ("EUR", "JPY", "IQD")] == ["35.00", "35", "35.000"]
