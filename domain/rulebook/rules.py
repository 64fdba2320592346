"""Contact rules as figures, each with its citation. Data; the gate (domain/gate) knows what they mean."""

from datetime import time
from typing import Annotated, Literal

from pydantic import Field, model_validator

from domain.loan import Frozen

Purpose = Literal["collect", "reminder", "statutory", "service", "reply"]
Channel = Literal["sms", "call", "voice", "visit", "letter", "filing"]
ALL_CHANNELS: tuple[Channel, ...] = ("sms", "call", "voice", "visit", "letter", "filing")
LoanPurpose = Literal["consumer", "business"]
CreditorRole = Literal["original", "servicer", "agency", "buyer"]
Status = Literal["confirmed", "secondary", "unconfirmed", "house"]


class RuleBase(Frozen):
    """What every rule carries.

    Attributes:
        id: Permanent, `pack.NAME`.
        says: The rule in one sentence, for a compliance officer.
        purposes: The purposes that it limits.
        channels: The channels that it limits; `voice` is a call in which a machine speaks, `filing` a step before a court.
        citation: Where it is written.
        status: `confirmed` (the text was read), `secondary` (a secondary source states it), `unconfirmed` (nobody checked: off
            unless the lender chooses it), or `house` (a default of ours, not law).
        default_on: Whether it holds without being chosen.
    """

    id: str = Field(pattern=r"^[a-z0-9-]+\.[A-Z0-9_]+$")
    says: str
    purposes: tuple[Purpose, ...] = ("collect",)
    channels: tuple[Channel, ...] = ("sms", "call", "voice", "visit")
    citation: str
    status: Status
    default_on: bool = True

    @model_validator(mode="after")
    def _unconfirmed_is_off(self) -> "RuleBase":
        if self.status == "unconfirmed" and self.default_on:
            raise ValueError(f"rule {self.id} is unconfirmed and must be off unless chosen: set default_on = false")
        return self


class Hours(RuleBase):
    """Contact only from `start` to `end` in the person's own time, on these weekdays (1 is Monday).

    On `other_days` nobody is contacted (`closed`), or the rule says nothing about them (`open`).
    """

    kind: Literal["hours"]
    start: time
    end: time
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field((1, 2, 3, 4, 5, 6, 7), min_length=1)
    other_days: Literal["closed", "open"] = "closed"
    on_holidays: bool = True
    lifted_by_consent: bool = False

    @model_validator(mode="after")
    def _runs_forward(self) -> "Hours":
        if self.start >= self.end:
            raise ValueError(f"rule {self.id} ends before it starts: give the hours of one day")
        return self


class Limit(RuleBase):
    """At most `count` contacts in `days` consecutive local days, today included, per person, debt or contact value.

    `counts` says which: `placed` by us; of those `connected`, `unanswered`, `effective` (see `PastContact`) or `conversation`.
    `lifted_by_consent`: by one about frequency, as long as it holds or, where set, for `consent_days`, its own day being the first;
    what was placed in that time does not count.
    """

    kind: Literal["limit"]
    count: int = Field(ge=1)
    days: int = Field(ge=1, le=366)
    per: Literal["person", "loan", "value"]
    counts: Literal["placed", "connected", "unanswered", "effective", "conversation"] = "placed"
    lifted_by_consent: bool = False
    consent_days: int | None = Field(None, ge=1)


class Silence(RuleBase):
    """No contact for `days` local days after a conversation on these channels, whoever began it; its own day is day 1.

    A consent lifts it as it lifts a `Limit`.
    """

    kind: Literal["silence"]
    days: int = Field(ge=1, le=366)
    per: Literal["person", "loan"]
    lifted_by_consent: bool = False
    consent_days: int | None = Field(None, ge=1)


class ConsentNeeded(RuleBase):
    """Only with a consent of this scope for this very number; given or refreshed at most `max_age_days` ago where that is set.

    `reassigned_check`: a check, as recent, that the number still belongs to the person stands in for the age. `artificial_only`:
    only where a machine speaks.
    """

    kind: Literal["consent"]
    scope: Literal["voice_auto", "sms", "email", "third_party", "recording"]
    max_age_days: int | None = Field(None, ge=1)
    reassigned_check: bool = False
    artificial_only: bool = False


class HeldBy(RuleBase):
    """Not while a hold of one of these reasons is in force (attorney, cease, insolvency, breathing space, ...)."""

    kind: Literal["held"]
    reasons: tuple[str, ...] = Field(min_length=1)


class NotOptedOut(RuleBase):
    """Not where the person asked to be left alone on this channel."""

    kind: Literal["opted_out"]


class ThirdParty(RuleBase):
    """Nobody who neither owes nor may discuss the debt hears of it; without a word of it `locate` contacts are allowed in all.

    Where `locate` is not set, the rule does not limit those.
    """

    kind: Literal["third_party"]
    locate: int | None = Field(None, ge=0)


class Place(RuleBase):
    """Not at a number or address of these sources, such as the employer's."""

    kind: Literal["place"]
    sources: tuple[str, ...] = Field(min_length=1)


class NoticeNeeded(RuleBase):
    """Only once a notice of this kind was served `min_days_since` days ago; until `grace_days` after the first contact it may be missing."""

    kind: Literal["notice"]
    notice: str
    min_days_since: int = Field(0, ge=0)
    grace_days: int | None = Field(None, ge=0)


class NotTimeBarred(RuleBase):
    """No filing, and no words that announce one, once the debt is time-barred, nor while nobody knows when it will be."""

    kind: Literal["limitation"]


class FreshFeed(RuleBase):
    """Not while the lender's payment feed is older than the lender promised."""

    kind: Literal["fresh"]
    retry_hours: int = Field(4, ge=1)


class PendingPayment(RuleBase):
    """Not while a payment is on its way."""

    kind: Literal["pending"]


class LeadOnly(RuleBase):
    """Of a person's open cases the severest alone reaches out; the others ask again after `retry_days`."""

    kind: Literal["lead"]
    retry_days: int = Field(7, ge=1)


Rule = Annotated[
    Hours
    | Limit
    | Silence
    | ConsentNeeded
    | HeldBy
    | NotOptedOut
    | ThirdParty
    | Place
    | NoticeNeeded
    | NotTimeBarred
    | FreshFeed
    | PendingPayment
    | LeadOnly,
    Field(discriminator="kind"),
]


class Scope(Frozen):
    """Which contacts a rulebook governs: by country of the person or of the law, the loan's purpose, the creditor's role; empty is any."""

    countries: tuple[str, ...] = ()
    purposes: tuple[LoanPurpose, ...] = ()
    creditor_roles: tuple[CreditorRole, ...] = ()


class Rulebook(Frozen):
    """A pack of rules by its name; one without `applies` governs only where a lender or a strategy names it."""

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    about: str
    applies: Scope | None = None
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _ids_are_its_own(self) -> "Rulebook":
        ids = [rule.id for rule in self.rules]
        if strange := next((i for i in ids if not i.startswith(f"{self.name}.")), None):
            raise ValueError(f"rule {strange} belongs to another rulebook: let its id begin with '{self.name}.'")
        if twice := next((i for i in ids if ids.count(i) > 1), None):
            raise ValueError(f"rule {twice} is there twice: give each rule an id of its own")
        return self

    def in_force(self, chosen: frozenset[str]) -> "Rulebook":
        """The rules in force where a lender chose these beyond the defaults."""
        return self.model_copy(update={"rules": tuple(r for r in self.rules if r.default_on or r.id in chosen)})
