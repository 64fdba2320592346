"""Brings the facts to the gate (domain/gate), inside the transaction in which the contact will be committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import policies
from activities.case_in_hand import CaseInHand
from activities.zones import zones_of
from domain.calendars import Span, holidays_between
from domain.clock import business_date, start_of
from domain.gate import (
    Addressed,
    Consent,
    ContactRequest,
    GateFacts,
    GateHold,
    Limitation,
    Notice,
    PastContact,
    Verdict,
    decide,
)
from domain.limitation import LimitationEvent, time_barred_on
from domain.loan import LoanKey
from domain.remedy import nothing_to_ask
from domain.rulebook import Hours, Rulebook, packs_for, read_rulebook
from ledger.money import position_of
from ledger.named import queries
from ledger.permits import digest, keep_rulebooks, record

CONTACTS, GATE, STOPS = queries("contacts"), queries("gate"), queries("stops")
LOOK_BACK = timedelta(days=40)  # longer than any rule's window
LOOK_AHEAD = timedelta(days=40)  # for public holidays
IN_FLIGHT_FOR = Span(count=5, unit="working day")
BY_VOICE = frozenset({"call", "voice"})


@lru_cache
def shipped() -> Mapping[str, Rulebook]:
    """The rulebooks that come with the package, by name."""
    found = [
        read_rulebook(file.read_text("utf-8"), file.name)
        for file in sorted((policies.folder() / "rulebooks").glob("*.toml"))
    ]
    return {book.name: book for book in found}


@dataclass(frozen=True)
class Meant:
    """A contact that somebody means to make: how, what for, with whom, at which number or address.

    `task_id` and `contact_id` are its own task and row, where it has them already; they do not count against it.
    """

    channel: str
    purpose: str
    party: Addressed
    party_id: str
    value: str | None
    discloses: bool = True
    threatens: bool = False
    task_id: str | None = None
    contact_id: str | None = None

    @property
    def request(self) -> ContactRequest:
        """As the gate is asked."""
        return ContactRequest(
            channel=self.channel,  # type: ignore[arg-type]
            purpose=self.purpose,  # type: ignore[arg-type]
            contact_value_known=self.value is not None or self.channel not in {"sms", "voice"},
            discloses=self.discloses,
            artificial_voice=self.channel == "voice",
            threatens=self.threatens,
        )


@dataclass(frozen=True)
class Gatekeeper:
    """Decides contacts; it has no memory of its own. `known` are the rulebooks there are, by name."""

    known: Mapping[str, Rulebook] = field(default_factory=shipped)

    async def permit(self, case: CaseInHand, meant: Meant) -> tuple[Verdict, dict[str, Any]]:
        """The verdict, and the record of it that is kept with the contact. Call it with the case in hand: its loan is locked."""
        await STOPS.pass_beside_stops(case.conn)
        books = packs_for(
            case.row.governed, self.known, case.row.packs, case.row.strategy.rulebooks, case.row.chosen_rules
        )
        row = await GATE.facts(
            case.conn,
            **case.this,
            party_id=meant.party_id,
            value=meant.value,
            channel=meant.channel,
            strategy=case.row.strategy.name,
            own_task=meant.task_id,
            own_contact=meant.contact_id,
            since=case.facts.now - LOOK_BACK,
            now=case.facts.now,
            digests=[digest(book) for book in books],
        )
        facts = await _facts(case, meant, row, books)
        verdict = decide(meant.request, facts, books)
        return verdict, record(meant.request, facts, await keep_rulebooks(case.conn, books, row["kept"]), verdict)


async def may_sue(case: CaseInHand) -> bool:
    """Whether the debt can still be brought before a court; what nobody knows is a no."""
    limitation = _limitation(await GATE.limitation(case.conn, **case.this))
    return limitation is not None and limitation.expires_on is not None and case.today < limitation.expires_on


async def _facts(case: CaseInHand, meant: Meant, row: Any, books: Sequence[Rulebook]) -> GateFacts:
    """Everything the gate sees, read after the locks."""
    facts, point = case.facts, row["point"] or {}
    told = [point["zone"]] if point.get("zone") else row["zones"]
    zones = zones_of(
        told, meant.value if meant.channel in {"sms", "call", "voice"} else None, case.row.country, facts.lender_zone
    )
    own_country = (
        case.row.country if any(isinstance(r, Hours) and not r.on_holidays for b in books for r in b.rules) else None
    )
    return GateFacts(
        now=facts.now,
        zones=zones,
        owes=not nothing_to_ask(meant.purpose, facts.position),
        party=meant.party,
        point_kind=point.get("kind"),
        point_source=point.get("source") or "tape",
        point_status=point.get("status") or "active",
        reassigned_checked_on=_day(point.get("checked")),
        holds=_holds(case, meant, row),
        consents=tuple(Consent(**c) for c in row["consents"] or ()),
        suppressed=row["suppressed"],
        stopped=row["stopped"],
        shadow=case.row.shadow,
        jurisdiction_known=bool(books),
        lead=not row["rivals"] or await _leads(case, row["rivals"]),
        feed_at=row["fed_at"],
        feed_hours=row["feed_hours"],
        pending_until=_pending_until(case, row["pending_on"]),
        first_contact_at=row["first_contact_at"],
        notices=tuple(Notice(**n) for n in row["notices"] or ()),
        limitation=_limitation(row),
        holidays=holidays_between(own_country, facts.now.date(), (facts.now + LOOK_AHEAD).date())
        if own_country
        else (),
        past=_past(facts.now, row),
    )


def _holds(case: CaseInHand, meant: Meant, row: Any) -> tuple[GateHold, ...]:
    """Holds in force on the person, the loan, or this very number or address."""
    now = case.facts.now
    found = [
        GateHold(reason=h.reason, scopes=tuple(sorted(h.scopes)), until=h.end, on=h.subject_kind)
        for h in case.facts.holds
        if h.active(now) and (h.subject_kind != "contact_point" or h.subject_id == meant.value)
    ]
    # The case reads its borrower's; whoever else is contacted has their own.
    found += [GateHold(**{**h, "scopes": tuple(sorted(h["scopes"]))}, on="person") for h in row["party_holds"] or ()]
    if row["promised_elsewhere"] is not None and meant.channel in BY_VOICE:
        # Who has promised to pay one loan is not called about another (design.md 3).
        grace = timedelta(days=case.row.strategy.promise.grace_days + 1)
        until = start_of(row["promised_elsewhere"] + grace, case.facts.lender_zone)
        if until > now:
            found.append(GateHold(reason="promise_elsewhere", scopes=("contact",), until=until, on="person"))
    return tuple(found)


def _past(now: datetime, row: Any) -> tuple[PastContact, ...]:
    """Contacts that were made, and those that a person may be making at this moment."""
    made = [PastContact(**c) for c in row["past"] or ()]
    channels = {"visit": "visit"}
    handed_out = [
        PastContact(
            at=now,
            channel=channels.get(t["kind"], "call"),  # type: ignore[arg-type]
            purpose="collect",
            same_loan=t["same_loan"],
            same_value=True,
        )
        for t in row["handed_out"] or ()
    ]
    return (*made, *handed_out)


def _pending_until(case: CaseInHand, pending_on: date | None) -> datetime | None:
    if pending_on is None:
        return None
    zone = case.row.lender_zone
    return IN_FLIGHT_FOR.after(start_of(pending_on, zone), case.row.strategy.calendar, zone)


def _limitation(row: Any) -> Limitation | None:
    events = [LimitationEvent(**e) for e in row["limitation"] or ()]
    expires = time_barred_on(events, row["limitation_on"])
    return Limitation(expires_on=expires) if expires is not None else None


async def _leads(case: CaseInHand, rivals: list[str]) -> bool:
    """Whether this is the severest of the person's open cases: the longest past due, then the largest arrears, then by id."""
    today = business_date(case.facts.now, case.row.lender_zone)
    own = case.facts.position
    mine = (own.days_past_due, own.arrears, case.key.loan_id)
    for loan_id in rivals:
        stands = await position_of(case.conn, LoanKey(case.key.lender_id, loan_id), today)
        if not stands.cured and (stands.days_past_due, stands.arrears, loan_id) > mine:
            return False
    return True


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
