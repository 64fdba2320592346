"""Holds, and the disputes that bring one: placed and released as messages tell, each known to every case of the person it is about."""

from datetime import UTC, date, datetime, timedelta

from activities.case_in_hand import AGREED, CaseInHand
from domain import messages as said
from domain.calendars import Span
from domain.clock import start_of
from domain.errors import BadInput
from domain.holds import REASONS, Scope
from domain.loan import LoanKey
from ledger import outbox
from ledger.remedies import open_remedy_of_hold
from ledger.terms import dispute_part, end_disputes

ABOUT_THE_PERSON = frozenset(
    {"bereavement", "insolvency", "attorney", "cease", "breathing_space", "vulnerability", "military", "disaster"}
)
FURTHEST = timedelta(days=36525)  # from today, to which a hold may begin or end: dates must stay in the calendar
IN_FLIGHT_FOR = Span(count=5, unit="working day")


async def place_hold(case: CaseInHand, message_id: str, body: said.PlaceHold) -> None:
    """Place the hold that somebody asks for; the message's id becomes its own.

    Raises:
        BadInput: the reason or the subject is unknown, or the hold ends before it begins.
    """
    if body.reason not in REASONS:
        raise BadInput(f"hold reason {body.reason!r} is unknown: use one of {', '.join(sorted(REASONS))}.")
    if body.subject not in {"loan", "person", "contact_point"}:
        raise BadInput(f"a hold's subject is loan, person or contact_point, not {body.subject!r}.")
    await hold(
        case,
        message_id,
        body.reason,
        source=body.by or "message",
        scopes=body.scopes,
        since=body.since,
        until=_moment(body.until, case.row.lender_zone),
        subject=body.subject,
        subject_id=body.subject_id,
    )


def _moment(at: datetime | date | None, zone: str) -> datetime | None:
    """A date means the start of that day in the lender's zone; a time without a zone is UTC."""
    if isinstance(at, datetime):
        return _aware(at)
    return start_of(at, zone) if at is not None else None


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def hold(
    case: CaseInHand,
    hold_id: str,
    reason: str,
    *,
    source: str,
    scopes: tuple[Scope, ...] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    subject: str | None = None,
    subject_id: str | None = None,
) -> None:
    """Place a hold, on the person where the reason is about the person; the person's other cases are told.

    Raises:
        BadInput: the hold ends before it begins, reaches out of the calendar, or is on a number or address that is not named.
    """
    subject = subject if subject not in {None, "loan"} else ("person" if reason in ABOUT_THE_PERSON else "loan")
    if reason == "payment_in_flight" and until is None:
        until = IN_FLIGHT_FOR.after(case.facts.now, case.row.strategy.calendar, case.row.lender_zone)
    since = _aware(since or case.facts.now)
    for moment in (since, until or since):
        if not -FURTHEST < moment - case.facts.now < FURTHEST:
            raise BadInput("a hold begins and ends within a hundred years: leave `until` out where no end is known.")
    if until is not None and until <= since:
        raise BadInput(
            f"a hold until {until:%Y-%m-%d %H:%M} UTC would end before it begins: give a later `until`, or an earlier `since`."
        )
    own_id = case.key.loan_id if subject == "loan" else case.row.borrower_id if subject == "person" else None
    named = subject_id or own_id
    if named is None:
        raise BadInput("a hold on a contact point needs subject_id: the number or address it is on.")
    await AGREED.place_hold(
        case.conn,
        hold_id=hold_id,
        lender_id=case.key.lender_id,
        subject_kind=subject,
        subject_id=named,
        reason=reason,
        scopes=sorted(scopes or REASONS[reason]),
        since=since,
        until=until,
        source=source,
    )
    if since < case.facts.now:
        await _list_what_was_done_inside(case, hold_id, frozenset(scopes or REASONS[reason]), since, subject, named)
    await _tell_other_cases(case, f"hold {reason}")


async def _list_what_was_done_inside(
    case: CaseInHand, hold_id: str, scopes: frozenset[Scope], since: datetime, subject: str, named: str
) -> None:
    """A hold that was known too late: what it should have stopped is put right, on every loan of the person that it is about."""
    loans = {case.key.loan_id}
    if subject != "loan":
        others = AGREED.loans_of_person(case.conn, lender_id=case.key.lender_id, party_id=case.row.borrower_id)
        loans |= {r["loan_id"] async for r in others}
    value = named if subject == "contact_point" else None
    for loan_id in sorted(loans):
        key = LoanKey(case.key.lender_id, loan_id)
        await open_remedy_of_hold(case.conn, key, hold_id, scopes, since, case.facts.now, value)


async def _tell_other_cases(case: CaseInHand, what: str) -> None:
    """A fact about the person concerns every open case of the person."""
    others = AGREED.loans_of_person(case.conn, lender_id=case.key.lender_id, party_id=case.row.borrower_id)
    for loan_id in [r["loan_id"] async for r in others]:
        if loan_id != case.key.loan_id:
            await outbox.add(case.conn, type(case.key)(case.key.lender_id, loan_id), "ledger_changed", {"about": what})


async def release_hold(case: CaseInHand, message_id: str, body: said.ReleaseHold) -> None:
    """Release the loan's active holds of that id, or of that reason.

    Raises:
        BadInput: there is none.
    """
    wanted = [
        h
        for h in case.facts.holds
        if h.active(case.facts.now)
        and (h.hold_id == body.hold_id or (body.reason is not None and h.reason == body.reason))
    ]
    if not wanted:
        named = body.hold_id or body.reason or "of no name"
        raise BadInput(f"no hold {named!r} is active on loan {case.key.loan_id}: `arrears case` lists those that are.")
    for each in wanted:
        await AGREED.release_hold(case.conn, hold_id=each.hold_id, now=case.facts.now)
    await _tell_other_cases(case, "hold released")


async def raise_dispute(case: CaseInHand, message_id: str, body: said.RaiseDispute) -> None:
    """Hold the loan for a dispute, and note the part of it that is disputed, where one is named.

    Raises:
        BadInput: the loan has no such instalment.
    """
    source = body.by or "message"
    if body.instalment is not None or body.component is not None:
        await dispute_part(
            case.conn,
            case.key,
            case.today,
            instalment=body.instalment,
            component=body.component,
            source=source,
            reason=body.reason or "dispute",
        )
    await hold(case, message_id, "dispute", source=source)


async def resolve_dispute(case: CaseInHand, message_id: str, body: said.ResolveDispute) -> None:
    """End the dispute's hold, and what is noted as disputed.

    Raises:
        BadInput: nothing is disputed.
    """
    await release_hold(case, message_id, said.ReleaseHold(reason="dispute", by=body.by))
    await end_disputes(case.conn, case.key, case.today)
