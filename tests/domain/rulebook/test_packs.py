"""Which rulebooks govern: by place, law, purpose and role; the strategy adds, the lender's settings step in."""

from typing import Any

import pytest

from domain.rulebook import Governed, packs_for
from tests.domain.gate.asking import shipped

HOUSE_FOR_ALL = {"*": ["house"]}


def names(settings: Any = HOUSE_FOR_ALL, added: tuple[str, ...] = (), **governed: Any) -> list[str]:
    return [book.name for book in packs_for(Governed(**governed), shipped(), settings, added)]


@pytest.mark.parametrize(
    ("governed", "packs"),
    [
        ({"country": "US", "creditor_role": "agency"}, ["us-reg-f", "us-tcpa"]),
        ({"country": "US", "creditor_role": "buyer"}, ["us-reg-f", "us-tcpa"]),
        ({"country": "US", "creditor_role": "servicer"}, ["us-reg-f", "us-tcpa"]),
        ({"country": "US", "creditor_role": "original"}, ["us-tcpa"]),
        ({"country": "US", "creditor_role": "agency", "purpose": "business"}, ["us-tcpa"]),
        ({"country": "GB"}, ["uk"]),
        ({"country": "IN", "purpose": "business"}, ["in-rbi"]),
        ({"country": "CN"}, ["cn-cba-2026", "cn-gbt-45251"]),
        ({"country": "CN", "purpose": "business"}, ["cn-cba-2026"]),
        ({"country": "IT"}, ["house"]),
        ({"country": "IT", "governing_law": "US-NY", "creditor_role": "agency"}, ["us-reg-f", "us-tcpa"]),
        ({"country": "GB", "governing_law": "IN"}, ["in-rbi", "uk"]),
    ],
)
def test_packs_come_from_place_law_purpose_and_role(governed: dict[str, Any], packs: list[str]) -> None:
    assert sorted(names(**governed)) == packs


def test_a_strategy_adds_and_never_twice() -> None:
    assert names(country="GB", added=("house", "uk")) == ["uk", "house"]


def test_a_lenders_settings_are_by_country_and_for_all_others() -> None:
    settings = {"IT": ["house", "uk"], "*": ["house"]}
    assert names(settings, country="IT") == ["house", "uk"]
    assert names(settings, country="FR") == ["house"]


def test_without_settings_nothing_governs_though_a_strategy_adds() -> None:
    assert names({}, country="FR", added=("house",)) == []


def test_chosen_rules_are_in_force() -> None:
    governed, chosen = Governed(country="GB"), frozenset({"uk.HOURS_20"})
    usual, more = (packs_for(governed, shipped(), {}, (), which)[0] for which in (frozenset[str](), chosen))
    assert {r.id for r in more.rules} - {r.id for r in usual.rules} == chosen
