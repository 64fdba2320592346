"""What holds of every verdict, whatever the rules and the facts."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.gate import (
    Addressed,
    Consent,
    ContactRequest,
    Defer,
    GateFacts,
    GateHold,
    Limitation,
    Notice,
    PastContact,
    Permit,
    decide,
)
from domain.holds import REASONS
from domain.rulebook import Rule, Rulebook
from domain.rulebook.rules import (
    ConsentNeeded,
    FreshFeed,
    HeldBy,
    Hours,
    LeadOnly,
    Limit,
    NoticeNeeded,
    NotOptedOut,
    NotTimeBarred,
    PendingPayment,
    Place,
    Silence,
    ThirdParty,
)
from tests.domain.gate.asking import TICK, alone

START = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ["Europe/Rome", "America/New_York", "America/Los_Angeles", "Asia/Shanghai", "America/Santiago", "Asia/Kolkata"]
CHANNELS = ["sms", "call", "voice"]
PURPOSES = ["collect", "reminder"]
AGAIN = {"x.FRESH", "x.LEAD", "x.HELD", "core.STOPPED", "core.HELD"}  # they ask again, rather than know when

minutes = st.integers(-40 * 24 * 60, 20 * 24 * 60).map(lambda m: timedelta(minutes=m))
days = st.integers(-70, 20).map(lambda d: timedelta(days=d))


def rule(kind: type, name: str, word: str, **more: Any) -> st.SearchStrategy[Any]:
    channels = st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True).map(tuple)
    return st.builds(
        kind,
        id=st.just(f"x.{name}"),
        kind=st.just(word),
        says=st.just("-"),
        citation=st.just("-"),
        status=st.just("house"),
        purposes=st.just(tuple(PURPOSES)),
        channels=channels,
        **more,
    )


count, span = st.integers(1, 4), st.integers(1, 10)
consent_days = st.none() | st.integers(1, 10)
RULES: st.SearchStrategy[Rule] = st.one_of(
    rule(
        Hours,
        "HOURS",
        "hours",
        start=st.integers(0, 11).map(time),
        end=st.integers(12, 23).map(time),
        weekdays=st.lists(st.integers(1, 7), min_size=1, unique=True).map(tuple),
        other_days=st.sampled_from(["closed", "open"]),
        on_holidays=st.booleans(),
        lifted_by_consent=st.booleans(),
    ),
    rule(
        Limit,
        "LIMIT",
        "limit",
        count=count,
        days=span,
        per=st.sampled_from(["person", "loan", "value"]),
        counts=st.sampled_from(["placed", "connected", "unanswered", "effective", "conversation"]),
        lifted_by_consent=st.booleans(),
        consent_days=consent_days,
    ),
    rule(
        Silence,
        "SILENCE",
        "silence",
        days=span,
        per=st.sampled_from(["person", "loan"]),
        lifted_by_consent=st.booleans(),
        consent_days=consent_days,
    ),
    rule(
        ConsentNeeded,
        "CONSENT",
        "consent",
        scope=st.sampled_from(["sms", "voice_auto"]),
        max_age_days=st.none() | st.integers(1, 60),
        reassigned_check=st.booleans(),
        artificial_only=st.booleans(),
    ),
    rule(HeldBy, "HELD", "held", reasons=st.sampled_from(sorted(REASONS)).map(lambda r: (r,))),
    rule(NotOptedOut, "OPTED", "opted_out"),
    rule(ThirdParty, "THIRD", "third_party", locate=st.none() | st.integers(0, 2)),
    rule(Place, "PLACE", "place", sources=st.just(("employer",))),
    rule(
        NoticeNeeded,
        "NOTICE",
        "notice",
        notice=st.just("validation"),
        min_days_since=st.integers(0, 30),
        grace_days=st.none() | st.integers(0, 9),
    ),
    rule(NotTimeBarred, "LIMITATION", "limitation"),
    rule(FreshFeed, "FRESH", "fresh", retry_hours=st.integers(1, 24)),
    rule(PendingPayment, "PENDING", "pending"),
    rule(LeadOnly, "LEAD", "lead", retry_days=st.integers(1, 9)),
)


@st.composite
def facts(draw: st.DrawFn) -> GateFacts:
    """Anything that may be known; mostly of somebody who may be contacted, so that rules get to speak."""
    now = START + timedelta(minutes=draw(st.integers(0, 500 * 24 * 60)))

    def day() -> Any:
        return now.date() + draw(days)

    def maybe(value: st.SearchStrategy[Any], otherwise: Any) -> Any:
        return draw(value) if draw(st.integers(0, 9)) == 7 else otherwise

    contacts = [
        PastContact(
            at=now + min(draw(minutes), timedelta(0)),
            channel=draw(st.sampled_from(CHANNELS)),
            purpose=draw(st.sampled_from(PURPOSES)),
            **{
                flag: draw(st.booleans())
                for flag in (
                    "same_loan",
                    "same_value",
                    "same_party",
                    "inbound",
                    "connected",
                    "effective",
                    "conversation",
                )
            },
        )
        for _ in range(draw(st.integers(0, 8)))
    ]
    holds = [
        GateHold(
            reason=draw(st.sampled_from(sorted(REASONS))),
            scopes=draw(st.sampled_from([("contact",), ("legal",), ()])),
            until=draw(st.none() | st.integers(1, 9999).map(lambda m: now + timedelta(minutes=m))),
        )
        for _ in range(maybe(st.integers(1, 2), 0))
    ]
    consents = [
        Consent(
            scope=draw(st.sampled_from(["sms", "voice_auto", "hours", "frequency"])),
            given_on=day(),
            expires_on=day() if draw(st.booleans()) else None,
            revoked_on=day() if draw(st.integers(0, 4)) == 0 else None,
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    return GateFacts(
        now=now,
        zones=tuple(draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True))),
        owes=maybe(st.booleans(), True),
        party=maybe(st.builds(Addressed, liable=st.booleans(), may_discuss=st.booleans()), Addressed()),
        point_source=maybe(st.just("employer"), "tape"),
        point_status=maybe(st.sampled_from(["dead", "opted_out"]), "active"),
        reassigned_checked_on=day() if draw(st.booleans()) else None,
        holds=tuple(holds),
        consents=tuple(consents),
        suppressed=maybe(st.booleans(), False),
        stopped=maybe(st.booleans(), False),
        lead=maybe(st.booleans(), True),
        feed_at=now + min(draw(minutes), timedelta(0)) if draw(st.booleans()) else None,
        feed_hours=maybe(st.integers(1, 48), None),
        pending_until=now + draw(minutes) if draw(st.integers(0, 4)) == 0 else None,
        first_contact_at=now + min(draw(minutes), timedelta(0)) if draw(st.booleans()) else None,
        notices=tuple(Notice(kind="validation", served_on=day()) for _ in range(draw(st.integers(0, 2)))),
        limitation=maybe(st.just(Limitation()), Limitation(expires_on=day() + timedelta(days=70))),
        holidays=tuple(sorted(now.date() + timedelta(days=draw(st.integers(0, 9))) for _ in range(2))),
        past=tuple(contacts),
    )


requests = st.builds(
    ContactRequest,
    channel=st.sampled_from(CHANNELS),
    purpose=st.sampled_from(PURPOSES),
    discloses=st.booleans(),
    artificial_voice=st.booleans(),
    threatens=st.booleans(),
)
books = st.lists(RULES, max_size=6).map(lambda rules: [alone(rule) for rule in rules])
any_case = settings(deadline=None, max_examples=200)


def at(known: GateFacts, now: datetime) -> GateFacts:
    return known.model_copy(update={"now": now})


@any_case
@given(requests, facts(), books)
def test_a_deferral_lies_ahead_and_is_kept(request: ContactRequest, known: GateFacts, rules: list[Rulebook]) -> None:
    """Asked again at its end, only rules that do not know when may still speak."""
    said = decide(request, known, rules)
    if isinstance(said, Defer):
        assert said.until > known.now
        then = decide(request, at(known, said.until), rules)
        assert isinstance(then, Permit) or set(then.rules) <= AGAIN


@any_case
@given(requests, facts(), books, st.lists(st.floats(0, 1, exclude_max=True), max_size=12))
def test_no_moment_before_the_deferral_is_permitted(
    request: ContactRequest, known: GateFacts, rules: list[Rulebook], moments: list[float]
) -> None:
    said = decide(request, known, rules)
    if isinstance(said, Permit):
        return
    until = said.until if isinstance(said, Defer) else known.now + timedelta(days=400)
    tries = [known.now + (until - known.now) * part for part in moments]
    hours_before = [until - TICK, *(until - timedelta(hours=h) for h in (1, 6, 12, 24))]
    for moment in (m for m in [*tries, *hours_before] if known.now < m < until):
        assert not isinstance(decide(request, at(known, moment), rules), Permit), moment


@any_case
@given(requests, facts(), books, st.randoms(use_true_random=False))
def test_the_order_of_rulebooks_does_not_matter(
    request: ContactRequest, known: GateFacts, rules: list[Rulebook], chance: Any
) -> None:
    said = decide(request, known, rules)
    shuffled = list(rules)
    chance.shuffle(shuffled)
    again = decide(request, known, shuffled)
    assert again.verdict == said.verdict
    if isinstance(said, Defer) and isinstance(again, Defer):
        assert again.until == said.until
        assert sorted(again.rules) == sorted(said.rules)


@any_case
@given(requests, facts(), books, RULES)
def test_one_more_rule_never_permits_more(
    request: ContactRequest, known: GateFacts, rules: list[Rulebook], more: Rule
) -> None:
    before, after = decide(request, known, rules), decide(request, known, [*rules, alone(more)])
    if not isinstance(before, Permit):
        assert not isinstance(after, Permit)
    if isinstance(before, Defer) and isinstance(after, Defer):
        assert after.until >= before.until


@any_case
@given(requests, facts(), books)
def test_a_verdict_outlives_its_way_through_json(
    request: ContactRequest, known: GateFacts, rules: list[Rulebook]
) -> None:
    """Kept facts and rulebooks give the same verdict again."""
    kept = [Rulebook.model_validate(b.model_dump(mode="json", exclude_defaults=True)) for b in rules]
    seen = GateFacts.model_validate(known.model_dump(mode="json", exclude_defaults=True))
    asked = ContactRequest.model_validate(request.model_dump(mode="json", exclude_defaults=True))
    assert decide(asked, seen, kept) == decide(request, known, rules)
