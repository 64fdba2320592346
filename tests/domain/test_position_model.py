"""Positions beside a slow, obvious model, in every waterfall."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.book import Disputed, Terms
from domain.interest import DayCount, Interest
from domain.loan import COMPONENTS, Entry, EntryKind, EntryStatus, Instalment
from domain.position import Position, position
from domain.waterfall import Waterfall
from ledger.terms import waterfalls
from tests.domain.days import few
from tests.domain.money_model import IN, Model

START = date(2026, 1, 20)
ZERO = Decimal(0)
days = few(START, 200)
amounts = (st.integers(1, 400) | st.just(50)).map(lambda cents: Decimal(cents) / 100)  # 0.50 is the tolerance below
perhaps_nothing = st.integers(0, 90).map(lambda cents: Decimal(cents) / 100)
numbers = st.none() | st.integers(1, 5)
components = st.none() | st.sampled_from(COMPONENTS)
KINDS = [k for k in EntryKind if k is not EntryKind.REVERSAL]
MOSTLY = [*KINDS, *[EntryKind.PAYMENT] * 8]


@st.composite
def schedules(draw: st.DrawFn) -> list[Instalment]:
    rows = draw(st.lists(st.tuples(days, amounts, perhaps_nothing, perhaps_nothing), max_size=4))
    interest = draw(st.booleans())  # a tape without any lets interest be worked out here
    return [Instalment(n, d, p, i if interest else ZERO, f) for n, (d, p, i, f) in enumerate(rows, 1)]


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    found: list[Entry] = []
    for n in range(draw(st.integers(0, 9))):
        kind = draw(st.sampled_from(MOSTLY))
        amount = draw(amounts)
        if kind is EntryKind.ADJUSTMENT and draw(st.booleans()):
            amount = -amount
        entry = Entry(
            f"E-{n}",
            kind,
            amount,
            draw(days),
            status=draw(st.sampled_from([EntryStatus.SETTLED] * 6 + [EntryStatus.PENDING, EntryStatus.RETURNED])),
            reason="not_due" if kind is EntryKind.OPENING_BALANCE and draw(st.booleans()) else None,
            component=draw(components),
            instalment=draw(numbers),
            direction=draw(st.sampled_from([None, None, None, "to_come", "disputed"])) if kind in IN else None,
        )
        found.append(entry)
        if draw(st.integers(0, 3)) == 0:
            part = draw(st.integers(1, abs(int(amount * 100)))).__truediv__(100)
            found.append(Entry(f"R-{n}", EntryKind.REVERSAL, round(Decimal(part), 2), draw(days), reverses=f"E-{n}"))
    return found


rates = st.none() | st.sampled_from([Decimal("0.18"), Decimal("3.65"), Decimal("0.5"), ZERO])
interests = st.none() | st.builds(
    Interest,
    since=days | st.just(START) | st.just(START + timedelta(days=100)),  # before some dates and after others
    annual_rate=rates,
    penalty_rate=rates,
    day_count=st.sampled_from(DayCount),
)


@st.composite
def disputes(draw: st.DrawFn) -> tuple[Disputed, ...]:
    found = []
    for _ in range(draw(st.integers(0, 2))):
        since, until = sorted([draw(days), draw(days)])
        until = max(until, since + timedelta(days=1))
        part = draw(st.tuples(numbers, components).filter(any))
        found.append(Disputed(since, draw(st.sampled_from([None, until])), *part))
    return tuple(found)


def terms_with(waterfall: Waterfall) -> st.SearchStrategy[Terms]:
    return st.builds(
        Terms,
        tolerance=st.sampled_from([ZERO, Decimal("0.50")]),
        materiality=st.sampled_from([ZERO, Decimal("1.00")]),
        waterfall=st.just(waterfall),
        interest=interests,
        disputed=disputes(),
    )


def in_cents(stands: Position) -> dict[str, object]:
    def plain(value: object) -> object:
        if isinstance(value, Decimal):
            assert value == round(value, 2)
            return int(value * 100)
        return tuple(plain(v) for v in value) if isinstance(value, tuple) else value

    return {name: plain(getattr(stands, name)) for name in Position.__dataclass_fields__ if name != "as_of"}


@pytest.mark.parametrize("name", sorted(waterfalls()))
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_it_says_what_the_model_says(name: str, data: st.DataObject) -> None:
    schedule, entries, as_of = data.draw(schedules()), data.draw(histories()), data.draw(days)
    terms = data.draw(terms_with(waterfalls()[name]))
    assert in_cents(position(schedule, entries, as_of, terms)) == Model(schedule, entries, as_of, terms).says()


@settings(max_examples=60, deadline=None)
@given(schedules(), histories(), st.data(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    schedule: list[Instalment], entries: list[Entry], data: st.DataObject, chance: object
) -> None:
    terms = data.draw(terms_with(data.draw(st.sampled_from(list(waterfalls().values())))))
    as_of = data.draw(days)
    expected = position(schedule, entries, as_of, terms)
    chance.shuffle(entries)  # type: ignore[attr-defined]
    assert position(schedule, entries, as_of, terms) == expected


@settings(max_examples=100, deadline=None)
@given(schedules(), histories(), st.data())
def test_it_adds_up(schedule: list[Instalment], entries: list[Entry], data: st.DataObject) -> None:
    terms = data.draw(terms_with(data.draw(st.sampled_from(list(waterfalls().values())))))
    stands = position(schedule, entries, data.draw(days), terms)
    assert sum(stands.arrears_by) == stands.arrears
    assert sum(stands.paid_by) <= stands.paid
    assert stands.paid - sum(stands.paid_by) <= stands.overpaid + stands.held_back
    assert min(stands.arrears_by) >= 0
    assert stands.held_back == 0 or terms.disputed


@settings(max_examples=60, deadline=None)
@given(schedules(), histories(), st.data())
def test_every_waterfall_clears_all_that_is_owed(
    schedule: list[Instalment], entries: list[Entry], data: st.DataObject
) -> None:
    terms = data.draw(terms_with(data.draw(st.sampled_from(list(waterfalls().values())))))
    as_of = data.draw(days)
    owed = position(schedule, entries, as_of, terms)
    if owed.outstanding > owed.held_back:
        last = Entry("Z", EntryKind.PAYMENT, owed.outstanding - owed.held_back, as_of, direction="disputed")
        done = position(schedule, [*entries, last], as_of, terms)
        assert (done.outstanding, done.arrears, done.held_back) == (ZERO, ZERO, ZERO)
        assert done.cured
