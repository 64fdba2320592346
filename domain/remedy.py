"""What turns out to have been wrong: contacts and late fees that a debt paid in time, or held in time, would not have had."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from domain.holds import Scope
from domain.loan import Entry, EntryKind, EntryStatus, Instalment
from domain.money import ZERO
from domain.position import Position, Terms, position, unpaid_on

STEP = "house-put-right"  # the step of the strategy's that every remedy task is


class Made(NamedTuple):
    """A contact that was made, on the lender's day `on`."""

    contact_id: str
    channel: str
    purpose: str
    on: date


class Wrong(NamedTuple):
    """Ids of what should not have been: contacts, entries of late fees, effects such as suits."""

    contacts: tuple[str, ...] = ()
    late_fees: tuple[str, ...] = ()
    suits: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to put right."""
        return any(self)


def made_wrong(
    instalments: Sequence[Instalment],
    before: Sequence[Entry],
    after: Sequence[Entry],
    contacts: Iterable[Made],
    terms: Terms,
    today: date,
) -> Wrong:
    """What was right by the entries `before` and is not by those `after`, the same and what was posted now.

    A late fee is wrong where nothing was past due, or where the instalment that it is for had been paid, whatever else is unpaid.

    What was done on the value date itself stays right: nobody knows which came first that day, and charges come before payments.
    """
    since = min(
        (e.value_date for e in after[len(before) :] if e.status is EntryStatus.SETTLED and e.value_date < today),
        default=today,
    )
    then, now = _on_each_day(instalments, before, terms), _on_each_day(instalments, after, terms)
    return Wrong(
        contacts=tuple(
            c.contact_id
            for c in contacts
            if since < c.on <= today
            and nothing_to_ask(c.purpose, now(c.on))
            and not nothing_to_ask(c.purpose, then(c.on))
        ),
        late_fees=tuple(
            fee.entry_id
            for fee in _standing_fees(before, since, today)
            if (now(fee.value_date).cured and not then(fee.value_date).cured)
            or (_was_late(fee, instalments, before, terms) and not _was_late(fee, instalments, after, terms))
        ),
    )


def held_wrong(scopes: Iterable[Scope], contacts: Iterable[Made], fees: Iterable[str], suits: Iterable[str]) -> Wrong:
    """What was done inside a hold that came to be known only afterwards, of all that was done since it began."""
    held = frozenset(scopes)
    stops = {"collect": Scope.CONTACT, "reminder": Scope.CONTACT, "statutory": Scope.LEGAL}
    return Wrong(
        contacts=tuple(c.contact_id for c in contacts if stops.get(c.purpose) in held),
        late_fees=tuple(fees) if Scope.FEES in held else (),
        suits=tuple(suits) if Scope.LEGAL in held else (),
    )


def nothing_to_ask(purpose: str, stands: Position) -> bool:
    """Whether nobody may be asked for money: nothing is past due, and, for a reminder, nothing is to come either."""
    return stands.cured and (purpose != "reminder" or stands.next_due_amount <= 0)


def _on_each_day(
    instalments: Sequence[Instalment], entries: Sequence[Entry], terms: Terms
) -> Callable[[date], Position]:
    """Where the loan stood on a day by the entries of the days before it."""
    return lru_cache(maxsize=None)(
        lambda day: position(instalments, [e for e in entries if e.value_date < day], day, terms)
    )


def _was_late(fee: Entry, instalments: Sequence[Instalment], entries: Sequence[Entry], terms: Terms) -> bool:
    """Whether, by the entries of the days before, the instalment that a late fee names was unpaid."""
    if fee.instalment is None:
        return False
    eve = unpaid_on(instalments, entries, fee.value_date - timedelta(days=1), terms)
    return eve.left.get(fee.instalment, ZERO) > terms.tolerance


def _standing_fees(entries: Sequence[Entry], since: date, today: date) -> list[Entry]:
    """Late fees of the days after `since` that were not wholly taken back."""
    taken_back: dict[str | None, Decimal] = {}
    for entry in entries:
        if entry.kind is EntryKind.REVERSAL and entry.status is EntryStatus.SETTLED:
            taken_back[entry.reverses] = taken_back.get(entry.reverses, ZERO) + entry.amount
    return [
        e
        for e in entries
        if e.kind is EntryKind.LATE_FEE
        and e.status is EntryStatus.SETTLED
        and since < e.value_date <= today
        and taken_back.get(e.entry_id, ZERO) < e.amount
    ]
