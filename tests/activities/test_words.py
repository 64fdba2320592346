from datetime import date
from decimal import Decimal

import pytest

from activities import words
from activities.registered import carrier_ids, read_registrations
from activities.words import check_template, language_of, languages, refuse_bad_words, reply_text, template, text
from domain.errors import BadInput
from domain.facts import CaseFacts, Promise
from domain.position import Position
from domain.strategy import Strategy
from ledger.strategies import shipped
from tests.ledger.samples import KEY, NOON

PROMISE = Promise(promise_id="p", amount=Decimal(40), due_on=date(2026, 3, 20), status="active", captured_at=NOON)


def facts() -> CaseFacts:
    """What a text reads of a case: how much, since when, in which currency."""
    none = Decimal(0)
    where = Position(
        as_of=date(2026, 3, 10),
        arrears=Decimal("1250.50"),
        fee_arrears=none,
        outstanding=Decimal("1250.50"),
        overpaid=none,
        paid=none,
        oldest_due_on=date(2026, 3, 1),
        days_past_due=9,
        next_due_on=None,
        next_due_amount=none,
        instalments_due=1,
        instalments_paid=0,
        written_off=False,
    )
    return CaseFacts(
        key=KEY,
        position=where,
        currency="EUR",
        now=NOON,
        lender_zone="UTC",
        contact_zone="UTC",
        episode_at=NOON,
    )


def test_messages_are_written_in_five_languages() -> None:
    assert languages() == ("en", "es", "hi", "it", "zh")
    assert [language_of(each) for each in ("es-MX", "hi_IN", "ZH-Hant", "fr")] == ["es", "hi", "zh", "en"]


@pytest.mark.parametrize("strategy", shipped(), ids=lambda strategy: str(strategy.name))
def test_every_template_of_the_shipped_strategies_passes_in_every_language(strategy: Strategy) -> None:
    assert strategy.templates()
    for channel, name in strategy.templates():
        check_template(channel, name)


@pytest.mark.parametrize(
    ("language", "amount", "day"),
    [
        ("en", "€1,250.50", "March 1, 2026"),
        ("es", "1.250,50\xa0€", "1 de marzo de 2026"),
        ("hi", "€1,250.50", "1 मार्च 2026"),
        ("it", "1.250,50\xa0€", "1 marzo 2026"),
        ("zh", "€1,250.50", "2026年3月1日"),
    ],
)
def test_a_text_speaks_its_language_names_its_sender_and_says_how_to_end_it(
    language: str, amount: str, day: str
) -> None:
    said = text("gentle", language, "Acme Bank", facts(), "ABCD2345")
    assert all(part in said for part in (amount, day, "Acme Bank", "ABCD2345"))
    assert ("退订" if language == "zh" else "STOP") in said
    promised = text("promise", language, "Acme Bank", facts(), "ABCD2345", PROMISE)
    assert "40" in promised
    assert "20" in promised


def test_a_text_without_a_sender_is_not_sent() -> None:
    with pytest.raises(BadInput, match=r"message 'gentle' may not be sent: NO_SENDER \(begin with the lender's name\)"):
        text("gentle", "en", "", facts(), "ABCD2345")


def test_a_message_that_nobody_wrote() -> None:
    with pytest.raises(BadInput, match=r"put it at policies/messages/hi/rude\.txt"):
        template("rude", "hi")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{{ lender }}: final notice! Reply STOP to end texts.", "FALSE_URGENCY at “final notice”"),
        ("Pay {{ amount }}. Reply STOP to end texts.", "NO_SENDER"),
        ("{{ lender }}: {{ amount }} is open.", "NO_OPT_OUT"),
    ],
)
def test_a_bad_template_is_refused_when_it_is_loaded(monkeypatch: pytest.MonkeyPatch, source: str, fault: str) -> None:
    monkeypatch.setattr(words, "_source", lambda name: source)
    words._environment.cache_clear()
    template.cache_clear()
    try:
        with pytest.raises(BadInput, match=f"message template policies/messages/en/odd.txt may not be sent: {fault}"):
            check_template("sms", "odd")
    finally:
        monkeypatch.undo()
        words._environment.cache_clear()
        template.cache_clear()


@pytest.mark.parametrize("language", ["en", "es", "hi", "it", "zh"])
@pytest.mark.parametrize("name", ["opted_out", "opted_in", "help"])
def test_answers_have_no_word_of_a_debt(language: str, name: str) -> None:
    named, unnamed = (reply_text(name, language, lender) for lender in ("Acme Bank", ""))
    assert "Acme Bank" in named
    assert "Acme" not in unnamed
    assert unnamed[0] == unnamed[0].upper()
    assert "{" not in named + unnamed
    assert {"opted_out": "START", "opted_in": "HELP", "help": "T" if language == "zh" else "STOP"}[name] in unnamed


def test_a_lender_whose_name_speaks_of_debts_is_named_all_the_same() -> None:
    assert reply_text("help", "en", "the lender") != reply_text("help", "en", "")
    assert reply_text("opted_out", "en", "the lender").startswith("The lender: ")


def test_what_people_type_is_refused_in_one_sentence_that_quotes_it() -> None:
    typed = "Acme Bank: pay or we tell your boss. Reply STOP to end texts."
    with pytest.raises(BadInput) as error:
        refuse_bad_words(typed, "en-GB", lender="Acme Bank", channel="sms", purpose="collect")
    assert str(error.value) == (
        "the text may not be sent: SHAMING at “tell your boss” (leave out what shames the person)."
    )
    refuse_bad_words(
        "Acme Bank: thank you. Reply STOP to end texts.", "en", lender="Acme Bank", channel="sms", purpose="collect"
    )


@pytest.mark.parametrize("purpose", ["collect", "reminder", "service", "statutory"])
def test_a_text_message_must_say_how_to_end_it(purpose: str) -> None:
    with pytest.raises(BadInput, match="NO_OPT_OUT"):
        refuse_bad_words("Acme Bank: hello.", "en", lender="Acme Bank", channel="sms", purpose=purpose)


@pytest.mark.parametrize(("channel", "purpose"), [("sms", "reply"), ("letter", "collect")])
def test_replies_and_letters_need_not(channel: str, purpose: str) -> None:
    refuse_bad_words("Acme Bank: hello.", "en", lender="Acme Bank", channel=channel, purpose=purpose)


# --- registered senders and templates ---

REGISTERED = """
[IN]
registry = "DLT"
needs = ["entity", "sender", "template"]
entity = "1101234567890123456"
sender = "EXMPLB"
[IN.templates.hi]
gentle = "1107123456789012345"
"""


def test_the_ids_that_a_country_asks_for() -> None:
    book = read_registrations(REGISTERED)
    ids = carrier_ids("gentle", "hi-IN", "IN", book)
    assert ids is not None
    assert (ids.entity, ids.sender, ids.template, ids.missing) == (
        "1101234567890123456",
        "EXMPLB",
        "1107123456789012345",
        (),
    )
    other = carrier_ids("firm", "hi-IN", "IN", book)
    assert other is not None
    assert (other.template, other.missing) == (None, ("template",))
    assert carrier_ids("gentle", "hi", "IT", book) is None


def test_what_ships_makes_no_ids_up() -> None:
    assert {
        country: ids.missing if (ids := carrier_ids("gentle", "zh", country)) else None
        for country in ("IN", "CN", "US")
    } == {"IN": ("entity", "sender", "template"), "CN": ("sender", "template"), "US": None}


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("gentle =", "gentel =", "put it at policies/messages/hi/gentel.txt"),
        ("templates.hi", "templates.fr", "key IN.templates.fr: there are no messages in that language"),
        ('"entity",', '"entities",', "key IN.needs.0"),
        ("EXMPLB", "EXM PLB", "key IN.sender"),
        ("[IN]", "[India]", "key India"),
        ("[IN]", "[IN", "is no TOML"),
    ],
)
def test_a_registration_that_cannot_be_used(before: str, after: str, fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        read_registrations(REGISTERED.replace(before, after, 1))
