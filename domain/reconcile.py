"""A bank's or a processor's statement held against the ledger: what is in both, in one alone, or in both but not the same."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from domain.loan import EntryKind, EntryStatus

WINDOW = 5  # days by which the two dates may differ where a loan's id alone says what a line is for
TOKEN = re.compile(r"[^\W_]+(?:[-_./][^\W_]+)*")


class Moved(StrEnum):
    """What a line of a statement says of the lender's account."""

    CAME = "came"
    RETURNED = "returned"  # money that had come went back
    WENT = "went"  # paid out: a refund, or nothing to do with a loan
    RESTORED = "restored"  # money that had been paid out came back


# The two that each side of the account may mean: what moves for the first time, and what goes back; and what had moved before that.
MEANS = {True: (Moved.CAME, Moved.RESTORED, Moved.WENT), False: (Moved.WENT, Moved.RETURNED, Moved.CAME)}


@dataclass(frozen=True, slots=True)
class Line:
    """One movement on a statement.

    `place` says where it stands in the file. `amount` is positive. `references` are all ids that the bank gives it, `text` what the payer
    wrote: it may name people, so it is searched and never shown.
    """

    place: str
    moved: Moved
    amount: Decimal
    currency: str
    value_date: date
    booked_on: date
    references: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry of the ledger, or one in suspense, that a statement may show; `of` is the kind of what a reversal takes back."""

    lender_id: str
    entry_id: str
    loan_id: str
    kind: EntryKind
    amount: Decimal
    currency: str
    value_date: date
    reverses: str | None = None
    status: EntryStatus = EntryStatus.SETTLED
    source: str | None = None
    suspense: bool = False
    of: EntryKind | None = None

    @property
    def moved(self) -> Moved:
        """What the statement says of it."""
        if self.kind is EntryKind.REVERSAL:
            return Moved.RESTORED if self.of is EntryKind.REFUND else Moved.RETURNED
        return Moved.WENT if self.kind is EntryKind.REFUND else Moved.CAME

    def names(self) -> Iterator[str]:
        """The ids by which a statement may call it."""
        for name in (self.entry_id, self.reverses):
            if name:
                yield name
                # A processor's report has the processor's own id, without what a connector puts around it.
                if self.source and name.startswith(f"{self.source}-"):
                    yield name.removeprefix(f"{self.source}-").partition("/")[0]
        if self.source:
            yield self.source


@dataclass(frozen=True, slots=True)
class Pair:
    """A line and its entry; `differs` names the fields in which they are not the same."""

    line: Line
    entry: Booked
    differs: tuple[str, ...] = ()


@dataclass(slots=True)
class Reconciled:
    """The outcome. `other` are lines about no borrower's money, such as the bank's own fees: they are no difference."""

    matched: list[Pair] = field(default_factory=list)
    different: list[Pair] = field(default_factory=list)
    missing: list[Line] = field(default_factory=list)
    extra: list[Booked] = field(default_factory=list)
    other: list[Line] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Statement and ledger say the same."""
        return not (self.different or self.missing or self.extra)


Named = Mapping[tuple[Moved, str], Sequence[Booked]]


def reconcile(
    lines: Sequence[Line], entries: Iterable[Booked], since: date, until: date, currencies: Collection[str] = ()
) -> Reconciled:
    """Hold the lines of a statement against the ledger's payments, reversals and refunds; each meets one of the other side at most.

    First by reference: one of the line's ids is the entry's id, with or without its connector's prefix, or its `source`, or, for money that
    went back, the id of what the entry reverses. A line that sums up several entries is told in parts, one for each. Then by the loan's id
    in the text, the same amount, and dates at most WINDOW days apart, the nearest first.

    Args:
        lines: Of one statement or many.
        entries: All that might be meant; those of a loan that is not known yet too.
        since: The first day that the statements cover.
        until: The last. An entry valued between the two that no line shows is extra.
        currencies: Of the accounts, beside those of the lines; all where neither says one.
    """
    free = sorted(entries, key=lambda e: (e.value_date, e.lender_id, e.entry_id))
    named: dict[tuple[Moved, str], list[Booked]] = defaultdict(list)
    for entry in free:
        for name in dict.fromkeys(entry.names()):
            named[entry.moved, name].append(entry)
    covered = {*currencies, *(line.currency for line in lines)}
    lines = [part for line in lines for part in _parts(_as_it_moved(line, named), named)]
    pairs = _by_reference(lines, named)
    taken = {id(pair.entry) for pair in pairs.values()}
    pairs |= _by_text(
        [line for n, line in enumerate(lines) if n not in pairs],
        [n for n in range(len(lines)) if n not in pairs],
        [entry for entry in free if id(entry) not in taken],
    )
    taken = {id(pair.entry) for pair in pairs.values()}
    found = Reconciled()
    for n, line in enumerate(lines):
        if n in pairs:
            (found.different if pairs[n].differs else found.matched).append(pairs[n])
        elif line.moved in {Moved.CAME, Moved.RETURNED} or _names_any(line, Moved.WENT, named):
            found.missing.append(line)
        else:
            found.other.append(line)
    found.extra = [e for e in free if id(e) not in taken and _expected(e, since, until, covered)]
    return found


def _as_it_moved(line: Line, named: Named) -> Line:
    """The line as its references have it, where they name one of the two alone: not every bank marks what bounced, or marks that only."""
    first, back, gone = MEANS[line.moved in {Moved.CAME, Moved.RESTORED}]
    is_first = _names_any(line, first, named)
    is_back = _names_any(line, back, named) or _names_any(line, gone, named)
    return line if is_first == is_back else replace(line, moved=first if is_first else back)


def _names_any(line: Line, moved: Moved, named: Named) -> bool:
    return any((moved, ref) in named for ref in line.references)


def _parts(line: Line, named: Named) -> list[Line]:
    """The line, or one for each of the entries that it bears the references of and that make up its amount together."""
    meant = {
        id(e): e for ref in line.references for e in named.get((line.moved, ref), ()) if e.currency == line.currency
    }
    everyone = list(meant.values())
    for entries in (everyone, [e for e in everyone if e.status is not EntryStatus.RETURNED]):
        amounts = [entry.amount for entry in entries]
        if len(amounts) > 1 and line.amount not in amounts and sum(amounts) == line.amount:
            return [replace(line, amount=e.amount, references=(e.entry_id,)) for e in entries]
    return [line]


def _by_reference(lines: Sequence[Line], named: Named) -> dict[int, Pair]:
    """Pairs by the line's number. Where several entries fit, the one that differs least."""
    pairs: dict[int, Pair] = {}
    taken: set[int] = set()
    # A line that fits exactly is served before one that merely bears the same reference.
    for exactly in (True, False):
        for n, line in enumerate(lines):
            if n in pairs:
                continue
            fitting = [e for ref in line.references for e in named.get((line.moved, ref), ()) if id(e) not in taken]
            best = min(fitting, key=lambda e: len(_differs(line, e)), default=None)
            if best is None or (exactly and _differs(line, best)):
                continue
            taken.add(id(best))
            pairs[n] = Pair(line, best, _differs(line, best))
    return pairs


def _by_text(lines: list[Line], numbers: list[int], entries: list[Booked]) -> dict[int, Pair]:
    by_amount: dict[tuple[Moved, str, Decimal], list[Booked]] = defaultdict(list)
    for entry in entries:
        by_amount[entry.moved, entry.currency, entry.amount].append(entry)
    offers: list[tuple[int, int, int, Booked]] = []
    for n, line in zip(numbers, lines, strict=True):
        words = _words(line.text)
        for place, entry in enumerate(by_amount.get((line.moved, line.currency, line.amount), ())):
            apart = abs((entry.value_date - line.value_date).days)
            if apart <= WINDOW and entry.loan_id.casefold() in words:
                offers.append((apart, n, place, entry))
    pairs: dict[int, Pair] = {}
    taken: set[int] = set()
    of_number = dict(zip(numbers, lines, strict=True))
    for _, n, _, entry in sorted(offers, key=lambda offer: offer[:3]):
        if n not in pairs and id(entry) not in taken:
            taken.add(id(entry))
            pairs[n] = Pair(of_number[n], entry, _status(entry))
    return pairs


def _words(text: str) -> set[str]:
    """The words of a payer's text, whole ones and the parts between their dashes and dots: a loan's id may be either."""
    whole = {word.casefold() for word in text.split()}
    return whole | {word.casefold() for word in TOKEN.findall(text)} | {w.strip(".,;:()") for w in whole}


def _differs(line: Line, entry: Booked) -> tuple[str, ...]:
    compared = {
        "amount": line.amount != entry.amount,
        "currency": line.currency != entry.currency,
        # A payment that was returned unsettled has the day on which it came, and none on which it went.
        "date": entry.status is not EntryStatus.RETURNED and entry.value_date not in {line.value_date, line.booked_on},
    }
    return tuple(name for name, other in compared.items() if other) + _status(entry)


def _status(entry: Booked) -> tuple[str, ...]:
    """The bank has booked it, so that it cannot be on its way any more."""
    return ("status",) if entry.status is EntryStatus.PENDING else ()


def _expected(entry: Booked, since: date, until: date, currencies: set[str]) -> bool:
    """Whether the statements should have shown an entry."""
    in_time = since <= entry.value_date <= until
    return in_time and entry.status is EntryStatus.SETTLED and (entry.currency in currencies or not currencies)
