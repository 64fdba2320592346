"""The ledger against a slow, obvious model: whatever comes, however often and in whatever order, both say the same."""

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import BadInput
from domain.loan import EntryKind, EntryStatus, LoanKey
from ledger.known import Conflict
from ledger.money import position_of
from ledger.new_entry import NewEntry
from ledger.posting import WrongCurrency, post_entry
from ledger.suspense import match_each
from tests.ledger.samples import NOON, Pool, Standing, add_case, add_loan, entry

CLOCK = Standing()
TODAY = NOON.date()
DUE = (date(2026, 3, 1), Decimal(100))
CHARGED, PAID = {EntryKind.LATE_FEE, EntryKind.COST}, {EntryKind.PAYMENT, EntryKind.WAIVER}
KEYS = (LoanKey("default", "L-1"), LoanKey("default", "L-2"))  # the first has an open case, the second comes late


@dataclass
class Model:
    """Everything that was ever accepted, in a list; every answer is read off the list."""

    accepted: list[NewEntry] = field(default_factory=list)
    moves: list[NewEntry] = field(default_factory=list)
    early: list[NewEntry] = field(default_factory=list)  # reversals of what has not come

    def say(self, new: NewEntry) -> str:
        """What the ledger must answer."""
        first = next((e for e in self.accepted if e.entry_id == new.entry_id), None)
        moved = next((e for e in self.moves if e.entry_id == new.entry_id), None)
        if first is not None:
            if new in (first, moved):
                return "known"
            if moved is None and first.status is EntryStatus.PENDING and replace(new, status=first.status) == first:
                self.moves.append(new)
                return "changed"
            return "Conflict"
        if new.currency != "EUR":
            return "WrongCurrency"
        kept = next((e for e in self.early if e.entry_id == new.entry_id), None)
        if kept is not None and kept != new:
            return "Conflict"
        if new.reverses is not None and all(e.entry_id != new.reverses for e in self.accepted):
            if kept is None:
                self.early.append(new)
            return "suspense" if kept is None else "known"
        if new.reverses is not None and not self._reversible(new):
            return "BadInput"
        self._accept(new)
        for waiting in sorted(self.early, key=lambda e: e.entry_id):
            if waiting.reverses == new.entry_id and self._reversible(waiting):
                self._accept(waiting)
        return "new"

    def _accept(self, new: NewEntry) -> None:
        self.accepted.append(new)
        self.early = [e for e in self.early if e.entry_id != new.entry_id]

    def _reversible(self, new: NewEntry) -> bool:
        of = next((e for e in self.accepted if e.entry_id == new.reverses and e.loan_id == new.loan_id), None)
        if of is None or of.kind is EntryKind.REVERSAL:
            return False
        if any(e.status is EntryStatus.RETURNED for e in [of, *self.moves] if e.entry_id == of.entry_id):
            return False
        back = sum(e.amount for e in self.accepted if e.reverses == new.reverses)
        return new.amount + back <= of.amount

    def balance(self, key: LoanKey, as_of: date) -> Decimal:
        """What was charged by a day, less what was paid and waived: below zero it is overpaid, and nothing is waived of nothing."""
        settled = [*(e for e in self.accepted if e.status is EntryStatus.SETTLED), *self.moves]
        there = [e for e in settled if e.status is EntryStatus.SETTLED and e.key == key and e.value_date <= as_of]
        owed = DUE[1]  # outstanding counts what is to come
        for each in sorted(there, key=lambda e: (e.value_date, e.kind not in CHARGED, e.entry_id)):
            stands = each.amount - sum(e.amount for e in there if e.reverses == each.entry_id)
            if each.kind in CHARGED:
                owed += stands
            elif each.kind is EntryKind.PAYMENT:
                owed -= stands
            elif each.kind is EntryKind.WAIVER:
                owed -= min(stands, max(owed, Decimal(0)))
        return owed

    def versions(self, key: LoanKey) -> int:
        return sum(e.key == key for e in [*self.accepted, *self.moves])


def made_up(dice: random.Random, known: list[NewEntry]) -> NewEntry:
    """Something that a sender may send: new, again, with other content, pending and then not, or taken back."""
    what = dice.random()
    if known and what < 0.35:
        again = dice.choice(known)
        return dice.choice(
            [
                again,
                replace(again, status=EntryStatus.SETTLED),
                replace(again, status=EntryStatus.RETURNED),
                replace(again, amount=again.amount + 1),
            ]
        )
    values: dict[str, Any] = {
        "entry_id": f"E-{uuid4().hex[:8]}",
        "loan_id": dice.choice(KEYS).loan_id,
        "amount": Decimal(dice.randint(1, 60)),
        "currency": "USD" if what > 0.97 else "EUR",
        "value_date": TODAY - timedelta(days=dice.randint(-3, 15)),
        "kind": dice.choice(sorted(CHARGED | PAID)),
    }
    if known and what < 0.5:
        of = dice.choice(known)
        back = {"kind": EntryKind.REVERSAL, "reverses": of.entry_id, "loan_id": of.loan_id}
        return entry(**values | back)
    return entry(**values, status=dice.choice([EntryStatus.SETTLED, EntryStatus.SETTLED, EntryStatus.PENDING]))


async def answered(pool: Pool, new: NewEntry) -> str:
    try:
        return (await post_entry(pool, new, CLOCK)).status
    except (Conflict, WrongCurrency, BadInput) as error:
        return type(error).__name__


async def check(pool: Pool, model: Model) -> None:
    async with pool.acquire() as conn:
        for key in KEYS:
            for days in (20, 5, 1, 0, -2, -5):
                as_of = TODAY - timedelta(days=days)
                stands = await position_of(conn, key, as_of)
                assert stands.outstanding - stands.overpaid == model.balance(key, as_of), (key, as_of)
            rows = await conn.fetch(
                "select ledger_version from ledger_lines where loan_id = $1 order by commit_order", key.loan_id
            )
            assert [r["ledger_version"] for r in rows] == list(range(1, model.versions(key) + 1))
        told = await conn.fetch(
            "select loan_id, (payload ->> 'ledger_version')::int as version from outbox order by id"
        )
        assert [tuple(r) for r in told] == [("L-1", n) for n in range(1, model.versions(KEYS[0]) + 1)]


@pytest.mark.parametrize("seed", range(6))
async def test_the_ledger_says_what_the_model_says(pool: Pool, seed: int) -> None:
    dice, model = random.Random(seed), Model()
    known: list[NewEntry] = []
    for key in KEYS:
        await add_loan(pool, key)
    await add_case(pool, KEYS[0])
    for _ in range(60):
        new = made_up(dice, known)
        assert await answered(pool, new) == model.say(new), new
        known.append(new)
    await check(pool, model)


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_gives_the_same_position(pool: Pool, seed: int) -> None:
    dice = random.Random(seed)
    sent = [
        e for e in (made_up(dice, []) for _ in range(40)) if e.currency == "EUR" and e.status is EntryStatus.SETTLED
    ]
    model = Model(accepted=sent)
    await add_loan(pool, KEYS[0])
    await add_case(pool, KEYS[0])
    shuffled = dice.sample([*sent, *dice.sample(sent, 10)], len(sent) + 10)
    done = [await answered(pool, each) for each in shuffled]
    assert set(done) <= {"new", "known", "suspense"}
    await add_loan(pool, KEYS[1])
    await match_each(pool, CLOCK)
    await check(pool, model)
