"""What a statement's line and a ledger's entry must have in common to be one."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.loan import EntryKind, EntryStatus
from domain.reconcile import Booked, Line, Moved, Reconciled, reconcile

DAY = date(2026, 3, 4)
NEXT = DAY + timedelta(days=1)


def line(
    *references: str, amount: str = "40.00", moved: Moved = Moved.CAME, on: date = DAY, text: str = "", **more: str
) -> Line:
    currency = more.get("currency", "EUR")
    return Line(more.get("place", "entry 1"), moved, Decimal(amount), currency, on, on, references, text)


def entry(
    entry_id: str = "E-1", amount: str = "40.00", on: date = DAY, kind: EntryKind = EntryKind.PAYMENT, **more: str
) -> Booked:
    return Booked(
        "default",
        entry_id,
        more.get("loan_id", "L-1"),
        kind,
        Decimal(amount),
        more.get("currency", "EUR"),
        on,
        reverses=more.get("reverses"),
        status=EntryStatus(more.get("status", "settled")),
        source=more.get("source"),
        of=EntryKind(more["of"]) if "of" in more else None,
    )


def held(lines: list[Line], entries: list[Booked], since: date = DAY, until: date = NEXT) -> Reconciled:
    return reconcile(lines, entries, since, until)


@pytest.mark.parametrize(
    "booked",
    [
        entry("E-1"),
        entry("other", source="E-1"),
        entry("stripe-E-1", source="stripe"),
        entry("gocardless-E-1/2", source="gocardless"),
    ],
)
def test_by_reference(booked: Booked) -> None:
    found = held([line("unknown", "E-1")], [booked])
    assert found.ok
    assert [pair.entry for pair in found.matched] == [booked]


@pytest.mark.parametrize(
    ("booked", "differs"),
    [
        (entry(amount="40.01"), ("amount",)),
        (entry(currency="CZK"), ("currency",)),
        (entry(on=NEXT), ("date",)),
        (entry(status="pending"), ("status",)),
        (entry(amount="4.00", on=NEXT), ("amount", "date")),
    ],
)
def test_the_same_reference_with_other_content(booked: Booked, differs: tuple[str, ...]) -> None:
    found = held([line("E-1")], [booked])
    assert not found.ok
    assert [pair.differs for pair in found.different] == [differs]
    assert (found.missing, found.extra) == ([], [])


def test_the_day_of_booking_is_as_good_as_the_value_date() -> None:
    both = Line("entry 1", Moved.CAME, Decimal(40), "EUR", DAY, NEXT, ("E-1",))
    assert held([both], [entry(on=NEXT)]).ok


def test_missing_and_extra() -> None:
    before, after = entry("E-0", on=DAY - timedelta(days=1)), entry("E-9", on=NEXT + timedelta(days=1))
    found = held(
        [line("E-1")], [entry("E-2"), before, after, entry("E-3", status="pending"), entry("E-4", currency="USD")]
    )
    assert [each.references for each in found.missing] == [("E-1",)]
    assert [each.entry_id for each in found.extra] == ["E-2"]


def test_a_line_twice_meets_one_entry() -> None:
    found = held([line("E-1", place="1"), line("E-1", place="2")], [entry()])
    assert [pair.line.place for pair in found.matched] == ["1"]
    assert [each.place for each in found.missing] == ["2"]


def test_what_fits_exactly_goes_first() -> None:
    lines = [line("run-7", amount="3.00", place="1"), line("run-7", amount="1.00", place="2"), line("run-7", place="3")]
    found = held(lines, [entry(source="run-7"), entry("E-2", "1.00", source="run-7")])
    assert {pair.line.place: pair.entry.entry_id for pair in found.matched} == {"2": "E-2", "3": "E-1"}
    assert [each.place for each in found.missing] == ["1"]


def test_a_returned_payment_meets_the_reversal() -> None:
    back = entry("R-1", kind=EntryKind.REVERSAL, on=NEXT, reverses="E-1")
    found = held([line("E-1"), line("E-1", moved=Moved.RETURNED, on=NEXT)], [entry(), back])
    assert [pair.entry.entry_id for pair in found.matched] == ["E-1", "R-1"]
    assert held([line("E-1", moved=Moved.RETURNED)], [entry()]).missing


def test_a_processor_names_a_reversal_without_our_prefix() -> None:
    back = entry("stripe-dp_1-withdrawn", kind=EntryKind.REVERSAL, reverses="stripe-ch_7", source="stripe")
    assert held([line("ch_7", moved=Moved.RETURNED)], [back]).ok
    assert not held([line("ch_7")], [entry("other-ch_7", source="stripe")]).ok


def test_a_debit_with_the_reference_of_a_payment_is_its_return() -> None:
    bounced = [line("E-1"), line("E-1", moved=Moved.WENT, on=NEXT, place="2")]
    found = held(bounced, [entry()])
    assert [each.place for each in found.missing] == ["2"]
    back = entry("R-1", kind=EntryKind.REVERSAL, on=NEXT, reverses="E-1")
    assert held(bounced, [entry(), back]).ok
    refund = entry("F-1", kind=EntryKind.REFUND, source="E-1", on=NEXT)
    assert held(bounced, [entry(), refund]).ok  # it is the refund's as well


def test_a_refund_that_came_back() -> None:
    refund = entry("F-1", kind=EntryKind.REFUND)
    back = entry("F-1-failed", kind=EntryKind.REVERSAL, on=NEXT, reverses="F-1", of="refund")
    for moved in (Moved.RESTORED, Moved.CAME):  # whether or not the bank marks it
        lines = [line("F-1", moved=Moved.WENT), line("F-1", moved=moved, on=NEXT)]
        assert held(lines, [refund, back]).ok
        assert len(held(lines, [refund]).missing) == 1
    assert not held([line("F-1", moved=Moved.RETURNED, on=NEXT)], [back]).ok


def test_references_are_believed_more_than_marks() -> None:
    assert held([line("E-1", moved=Moved.RESTORED)], [entry()]).ok
    assert held([line("F-1", moved=Moved.RETURNED)], [entry("F-1", kind=EntryKind.REFUND)]).ok


def test_one_line_for_several_entries() -> None:
    run = [entry("E-1", source="run-7"), entry("E-2", "20.00", source="run-7")]
    for refs in (("E-1", "E-2"), ("run-7",)):
        found = held([line(*refs, amount="60.00")], run)
        assert found.ok
        assert [(pair.entry.entry_id, pair.line.place) for pair in found.matched] == [
            ("E-1", "entry 1"),
            ("E-2", "entry 1"),
        ]
    assert held([line("run-7", amount="60.00")], [*run, entry("E-3", "7.00", source="run-7", status="returned")]).ok
    assert not held([line("run-7", amount="61.00")], run).ok


def test_an_account_without_movements_has_a_currency_too() -> None:
    lines = [line(currency="CZK", amount="1.00", moved=Moved.WENT)]
    assert held(lines, [entry()]).ok
    assert [e.entry_id for e in reconcile(lines, [entry()], DAY, NEXT, ["EUR"]).extra] == ["E-1"]


def test_a_payment_returned_before_it_was_settled() -> None:
    back = entry("E-1", kind=EntryKind.REVERSAL, reverses="E-1", status="returned")
    assert held([line("E-1", moved=Moved.RETURNED, on=NEXT)], [entry(status="returned"), back]).ok
    assert held([], [entry(status="returned"), back]).ok


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("L-1", True),
        ("loan l-1, March", True),
        ("RF18L-1", False),
        ("L-11", False),
        ("rent (L-1)", True),
        ("invoice/L-1", False),
        ("", False),
    ],
)
def test_by_the_loan_in_the_text(text: str, fits: bool) -> None:
    assert held([line(text=text)], [entry()]).ok is fits


def test_by_text_the_amount_is_the_same_and_the_days_are_near() -> None:
    assert held([line(text="L-1")], [entry(on=DAY + timedelta(days=5))], until=DAY).ok
    assert not held([line(text="L-1")], [entry(on=DAY + timedelta(days=6))], until=DAY).ok
    assert not held([line(text="L-1", amount="40.01")], [entry()]).ok
    near, far = entry("near", on=NEXT), entry("far", on=DAY + timedelta(days=3))
    found = held([line(text="L-1", place="1"), line(text="L-1", place="2")], [far, near])
    assert {pair.line.place: pair.entry.entry_id for pair in found.matched} == {"1": "near", "2": "far"}


def test_the_fees_of_the_account_are_no_difference() -> None:
    refund = entry("F-1", kind=EntryKind.REFUND)
    found = held(
        [line(moved=Moved.WENT, amount="3.50"), line("F-1", moved=Moved.WENT), line(moved=Moved.RESTORED)], [refund]
    )
    assert found.ok
    assert (len(found.matched), len(found.other)) == (1, 2)


REFERENCES = some.lists(some.sampled_from(["E-0", "E-1", "E-2", "S-1"]), max_size=2).map(tuple)
LINES = some.builds(
    Line,
    place=some.just("entry"),
    moved=some.sampled_from(Moved),
    amount=some.sampled_from([Decimal(1), Decimal(2)]),
    currency=some.sampled_from(["EUR", "USD"]),
    value_date=some.dates(DAY, NEXT),
    booked_on=some.dates(DAY, NEXT),
    references=REFERENCES,
    text=some.sampled_from(["", "L-1", "L-2 thanks"]),
)
ENTRIES = some.builds(
    Booked,
    lender_id=some.just("default"),
    entry_id=some.sampled_from(["E-0", "E-1", "E-2", "E-3"]),
    loan_id=some.sampled_from(["L-1", "L-2"]),
    kind=some.sampled_from([EntryKind.PAYMENT, EntryKind.REVERSAL, EntryKind.REFUND]),
    amount=some.sampled_from([Decimal(1), Decimal(2)]),
    currency=some.sampled_from(["EUR", "USD"]),
    value_date=some.dates(DAY, NEXT),
    reverses=some.none() | some.sampled_from(["E-0", "E-1"]),
    source=some.none() | some.just("S-1"),
)


@given(some.lists(LINES, max_size=6), some.lists(ENTRIES, max_size=6, unique_by=lambda e: e.entry_id))
def test_each_line_and_each_entry_is_told_once(lines: list[Line], entries: list[Booked]) -> None:
    lines = [replace(line, place=str(n)) for n, line in enumerate(lines)]
    found = held(lines, entries)
    pairs = found.matched + found.different
    money: Counter[str] = Counter()
    for each in (*(p.line for p in pairs), *found.missing, *found.other):
        money[each.place] += each.amount  # type: ignore[assignment]
    assert money == {line.place: line.amount for line in lines}
    told = [p.entry.entry_id for p in pairs] + [e.entry_id for e in found.extra]
    assert len(told) == len(set(told))
    silent = [e for e in entries if e.entry_id not in told]
    assert all(e.currency not in {each.currency for each in lines} for e in silent if lines)
    again = held(lines, entries[::-1])
    assert (again.matched, again.missing) == (found.matched, found.missing)
