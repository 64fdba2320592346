"""Brings the facts to the gate (domain/gate.py), inside the transaction in which the contact will be committed."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

from activities.case_in_hand import CaseInHand
from domain.gate import ContactRequest, Defer, Forbid, GateFacts, PastContact, Permit, decide
from domain.holds import scopes_held
from domain.rulebook import Rulebook, read_rulebook
from ledger.named import queries

CONTACTS = queries("contacts")
LOOK_BACK = timedelta(days=40)  # longer than any rule's window


@lru_cache
def rulebook(name: str) -> Rulebook | None:
    """A shipped rulebook; None where there is none of that name."""
    file = files("policies") / "rulebooks" / f"{name}.toml"
    return read_rulebook(file.read_text("utf-8"), file.name) if file.is_file() else None


def rulebooks_for(packs: dict[str, list[str]], country: str, added: tuple[str, ...]) -> list[Rulebook]:
    """The rulebooks of a country as the lender's settings name them, and those a strategy adds; empty where none is named for it."""
    named = packs.get(country) or packs.get("*") or []
    names = dict.fromkeys([*named, *added]) if named else {}
    return [book for name in names if (book := rulebook(name)) is not None]


@dataclass(frozen=True)
class Gatekeeper:
    """Decides contacts; it has no memory of its own."""

    async def facts(self, case: CaseInHand, channel: str, value: str | None) -> GateFacts:
        """Everything the gate sees, read after the locks."""
        facts, row = case.facts, case.row
        lender = case.key.lender_id
        holding = [h.end for h in facts.holds if h.active(facts.now) and "contact" in h.scopes]
        ends = [e for e in holding if e is not None]
        rows = CONTACTS.past_contacts(
            case.conn, lender_id=lender, party_id=row.borrower_id, since=facts.now - LOOK_BACK
        )
        past = [
            PastContact(
                at=r["at"],
                channel=r["channel"],
                purpose=r["purpose"],
                same_loan=r["loan_id"] == case.key.loan_id,
                same_value=r["contact_value"] == value,
            )
            async for r in rows
        ]
        return GateFacts(
            now=facts.now,
            zone=facts.contact_zone,
            owes=not facts.position.cured,
            held=tuple(sorted(scopes_held(facts.holds, facts.now))),
            held_until=min(ends) if ends and len(ends) == len(holding) else None,
            suppressed=value is not None
            and await CONTACTS.suppressed(case.conn, lender_id=lender, channel=channel, value=value),
            stopped=await CONTACTS.stopped(case.conn, lender_id=lender, channel=channel, strategy=row.strategy.name),
            shadow=row.shadow,
            jurisdiction_known=bool(rulebooks_for(row.packs, row.country, row.strategy.rulebooks)),
            past=tuple(past),
        )

    async def permit(
        self, case: CaseInHand, channel: str, purpose: str, value: str | None
    ) -> tuple[Permit | Defer | Forbid, dict[str, Any]]:
        """The verdict, and the record of it that is kept with the contact: request, facts, rulebooks."""
        known = value is not None or channel != "sms"
        request = ContactRequest(channel=channel, purpose=purpose, contact_value_known=known)  # type: ignore[arg-type]
        facts = await self.facts(case, channel, value)
        books = rulebooks_for(case.row.packs, case.row.country, case.row.strategy.rulebooks)
        verdict = decide(request, facts, books)
        record = {
            "request": request.model_dump(mode="json"),
            "facts": facts.model_dump(mode="json"),
            "rulebooks": [b.model_dump(mode="json") for b in books],
            "verdict": verdict.model_dump(mode="json"),
        }
        return verdict, record
