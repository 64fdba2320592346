"""What holds for every loan, however its facts look."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.loan import Entry, EntryKind, EntryStatus, Instalment
from domain.position import Position, position
from tests.domain.days import few

START = date(2026, 1, 1)
ZERO = Decimal(0)
days = few(START, 300)
amounts = st.integers(1, 100_000).map(lambda cents: Decimal(cents) / 100)
MONEY_IN = (EntryKind.PAYMENT, EntryKind.WAIVER, EntryKind.SETTLEMENT_DISCOUNT)
CHARGES = (EntryKind.INTEREST, EntryKind.LATE_FEE, EntryKind.COST)
SIMPLE = (
    *MONEY_IN,
    *CHARGES,
    EntryKind.REFUND,
    EntryKind.OPENING_BALANCE,
    EntryKind.WRITE_OFF,
    EntryKind.ACCELERATE,
    EntryKind.REINSTATE,
)


@st.composite
def schedules(draw: st.DrawFn) -> list[Instalment]:
    parts = draw(st.lists(st.tuples(days, amounts, amounts), min_size=1, max_size=6))
    return [
        Instalment(n, due_on, principal, interest, ZERO) for n, (due_on, principal, interest) in enumerate(parts, 1)
    ]


def _entry(number: int, kind: EntryKind, amount: Decimal, day: date) -> Entry:
    return Entry(f"E-{number}", kind, amount, day)


@st.composite
def histories(draw: st.DrawFn, kinds: tuple[EntryKind, ...] = SIMPLE) -> list[Entry]:
    """Entries of many kinds, some of the money in reversed wholly or in part."""
    drawn = draw(st.lists(st.tuples(st.sampled_from(kinds), amounts, days), max_size=10))
    entries = [_entry(n, kind, amount, day) for n, (kind, amount, day) in enumerate(drawn)]
    for entry in list(entries):
        if entry.kind in MONEY_IN and draw(st.booleans()):
            part = draw(st.integers(1, int(entry.amount * 100)).map(lambda cents: Decimal(cents) / 100))
            entries.append(Entry(f"R-{entry.entry_id}", EntryKind.REVERSAL, part, draw(days), reverses=entry.entry_id))
    return entries


def _payment(amount: Decimal, day: date) -> Entry:
    return Entry("LAST", EntryKind.PAYMENT, amount, day)


@given(schedules(), histories(), days, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    schedule: list[Instalment], entries: list[Entry], as_of: date, chance: object
) -> None:
    expected = position(schedule, entries, as_of)
    chance.shuffle(schedule)  # type: ignore[attr-defined]
    chance.shuffle(entries)  # type: ignore[attr-defined]
    assert position(schedule, entries, as_of) == expected


@given(schedules(), histories(), days)
def test_paying_all_that_is_owed_cures(schedule: list[Instalment], entries: list[Entry], as_of: date) -> None:
    owed = position(schedule, entries, as_of)
    if owed.outstanding == 0:
        return
    done = position(schedule, [*entries, _payment(owed.outstanding, as_of)], as_of)
    assert done.cured
    assert (done.outstanding, done.arrears, done.overpaid) == (ZERO, ZERO, owed.overpaid)


@given(schedules(), histories(), amounts, days, days)
def test_paid_and_taken_back_is_never_paid(
    schedule: list[Instalment], entries: list[Entry], amount: Decimal, paid_on: date, as_of: date
) -> None:
    there_and_back = [_payment(amount, paid_on), Entry("BACK", EntryKind.REVERSAL, amount, paid_on, reverses="LAST")]
    assert position(schedule, [*entries, *there_and_back], as_of) == position(schedule, entries, as_of)


@given(schedules(), st.lists(st.tuples(st.sampled_from(CHARGES), amounts, days), min_size=1, max_size=5), days)
def test_charges_alone_make_no_day_past_due(
    schedule: list[Instalment], charges: list[tuple[EntryKind, Decimal, date]], as_of: date
) -> None:
    early = START - timedelta(days=1)
    total = sum((i.amount for i in schedule), ZERO)
    entries = [_payment(total, early), *(_entry(n, *charge) for n, charge in enumerate(charges))]
    stands = position(schedule, entries, as_of)
    assert stands.cured
    assert stands.arrears == stands.fee_arrears == sum((amount for _, amount, day in charges if day <= as_of), ZERO)


@given(schedules(), histories(), amounts, days)
def test_a_write_off_cures_nothing(
    schedule: list[Instalment], entries: list[Entry], amount: Decimal, as_of: date
) -> None:
    before = position(schedule, entries, as_of)
    after = position(schedule, [*entries, Entry("OFF", EntryKind.WRITE_OFF, amount, as_of)], as_of)
    assert after.written_off
    assert _owed(after) == _owed(before)


@given(schedules(), histories(), days)
def test_nothing_is_ever_negative(schedule: list[Instalment], entries: list[Entry], as_of: date) -> None:
    stands = position(schedule, entries, as_of)
    for amount in (stands.arrears, stands.fee_arrears, stands.outstanding, stands.overpaid, stands.next_due_amount):
        assert amount >= 0
    assert 0 <= stands.instalments_paid <= stands.instalments_due
    assert stands.days_past_due >= 0
    assert stands.arrears <= stands.outstanding
    assert stands.fee_arrears <= stands.arrears


@given(schedules(), histories(), days)
def test_overpaid_begins_where_nothing_is_owed(schedule: list[Instalment], entries: list[Entry], as_of: date) -> None:
    stands = position(schedule, entries, as_of)
    assert stands.overpaid == 0 or stands.outstanding == 0


@given(schedules(), histories(), days, amounts)
def test_money_that_is_not_settled_moves_nothing(
    schedule: list[Instalment], entries: list[Entry], as_of: date, amount: Decimal
) -> None:
    pending = _payment(amount, as_of)._replace(status=EntryStatus.PENDING)
    assert position(schedule, [*entries, pending], as_of) == position(schedule, entries, as_of)


@given(schedules(), histories(), days)
def test_every_unpaid_cent_due_counts_days(schedule: list[Instalment], entries: list[Entry], as_of: date) -> None:
    stands = position(schedule, entries, as_of)
    assert (stands.oldest_due_on is None) == stands.cured or stands.oldest_due_on == as_of
    assert stands.cured or stands.arrears > stands.fee_arrears


def _owed(stands: Position) -> tuple[object, ...]:
    return (stands.arrears, stands.outstanding, stands.overpaid, stands.days_past_due, stands.oldest_due_on)
