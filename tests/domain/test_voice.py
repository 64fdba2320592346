"""The dialogue of an automated call, walked along every path, in every language."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import pytest

import policies
from domain.errors import BadInput
from domain.outcomes import CALL
from domain.voice import (
    Asks,
    Known,
    Stance,
    Turn,
    VoiceCall,
    Wish,
    fact_of,
    hung_up,
    not_reached,
    picked_up,
    pressed,
    step_state,
)
from domain.voice_words import BEFORE_PROOF, CallBack, Cast, Lines, Words, figure_by_figure, read_words, said

FILES = sorted((policies.folder() / "voice").glob("*.toml"))
WORDS = {file.stem: read_words(file.read_text("utf-8"), file.name) for file in FILES}
LENDER = "Zenith Lending"
CAST = Cast(
    name="Ann Bell",
    lender=LENDER,
    currency="EUR",
    call_back=CallBack(business="Zed and Sons", person="Kim Hill", number="+12015550100"),
    time="14:05",
)
KNOWN = Known(
    stance="ask",
    facts=frozenset({"42", "07"}),
    amount=Decimal("123.45"),
    since=date(2026, 2, 11),
    today=date(2026, 3, 2),
    max_days=14,
    collector=True,
    voicemail=True,
)
KEYS = ("", "1", "2", "3", "4", "5", "7", "9", "14", "15", "42", "99", "0", "x", "²")


class Told(NamedTuple):
    """One turn on some path: whether the person had been verified, and what is said."""

    proven: bool
    turn: Turn
    call: VoiceCall
    wishes: tuple[Wish, ...]


def answered(by: str = "human", known: Known = KNOWN) -> VoiceCall:
    return picked_up(VoiceCall(), by, known)


def after(*keys: str, known: Known = KNOWN) -> tuple[VoiceCall, tuple[Wish, ...]]:
    """The call after these answers, and what the last one asked for."""
    call, wishes = answered(known=known), tuple[Wish, ...]()
    for each in keys:
        call, wishes = pressed(call, each, known)
    return call, wishes


def every_path(known: Known, *, then: Known | None = None) -> Iterator[Told]:
    """Each turn that some sequence of keys leads to; with `then`, from the proof on the ledger knows something else."""
    seen: set[tuple[Asks | None, int, bool]] = set()
    openings = [answered(by, known) for by in ("human", "unknown", "machine_end_beep", "machine_start", "fax")]
    waiting = [(call, False) for call in openings]
    yield from (Told(False, call.turns[-1], call, ()) for call in openings)
    while waiting:
        call, proven = waiting.pop()
        if (call.asks, call.tries, proven) in seen or call.asks is None:
            continue
        seen.add((call.asks, call.tries, proven))
        for keys in KEYS:
            now_proven = proven or (call.asks is Asks.FACT and keys in known.facts)
            following, wishes = pressed(call, keys, (then or known) if now_proven else known)
            yield Told(now_proven, following.turns[-1], following, wishes)
            waiting.append((following, now_proven))


WORLDS = [
    KNOWN.model_copy(update={"stance": stance, "facts": facts, "collector": collector, "max_days": days})
    for stance in ("ask", "quiet", "clear")
    for facts in (KNOWN.facts, frozenset())
    for collector in (True, False)
    for days in (14, 0)
]


@pytest.mark.parametrize("language", WORDS)
def test_before_the_person_is_known_nothing_tells_of_a_debt_on_any_path(language: str) -> None:
    words, heard = WORDS[language], 0
    money = ("123", "EUR", "€", "11")
    for known in WORLDS:
        for told in every_path(known):
            text = " ".join(said(words, told.turn, CAST))
            if told.proven:
                heard += LENDER in text and "123" in text
                continue
            assert words.reveals(text) is None, text
            without_number = text.replace(figure_by_figure(CAST.call_back.number), "")
            assert not [m for m in (LENDER, *money) if m in without_number], text
    assert heard  # the walk does reach the words it looks for


@pytest.mark.parametrize("language", WORDS)
def test_every_line_of_every_language_is_said_on_some_path(language: str) -> None:
    lines: set[str] = set()
    for known in WORLDS:
        for then in (None, *WORLDS):
            lines |= {line for told in every_path(known, then=then) for line in told.turn.lines}
    assert lines == set(Lines.model_fields)
    for line in lines:
        turn = Turn(lines=(line,), amount=KNOWN.amount, since=KNOWN.since, promised_on=KNOWN.today, max_days=14)
        [text] = said(WORDS[language], turn, CAST)
        assert "{" not in text


def test_every_path_ends_with_an_outcome_and_no_end_lacks_one() -> None:
    for known in WORLDS:
        for told in every_path(known):
            ended = told.call.asks is None
            assert ended == (told.call.outcome is not None)
            assert not ended or told.call.outcome in CALL
            assert ended or told.turn.lines


# --- who is there ---


def test_the_right_person_hears_who_calls_how_much_and_since_when() -> None:
    call, wishes = after("1", "42")
    assert call.turns[-1] == Turn(
        lines=("lender", "collector", "owed", "menu"), asks=Asks.MENU, amount=KNOWN.amount, since=KNOWN.since
    )
    assert (call.connected, call.effective, call.conversation, wishes) == (True, True, True, ())
    text = " ".join(said(WORDS["en"], call.turns[-1], CAST))
    assert "€123.45 has been due since February 11, 2026" in text
    assert "attempt to collect a debt" in text


def test_who_collects_for_itself_does_not_call_itself_a_collector() -> None:
    call, _ = after("1", "42", known=KNOWN.model_copy(update={"collector": False}))
    assert "collector" not in call.turns[-1].lines


@pytest.mark.parametrize(
    ("keys", "outcome", "lines", "wishes"),
    [
        (("2",), "THIRD_PARTY", ("sorry",), ()),
        (("3",), "WRONG_NUMBER", ("wrong_number",), (Wish.WRONG_PERSON,)),
        (("9",), "THIRD_PARTY", ("opted_out",), (Wish.OPT_OUT,)),
        (("", ""), "HUNG_UP", (), ()),
        (("", "7"), "THIRD_PARTY", (), ()),
        (("1", "11", "", "24"), "THIRD_PARTY", ("call_back",), ()),
        (("1", "42", "3"), "RPC_CALLBACK", ("will_call",), (Wish.CALLBACK,)),
        (("1", "42", "4"), "RPC_ALREADY_PAID", ("paid",), (Wish.ALREADY_PAID,)),
        (("1", "42", "5"), "RPC_DISPUTE", ("disputed",), (Wish.DISPUTE,)),
        (("1", "42", "9"), "RPC_REFUSED", ("opted_out",), (Wish.OPT_OUT,)),
        (("1", "42", "", ""), "HUNG_UP", ("goodbye",), ()),
        (("1", "07", "1", "1", "3"), "RPC_CALLBACK", ("will_call",), (Wish.CALLBACK,)),
        (("1", "42", "2", "14"), "RPC_PTP", ("promised",), (Wish.PROMISE,)),
        (("1", "42", "2", "0", "15", "²"), "HUNG_UP", ("goodbye",), ()),
    ],
)
def test_what_keys_lead_to(
    keys: tuple[str, ...], outcome: str, lines: tuple[str, ...], wishes: tuple[Wish, ...]
) -> None:
    call, wished = after(*keys)
    assert (call.outcome, call.turns[-1].lines, call.asks, wished) == (outcome, lines, None, wishes)


def test_silence_is_no_sign_that_somebody_listened() -> None:
    silent, _ = after("", "")
    assert (silent.connected, silent.effective, silent.conversation) == (True, False, False)
    stranger, _ = after("2")
    assert (stranger.connected, stranger.effective, stranger.conversation) == (True, True, False)


def test_a_wrong_fact_is_asked_for_again_twice() -> None:
    assert [after("1", *["00"] * n)[0].asks for n in range(4)] == [Asks.FACT, Asks.FACT, Asks.FACT, None]
    right_at_last, _ = after("1", "00", "00", "42")
    assert right_at_last.conversation


def test_who_cannot_be_verified_is_only_asked_to_call_back() -> None:
    call, _ = after("1", known=KNOWN.model_copy(update={"facts": frozenset()}))
    assert (call.outcome, call.turns[-1].lines, call.conversation) == ("RPC_CALLBACK", ("call_back",), False)


def test_a_promise_is_for_all_that_is_past_due_and_within_the_days_allowed() -> None:
    call, _ = after("1", "42", "2", "03")
    assert (call.turns[-1].amount, call.turns[-1].promised_on) == (Decimal("123.45"), date(2026, 3, 5))
    assert after("1", "42", "2")[0].turns[-1].max_days == 14
    none_allowed, wishes = after("1", "42", "2", known=KNOWN.model_copy(update={"max_days": 0}))
    assert (none_allowed.outcome, wishes) == ("RPC_CALLBACK", (Wish.CALLBACK,))


@pytest.mark.parametrize(
    ("by", "lines", "outcome"),
    [
        ("machine_end_beep", ("voicemail",), "VOICEMAIL_LEFT"),
        ("machine_start", ("voicemail",), "VOICEMAIL_LEFT"),
        ("fax", (), "VOICEMAIL_NONE"),
        ("unknown", ("who",), None),
    ],
)
def test_what_a_machine_gets(by: str, lines: tuple[str, ...], outcome: str | None) -> None:
    call = answered(by)
    assert (call.turns[-1].lines, call.outcome) == (lines, outcome)
    assert call.connected == (outcome is None)
    silent = answered(by, KNOWN.model_copy(update={"voicemail": False}))
    assert outcome is None or (silent.turns[-1].lines, silent.outcome) == ((), "VOICEMAIL_NONE")


# --- the debt as it stands at that very turn ---


@pytest.mark.parametrize(
    ("stance", "lines", "outcome"),
    [("clear", ("nothing_due",), "RPC_ALREADY_PAID"), ("quiet", ("call_back",), "RPC_CALLBACK")],
)
@pytest.mark.parametrize("before", [("1",), ("1", "42"), ("1", "42", "2")])
def test_money_that_came_during_the_call_ends_the_asking(
    stance: Stance, lines: tuple[str, ...], outcome: str, before: tuple[str, ...]
) -> None:
    call, _ = after(*before)
    call, wishes = pressed(call, "42" if call.asks is Asks.FACT else "1", KNOWN.model_copy(update={"stance": stance}))
    assert (call.turns[-1].lines, call.outcome, wishes) == (lines, outcome, ())
    assert call.turns[-1].amount is None


@pytest.mark.parametrize("stance", ["clear", "quiet"])
def test_money_that_came_before_the_call_was_answered_leaves_nothing_to_ask(stance: Stance) -> None:
    known = KNOWN.model_copy(update={"stance": stance})
    assert answered(known=known).turns[-1].lines == ("nothing",)
    assert answered("machine_end_beep", known).turns[-1].lines == ()
    assert pressed(answered(), "1", known)[0].turns[-1].lines == ("nothing",)


def test_an_opt_out_counts_whatever_stands_in_the_way() -> None:
    call, _ = after("1", "42")
    assert pressed(call, "9", KNOWN.model_copy(update={"stance": "quiet"}))[1] == (Wish.OPT_OUT,)


# --- how it ends ---


def test_who_hangs_up_midway_has_still_been_talked_to() -> None:
    heard = hung_up(after("1", "42")[0])
    assert (heard.outcome, heard.conversation) == ("HUNG_UP", True)
    assert hung_up(VoiceCall()).connected
    assert hung_up(VoiceCall(), "machine_start").outcome == "VOICEMAIL_NONE"
    assert hung_up(after("3")[0]).outcome == "WRONG_NUMBER"
    assert not_reached(VoiceCall(), "BUSY").outcome == "BUSY"
    assert not_reached(after("2")[0], "BUSY").outcome == "THIRD_PARTY"


def test_what_an_outcome_means_for_the_step() -> None:
    assert [step_state(c) for c in ("RPC_PTP", "NO_ANSWER", "HUNG_UP", "WRONG_NUMBER", "DISCONNECTED")] == [
        "done",
        "attempted",
        "attempted",
        "impossible",
        "impossible",
    ]


def test_a_call_is_the_same_after_it_was_kept() -> None:
    call, _ = after("1", "42", "2", "14")
    assert VoiceCall.model_validate(call.model_dump(mode="json", exclude_defaults=True)) == call


@pytest.mark.parametrize(
    ("postcode", "fact"),
    [("80134", "34"), ("SW1A 1AA", "11"), ("H3Z 2Y7", "27"), ("", None), (None, None), ("A1", None), ("٣٤", None)],
)
def test_the_fact_is_the_last_two_figures_of_a_postcode(postcode: str | None, fact: str | None) -> None:
    assert fact_of(postcode) == fact


# --- the words ---


def test_a_voicemail_names_whom_to_call_and_nothing_else() -> None:
    [text] = said(WORDS["en"], Turn(lines=("voicemail",)), CAST)
    for part in ("Zed and Sons", "Kim Hill", "1, 2, 0, 1, 5, 5, 5, 0, 1, 0, 0", "14:05"):
        assert part in text
    assert CAST.name not in text


ENGLISH = (policies.folder() / "voice" / "en.toml").read_text("utf-8")


@pytest.mark.parametrize("line", BEFORE_PROOF)
def test_words_that_tell_too_much_too_early_are_not_loaded(line: str) -> None:
    for slip, complaint in ((" You owe us.", "'owe'"), (" From {lender}.", "lender"), (" {amount}", "amount")):
        told = ENGLISH.replace(f'\n{line} = "', f'\n{line} = "{slip}')
        assert told != ENGLISH
        with pytest.raises(BadInput, match=f"line {line} .*{complaint}"):
            read_words(told, "en.toml")


def test_words_that_cannot_be_read_are_named() -> None:
    with pytest.raises(BadInput, match=r"voice words en.toml, key lines.menu: Field required"):
        read_words(ENGLISH.replace("\nmenu =", "\n# menu ="), "en.toml")
    with pytest.raises(BadInput, match="not valid TOML"):
        read_words("=", "en.toml")


def test_the_languages_that_calls_are_made_in() -> None:
    assert {name: words.language for name, words in WORDS.items()} == {
        "en": "en-US",
        "es": "es-ES",
        "hi": "hi-IN",
        "it": "it-IT",
        "zh": "cmn-CN",
    }
    for words in WORDS.values():
        assert isinstance(words, Words)
        assert words.reveals(words.lines.collector)
