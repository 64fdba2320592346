"""What turns out to have been wrong, by the facts alone."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.holds import Scope
from domain.loan import Entry, EntryKind, EntryStatus, Instalment
from domain.position import Terms
from domain.remedy import Made, Wrong, held_wrong, made_wrong

DUE = date(2026, 3, 1)
TODAY = date(2026, 3, 20)
SCHEDULE = [Instalment(1, DUE, Decimal(100), Decimal(0), Decimal(0))]


def after(days: int) -> date:
    return DUE + timedelta(days=days)


def paid(day: int, amount: int = 100, status: EntryStatus = EntryStatus.SETTLED) -> Entry:
    return Entry("E-1", EntryKind.PAYMENT, Decimal(amount), after(day), status=status, version=9)


def wrong(new: Entry, *contacts: Made, before: tuple[Entry, ...] = (), terms: Terms | None = None) -> Wrong:
    return made_wrong(SCHEDULE, before, [*before, new], contacts, terms or Terms(), TODAY)


DAILY = [Made(f"c{n}", "sms", "collect", after(n)) for n in range(1, 20)]


@pytest.mark.parametrize("day", [-5, 0, 1, 7, 18])
def test_contacts_from_the_day_after_the_value_date(day: int) -> None:
    assert wrong(paid(day), *DAILY).contacts == tuple(f"c{n}" for n in range(max(day, 0) + 1, 20))


@pytest.mark.parametrize(
    "new",
    [paid(3, 99), paid(3, status=EntryStatus.PENDING), paid(3, status=EntryStatus.RETURNED), paid(19), paid(25)],
)
def test_nothing_is_wrong_where_the_debt_stood(new: Entry) -> None:
    assert not wrong(new, *DAILY)


def test_what_an_earlier_payment_made_wrong_is_not_listed_again() -> None:
    first = paid(5)._replace(entry_id="E-0", version=8)
    assert wrong(paid(2), *DAILY, before=(first,)).contacts == ("c3", "c4", "c5")


def test_the_lenders_tolerance_counts() -> None:
    assert wrong(paid(3, 99), *DAILY, terms=Terms(tolerance=Decimal(1))).contacts[0] == "c4"


def test_late_fees_that_a_payment_in_time_would_have_spared() -> None:
    fees = [Entry(f"F{n}", EntryKind.LATE_FEE, Decimal(5), after(n), version=n) for n in (2, 3, 4)]
    back = Entry("R", EntryKind.REVERSAL, Decimal(5), after(6), reverses="F4", version=7)
    assert wrong(paid(2), before=(*fees, back)).late_fees == ("F3",)
    part = back._replace(amount=Decimal(4))
    assert wrong(paid(2), before=(*fees, part)).late_fees == ("F3", "F4")


def test_a_fee_of_an_instalment_that_was_paid_in_its_grace_is_wrong_though_an_older_one_is_unpaid() -> None:
    schedule = [*SCHEDULE, Instalment(2, after(5), Decimal(50), Decimal(0), Decimal(0))]
    fees = [Entry(f"F{n}", EntryKind.LATE_FEE, Decimal(5), after(8), instalment=n) for n in (1, 2)]

    def listed(*new: Entry, terms: Terms | None = None) -> tuple[str, ...]:
        return made_wrong(schedule, fees, [*fees, *new], [], terms or Terms(), TODAY).late_fees

    assert listed(paid(7, 50)._replace(instalment=2)) == ("F2",)
    assert listed(paid(7, 49)._replace(instalment=2)) == ()
    assert listed(paid(7, 49)._replace(instalment=2), terms=Terms(tolerance=Decimal(1))) == ("F2",)
    assert listed(paid(8, 50)._replace(instalment=2)) == ()  # after the grace
    assert listed(paid(7, 50)) == ()  # spent on the older one
    assert listed(paid(7, 150)) == ("F1", "F2")


def test_a_reminder_stays_right_while_something_is_to_come() -> None:
    later = [*SCHEDULE, Instalment(2, after(30), Decimal(50), Decimal(0), Decimal(0))]
    reminder = Made("r", "sms", "reminder", after(5))
    assert not made_wrong(later, [], [paid(2)], [reminder], Terms(), TODAY)
    assert made_wrong(later, [], [paid(2, 150)], [reminder], Terms(), TODAY).contacts == ("r",)


@pytest.mark.parametrize(
    ("scopes", "found"),
    [
        ({Scope.CONTACT}, Wrong(contacts=("c", "r"))),
        ({Scope.LEGAL}, Wrong(contacts=("d",), suits=("7",))),
        ({Scope.FEES}, Wrong(late_fees=("F",))),
        ({Scope.ESCALATION}, Wrong()),
    ],
)
def test_a_hold_makes_wrong_what_it_stops(scopes: set[Scope], found: Wrong) -> None:
    contacts = [
        Made("c", "sms", "collect", TODAY),
        Made("r", "sms", "reminder", TODAY),
        Made("d", "letter", "statutory", TODAY),
    ]
    assert held_wrong(scopes, contacts, ["F"], ["7"]) == found
    assert bool(found) == (scopes != {Scope.ESCALATION})
