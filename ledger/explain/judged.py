"""What the gate judged in a case: contacts, tasks it let pass, and what it put off or forbade before there was either."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from domain.clock import business_date
from domain.errors import BadInput
from domain.gate import ContactRequest, Defer, GateFacts
from domain.gate.engine_1 import CORE
from domain.loan import LoanKey
from domain.money import plain
from domain.rulebook import Rulebook
from ledger.explain.facts import Owed
from ledger.money import Money, money_of
from ledger.named import queries
from ledger.permits import decide_again, rulebooks_of

EXPLAIN = queries("explain")
# The registered ids of a message by its name, language and country; None where the country asks for none.
Registered = Callable[[str, str, str], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Rule:
    """A rule that spoke, as its rulebook had it: a sentence, where it is written, and how sure that is."""

    id: str
    says: str
    citation: str
    status: str
    until: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """What the gate was asked, what it saw, and the rulebooks it read."""

    request: ContactRequest
    facts: GateFacts
    books: tuple[Rulebook, ...]
    owed: Owed | None


@dataclass(frozen=True)
class Judged:
    """One thing that the gate judged; `row` is its contact, task or line of the journal. `seen` is None where the record is older.

    `registered` is what the country of the person wants to know of a text: registry, entity, sender, template, and which are missing.
    """

    id: str
    kind: str
    at: datetime
    row: Any
    permit: dict[str, Any]
    version: int | None
    seen: Seen | None
    registered: Mapping[str, Any] | None = None

    @property
    def verdict(self) -> dict[str, Any]:
        """The verdict as it is kept; empty where none was given."""
        verdict: dict[str, Any] = self.permit.get("verdict") or {}
        return verdict

    @property
    def rules(self) -> list[Rule]:
        """The rules that spoke, each with the time from which it alone allows the contact, where it put it off."""
        books = self.seen.books if self.seen else ()
        known = {rule.id: rule for book in books for rule in book.rules}
        return [self._rule(name, known) for name in self.verdict.get("rules", [])]

    def _rule(self, name: str, known: dict[str, Any]) -> Rule:
        if name in known:
            rule = known[name]
            return Rule(name, rule.says, rule.citation, rule.status, self._until(name))
        if name in CORE:
            return Rule(name, CORE[name], "", "core", self._until(name))
        return Rule(name, "", "", "lost")

    def _until(self, name: str) -> datetime | None:
        """When a rule alone, asked again on the same facts, allows what was put off; None where other things speak as well."""
        if self.seen is None or self.verdict.get("verdict") != "defer":
            return None
        alone = tuple(
            b.model_copy(update={"rules": tuple(r for r in b.rules if r.id == name)}) for b in self.seen.books
        )
        again = decide_again(self.permit, alone)
        return again.until if isinstance(again, Defer) and again.rules == (name,) else None


def with_registered(each: Judged, registered: Registered) -> Judged:
    """The same, with the ids under which a text is registered where the person is."""
    if each.kind != "contact" or each.row["channel"] != "sms" or not each.row["template"]:
        return each
    row = each.row
    return replace(each, registered=registered(row["template"], row["language"] or "en", row["country"]))


async def judged(conn: Any, key: LoanKey) -> list[Judged]:
    """Everything that the gate judged in a case, oldest first."""
    this = {"lender_id": key.lender_id, "loan_id": key.loan_id}
    reader = await _Reader.of(conn, key)
    found = [
        await reader.read(r["contact_id"], "contact", r["reserved_at"], r, r["permit"], r["ledger_version"])
        async for r in EXPLAIN.contacts_of(conn, **this)
    ]
    found += [
        await reader.read(
            f"e{r['id']}", r["kind"], r["at"], r, r["data"].get("permit") or _older(r["data"]), r["ledger_version"]
        )
        async for r in EXPLAIN.judged_events(conn, **this)
    ]
    found += [
        await reader.read(r["task_id"], "task", r["opened_at"], r, r["permit"], r["ledger_version"])
        async for r in EXPLAIN.judged_tasks(conn, **this)
    ]
    return sorted(found, key=lambda each: each.at)


def _older(data: dict[str, Any]) -> dict[str, Any]:
    """A verdict without its facts, of a journal that did not keep them."""
    return {"verdict": {"rules": data.get("rules", []), "until": data.get("until")}}


@dataclass(frozen=True)
class _Reader:
    """Reads records of one loan."""

    conn: Any
    currency: str
    zone: str
    money: Money

    @classmethod
    async def of(cls, conn: Any, key: LoanKey) -> "_Reader":
        loan = await EXPLAIN.zone_and_currency(conn, lender_id=key.lender_id, loan_id=key.loan_id)
        return cls(conn, loan["currency"], loan["timezone"], await money_of(conn, key))

    async def read(
        self, id_: str, kind: str, at: datetime, row: Any, permit: dict[str, Any] | None, version: int | None
    ) -> Judged:
        permit = permit or {}
        seen = await self._seen(permit, version)
        return Judged(id_, kind, seen.facts.now if seen else at, row, permit, version, seen)

    async def _seen(self, permit: dict[str, Any], version: int | None) -> Seen | None:
        try:
            request = ContactRequest.model_validate(permit["request"])
            facts = GateFacts.model_validate(permit["facts"])
            books = await rulebooks_of(self.conn, permit)
        except (KeyError, TypeError, AttributeError, ValidationError, BadInput):
            return None
        return Seen(request, facts, books, self._owed(facts.now, version))

    def _owed(self, now: datetime, version: int | None) -> Owed | None:
        """What was past due by the entries that the gate saw, on the lender's day."""
        stands = self.money.until(version or 0).stands(business_date(now, self.zone))
        if stands.oldest_due_on is None:
            return None
        return Owed(f"{plain(stands.arrears, self.currency)} {self.currency}", stands.oldest_due_on)
