"""Waterfalls as data, and what each does with money."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import policies
from domain.book import Disputed
from domain.errors import BadInput
from domain.loan import Entry, EntryKind, Instalment
from domain.position import Position, Split, Terms, position
from domain.waterfall import DEFAULT, Waterfall, read_waterfall

FOLDER = policies.folder() / "waterfalls"
JAN, FEB, MAR = date(2026, 1, 10), date(2026, 2, 10), date(2026, 3, 10)
D = Decimal
SCHEDULE = [Instalment(n, day, D(80), D(15), D(5)) for n, day in enumerate((JAN, FEB, MAR), 1)]
FEES = [
    Entry("C-1", EntryKind.COST, D(30), JAN),
    Entry("F-1", EntryKind.LATE_FEE, D(10), FEB, instalment=1),
]


def shipped(name: str) -> Waterfall:
    return read_waterfall((FOLDER / f"{name}.toml").read_text("utf-8"), name)


def paying(amount: int, terms: Terms, on: date = FEB, **given: Any) -> Position:
    payment = Entry("P-1", EntryKind.PAYMENT, D(amount), on)._replace(**given)
    return position(SCHEDULE, [*FEES, payment], on, terms)


def split(**amounts: int) -> Split:
    return Split(**{name: D(amount) for name, amount in amounts.items()})


def test_the_default_in_code_is_the_one_in_the_policies() -> None:
    assert shipped("default") == DEFAULT


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_each_file_bears_its_name(path: Path) -> None:
    assert read_waterfall(path.read_text("utf-8"), path.name).name == path.stem


@pytest.mark.parametrize(
    ("name", "amount", "paid"),
    [
        ("default", 120, split(interest=30, principal=85, fee=5)),
        ("default", 225, split(interest=30, principal=160, fee=10, cost=25)),
        ("cn-561", 50, split(cost=30, interest=20)),
        ("cn-561", 70, split(cost=30, interest=30, principal=10)),
        ("instalment-wise", 120, split(interest=15, principal=80, fee=5, late_fee=10, cost=10)),
        ("principal-first", 120, split(interest=30, principal=85, fee=5)),
    ],
)
def test_what_is_paid_first(name: str, amount: int, paid: Split) -> None:
    assert paying(amount, Terms(waterfall=shipped(name))).paid_by == paid


def test_principal_first_begins_when_the_loan_is_impaired() -> None:
    terms = Terms(waterfall=shipped("principal-first"))
    sound, impaired = JAN + timedelta(days=90), JAN + timedelta(days=91)
    assert paying(200, terms, sound).paid_by == split(interest=30, principal=160, fee=10)
    assert paying(200, terms, impaired).paid_by == split(principal=200)
    off = Entry("W-1", EntryKind.WRITE_OFF, D(1), JAN)
    paid = position(SCHEDULE, [off, Entry("P-1", EntryKind.PAYMENT, D(100), FEB)], FEB, terms)
    assert paid.paid_by == split(principal=100)
    assert paid.recovered == 100


def test_money_for_a_named_instalment_goes_there_first() -> None:
    stands = paying(110, Terms(), instalment=2)
    assert (stands.oldest_due_on, stands.arrears_by) == (
        JAN,
        split(interest=5, principal=80, fee=5, late_fee=10, cost=30),
    )


def test_money_for_a_component_goes_there_first() -> None:
    assert paying(50, Terms(), component="cost").paid_by == split(cost=30, interest=15, principal=5)


@pytest.mark.parametrize("kind", [EntryKind.PAYMENT, EntryKind.WAIVER])
def test_charged_interest_that_is_due_comes_before_interest_to_come(kind: EntryKind) -> None:
    charged = Entry("I-1", EntryKind.INTEREST, D(20), JAN)
    given = Entry("P-1", kind, D(45), FEB, component="interest")
    stands = position(SCHEDULE, [charged, given], FEB)
    assert (stands.arrears_by, stands.next_due_amount) == (split(interest=5, principal=160, fee=10), D(100))


def test_money_for_what_is_to_come_leaves_what_is_due() -> None:
    stands = paying(100, Terms(), direction="to_come")
    assert (stands.oldest_due_on, stands.next_due_on, stands.arrears) == (JAN, None, D(240))


def test_what_is_waived_of_a_component_is_waived_of_nothing_else() -> None:
    waiver = Entry("W-1", EntryKind.WAIVER, D(100), FEB, component="late_fee")
    stands = position(SCHEDULE, [*FEES, waiver], FEB)
    assert (stands.arrears, stands.overpaid, stands.paid) == (D(230), D(0), D(0))
    assert stands.arrears_by == split(interest=30, principal=160, fee=10, cost=30)


@pytest.mark.parametrize("kind", [EntryKind.WAIVER, EntryKind.SETTLEMENT_DISCOUNT])
def test_what_is_let_off_beyond_the_debt_is_nobody_s_money(kind: EntryKind) -> None:
    paid, let_off = Entry("P-1", EntryKind.PAYMENT, D(100), JAN), Entry("W-1", kind, D(500), FEB)
    stands = position(SCHEDULE, [*FEES, paid, let_off], MAR)
    assert (stands.outstanding, stands.overpaid, stands.held_back, stands.paid) == (D(0), D(0), D(0), D(100))
    again = Entry("C-2", EntryKind.COST, D(7), MAR)
    assert position(SCHEDULE, [*FEES, paid, let_off, again], MAR).arrears == D(7)


def test_what_is_let_off_waits_for_no_dispute_and_leaves_free_money_alone() -> None:
    terms = Terms(disputed=(Disputed(JAN, until=MAR, instalment=1),))
    paid, waiver = Entry("P-1", EntryKind.PAYMENT, D(400), JAN), Entry("W-1", EntryKind.WAIVER, D(50), FEB)
    stands = position(SCHEDULE, [*FEES, paid, waiver], FEB, terms)
    assert (stands.outstanding, stands.held_back, stands.paid) == (D(110), D(110), D(400))


def test_a_wholly_reversed_acceleration_never_was() -> None:
    called = Entry("A-1", EntryKind.ACCELERATE, D(1), JAN)
    back = Entry("R-1", EntryKind.REVERSAL, D(1), FEB, reverses="A-1")
    assert position(SCHEDULE, [called], FEB).instalments_due == 3
    assert position(SCHEDULE, [called, back], FEB) == position(SCHEDULE, [], FEB)


def test_undirected_money_is_not_spent_on_what_is_disputed() -> None:
    terms = Terms(disputed=(Disputed(JAN, until=MAR, instalment=1),))
    assert paying(400, terms).held_back == D(110)
    assert paying(400, terms).oldest_due_on == JAN
    assert paying(400, terms, instalment=1).held_back == 0
    assert paying(400, terms, direction="disputed").held_back == 0
    assert position(SCHEDULE, [*FEES, Entry("P-1", EntryKind.PAYMENT, D(400), FEB)], MAR, terms).arrears == 0


@pytest.mark.parametrize(("on", "held"), [(JAN, 100), (FEB - timedelta(days=1), 100), (FEB, 0)])
def test_a_dispute_spares_from_its_first_day_to_the_day_before_its_end(on: date, held: int) -> None:
    terms = Terms(disputed=(Disputed(JAN, until=FEB, instalment=1),))
    assert position(SCHEDULE, [Entry("P-1", EntryKind.PAYMENT, D(300), on)], on, terms).held_back == held


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("cost", "costs"), "waterfall mine.toml, key steps.1.pay.2: Input should be"),
        (('"cost", ', ""), "waterfall mine.toml, key the whole file: no step pays cost of charges: add it to one."),
        (('"to_come"', '"due"'), "no step pays interest of to_come: add it to one."),
        (('"late_fee", "cost"', '"cost", "cost"'), "key steps.1: it names a component twice: name each once."),
        (("name = ", "name "), "waterfall mine.toml is not valid TOML: "),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(change: tuple[str, str], says: str) -> None:
    text = (FOLDER / "default.toml").read_text("utf-8")
    text = "\n".join(
        line.replace(*change) if not line.startswith(("#", "says")) else line for line in text.splitlines()
    )
    with pytest.raises(BadInput) as refused:
        read_waterfall(text, "mine.toml")
    assert says in str(refused.value)


def test_a_remainder_of_just_the_tolerance_is_paid_last() -> None:
    payments = [Entry("P-1", EntryKind.PAYMENT, D(99), JAN), Entry("P-2", EntryKind.PAYMENT, D(200), JAN)]
    stands = position(SCHEDULE, payments, JAN, Terms(tolerance=D(1)))
    assert (stands.outstanding, stands.next_due_amount, stands.days_past_due) == (D(1), D(0), 0)
