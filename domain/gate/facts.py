"""What the gate is asked, what it sees, and what it answers. All of it is kept with the contact, so that the verdict can be given again."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from domain.loan import Frozen
from domain.rulebook import Channel, Purpose


class ContactRequest(Frozen):
    """A contact, or a filing, that somebody means to make.

    `discloses`: its words speak of a debt; a question for somebody's whereabouts does not. `artificial_voice`: a machine speaks.
    `threatens`: its words announce a step before a court.
    """

    channel: Channel
    purpose: Purpose
    contact_value_known: bool = True
    discloses: bool = True
    artificial_voice: bool = False
    threatens: bool = False


class PastContact(Frozen):
    """A contact that counts.

    `placed` by us, or `inbound`. `connected`: somebody answered; `effective`: answered by the right person or, for a machine's call,
    listened to; `conversation`: it was talked about the debt. `same_*`: with this loan, this very number or address, this party.
    """

    at: datetime
    channel: Channel
    purpose: Purpose
    same_loan: bool
    same_value: bool
    same_party: bool = True
    inbound: bool = False
    connected: bool = False
    effective: bool = False
    conversation: bool = False


class GateHold(Frozen):
    """A hold in force: its reason, what it stops, when it ends by itself (None while nobody knows), and what it is on."""

    reason: str
    scopes: tuple[str, ...]
    until: datetime | None = None
    on: Literal["person", "contact_point", "loan"] = "loan"


class Consent(Frozen):
    """What somebody agreed to for this number or address; the days are those of its evidence, both included."""

    scope: Literal["voice_auto", "sms", "email", "hours", "frequency", "third_party", "recording"]
    given_on: date
    expires_on: date | None = None
    revoked_on: date | None = None

    def holds(self, on: date) -> bool:
        """Whether it is in force on a day; not any more on the day it was revoked."""
        return self.given_on <= on and (self.expires_on is None or on <= self.expires_on) and not self.revoked(on)

    def revoked(self, on: date) -> bool:
        """Whether it was taken back by that day."""
        return self.revoked_on is not None and self.revoked_on <= on


class Notice(Frozen):
    """A notice that was served about this loan: its kind (`validation`, `default`, `arrears`, ...), and the day it counts as served."""

    kind: str
    served_on: date


class Limitation(Frozen):
    """When the debt becomes time-barred; None where nobody knows, and then nothing is filed or threatened."""

    expires_on: date | None = None


class Addressed(Frozen):
    """Who is contacted: the role on this loan, whether the person owes, and whether the debt may be talked about with them."""

    role: str = "borrower"
    liable: bool = True
    may_discuss: bool = True


class GateFacts(Frozen):
    """What the gate sees.

    Attributes:
        now: The gate's clock, read after the locks.
        zones: Every zone the addressed person may plausibly be in; contact hours are those common to all.
        owes: Something is past due.
        party: Who is contacted.
        point_kind: `mobile`, `landline`, `email`, `address`, where one is known.
        point_source: Where the number or address comes from, such as `tape` or `employer`.
        point_status: `active`, `dead`, `wrong`, `opted_out`, `reassigned`.
        reassigned_checked_on: When it was last found that the number still belongs to the person.
        holds: Holds in force on the person, this very contact point, or the loan.
        consents: What was agreed for this number or address.
        suppressed: This value asked to be left alone on this channel.
        stopped: The stop button is pressed.
        shadow: The lender is in shadow mode.
        jurisdiction_known: Some rulebook governs this contact.
        lead: This is the severest of the person's open cases.
        feed_at: When the lender's payment feed came last; None where none was ever promised or came.
        feed_hours: How old it may be; None where the lender promised none.
        pending_until: Until when a payment that is on its way keeps everybody quiet.
        first_contact_at: The first collect contact about this loan, in any episode.
        notices: What was served.
        limitation: When the debt becomes time-barred.
        holidays: Public holidays where the person is, from today on, as far as the rules look ahead.
        past: Contacts that count, over all loans and channels.
    """

    now: datetime
    zones: tuple[str, ...]
    owes: bool
    party: Addressed = Addressed()
    point_kind: str | None = None
    point_source: str = "tape"
    point_status: str = "active"
    reassigned_checked_on: date | None = None
    holds: tuple[GateHold, ...] = ()
    consents: tuple[Consent, ...] = ()
    suppressed: bool = False
    stopped: bool = False
    shadow: bool = False
    jurisdiction_known: bool = True
    lead: bool = True
    feed_at: datetime | None = None
    feed_hours: int | None = None
    pending_until: datetime | None = None
    first_contact_at: datetime | None = None
    notices: tuple[Notice, ...] = ()
    limitation: Limitation | None = None
    holidays: tuple[date, ...] = ()
    past: tuple[PastContact, ...] = ()


class Permit(Frozen):
    """The contact may be made now; `shadow` means that it is only written down."""

    verdict: Literal["permit"] = "permit"
    rules: tuple[str, ...]
    shadow: bool = False


class Defer(Frozen):
    """Not now; `until` is the earliest time at which every rule allows it on these facts."""

    verdict: Literal["defer"] = "defer"
    rules: tuple[str, ...]
    until: datetime


class Forbid(Frozen):
    """Not at all on these facts."""

    verdict: Literal["forbid"] = "forbid"
    rules: tuple[str, ...]


Verdict = Annotated[Permit | Defer | Forbid, Field(discriminator="verdict")]
