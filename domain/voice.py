"""A call in which a machine speaks, as a state machine: what is asked next, and what an answer means.

Not a word of a debt, of the lender or of an amount is said before the person has shown to be the right one. Pure: the words are data
(domain/voice_words.py), and what is known is handed in anew at every turn.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from domain.loan import Frozen
from domain.outcomes import CALL, Consequence

TRIES_TO_REACH = 2  # an unanswered question is put once more, then the call ends
TRIES_TO_PROVE = 3


class Asks(StrEnum):
    """The question that the caller waits for an answer to."""

    WHO = "who"
    FACT = "fact"
    MENU = "menu"
    DAY = "day"


class Wish(StrEnum):
    """What somebody asked for by a key; each becomes a fact in the ledger."""

    PROMISE = "promise"
    CALLBACK = "callback"
    WRONG_PERSON = "wrong_person"
    ALREADY_PAID = "already_paid"
    DISPUTE = "dispute"
    OPT_OUT = "opted_out"


Stance = Literal["ask", "quiet", "clear"]
"""Whether money may be asked for now: `clear` where nothing is past due any more, `quiet` where a hold, a promise or a plan forbids it."""


class Known(Frozen):
    """What the ledger knows at this very turn.

    Attributes:
        stance: Whether money may be asked for.
        facts: What the right person alone types in: the last two figures of a postcode, one for each address.
        amount: What is past due, in the loan's currency.
        since: The oldest unpaid due date.
        today: The lender's business date.
        max_days: The furthest day of a promise, in days from today; 0 where none can be taken.
        collector: The caller collects for another, or bought the debt, and has to say so.
        voicemail: Something may be said to an answering machine.
    """

    stance: Stance
    facts: frozenset[str] = frozenset()
    amount: Decimal = Decimal(0)
    since: date | None = None
    today: date
    max_days: int = 0
    collector: bool = False
    voicemail: bool = False


class Turn(Frozen):
    """What the caller says and then asks; without a question the call ends. `lines` name words, the figures fill them."""

    lines: tuple[str, ...] = ()
    asks: Asks | None = None
    amount: Decimal | None = None
    since: date | None = None
    promised_on: date | None = None
    max_days: int | None = None


SILENCE = Turn()
"""Hang up without a word."""


class VoiceCall(Frozen):
    """A call so far. `turns` are all that were taken, so that a repeated request gets the same answer again.

    `outcome` is a code of `domain.outcomes.CALL`, as soon as there is one. `connected`: somebody answered; `effective`: somebody
    listened, for a key was pressed; `conversation`: it was spoken of the debt.
    """

    turns: tuple[Turn, ...] = ()
    tries: int = 0
    outcome: str | None = None
    connected: bool = False
    effective: bool = False
    conversation: bool = False

    @property
    def asks(self) -> Asks | None:
        """The open question."""
        return self.turns[-1].asks if self.turns else None

    def says(self, turn: Turn, **more: object) -> "VoiceCall":
        """The call with one more turn; a question that is new has no fruitless tries yet."""
        return self.model_copy(update={"turns": (*self.turns, turn), "tries": 0, **more})

    def again(self, turn: Turn) -> "VoiceCall":
        """The call with its question put once more."""
        return self.model_copy(update={"turns": (*self.turns, turn), "tries": self.tries + 1})

    def ends(self, outcome: str, *lines: str, **figures: object) -> "VoiceCall":
        """The call with its last words."""
        return self.says(Turn(lines=lines, **figures), outcome=outcome)  # type: ignore[arg-type]


Step = tuple[VoiceCall, tuple[Wish, ...]]


def picked_up(call: VoiceCall, answered_by: str, known: Known) -> VoiceCall:
    """The phone was answered, by a `human`, a `machine_...` or a `fax`; what the carrier cannot tell is taken for a human."""
    if answered_by.startswith("machine") and known.voicemail and known.stance == "ask":
        return call.ends("VOICEMAIL_LEFT", "voicemail")
    if answered_by == "fax" or answered_by.startswith("machine"):
        return call.ends("VOICEMAIL_NONE")
    call = call.model_copy(update={"connected": True})
    if known.stance != "ask":
        return call.ends("HUNG_UP", "nothing")
    return call.says(Turn(lines=("who",), asks=Asks.WHO))


def pressed(call: VoiceCall, keys: str, known: Known) -> Step:
    """An answer to the open question; `keys` is empty where none came in time.

    Raises:
        ValueError: there is no open question.
    """
    if keys:
        call = call.model_copy(update={"effective": True})
    match call.asks:
        case Asks.WHO:
            return _who(call, keys, known)
        case Asks.FACT:
            return _fact(call, keys, known), ()
        case Asks.MENU:
            return _menu(call, keys, known)
        case Asks.DAY:
            return _day(call, keys, known)
    raise ValueError("nothing was asked")


def hung_up(call: VoiceCall, answered_by: str | None = None) -> VoiceCall:
    """The line is gone; where nothing was settled before, that is the outcome."""
    if call.outcome is not None:
        return call
    if not call.turns and (answered_by or "").startswith(("machine", "fax")):
        return call.model_copy(update={"outcome": "VOICEMAIL_NONE"})
    return call.model_copy(update={"outcome": "HUNG_UP", "connected": True})


def not_reached(call: VoiceCall, outcome: str) -> VoiceCall:
    """Nobody answered: busy, no answer, or no such number. What was settled before stands."""
    return call if call.outcome is not None else call.model_copy(update={"outcome": outcome})


def step_state(outcome: str) -> Literal["done", "attempted", "impossible"]:
    """What a call's outcome means for the strategy's step."""
    code = CALL[outcome]
    if code.consequence in {Consequence.WRONG_NUMBER, Consequence.DEAD_NUMBER}:
        return "impossible"
    return "done" if code.ends_step else "attempted"


def _who(call: VoiceCall, keys: str, known: Known) -> Step:
    match keys:
        case "1" if known.stance != "ask":
            return call.ends("HUNG_UP", "nothing"), ()
        case "1" if not known.facts:
            return call.ends("RPC_CALLBACK", "call_back"), ()
        case "1":
            return call.says(Turn(lines=("fact",), asks=Asks.FACT)), ()
        case "2":
            return call.ends("THIRD_PARTY", "sorry"), ()
        case "3":
            return call.ends("WRONG_NUMBER", "wrong_number"), (Wish.WRONG_PERSON,)
        case "9":
            return call.ends("THIRD_PARTY", "opted_out"), (Wish.OPT_OUT,)
    if call.tries + 1 < TRIES_TO_REACH:
        return call.again(Turn(lines=("who",), asks=Asks.WHO)), ()
    return call.ends("THIRD_PARTY" if keys else "HUNG_UP"), ()


def _fact(call: VoiceCall, keys: str, known: Known) -> VoiceCall:
    if keys and keys in known.facts:
        return _disclosed(call, known)
    if call.tries + 1 < TRIES_TO_PROVE:
        return call.again(Turn(lines=("fact_again",), asks=Asks.FACT))
    return call.ends("THIRD_PARTY", "call_back")


def _disclosed(call: VoiceCall, known: Known) -> VoiceCall:
    """The right person is on the line."""
    if known.stance != "ask":
        return _over(call, known)
    lines = ("lender", "collector") if known.collector else ("lender",)
    return call.says(_owed(known, *lines), conversation=True)


def _owed(known: Known, *before: str) -> Turn:
    return Turn(lines=(*before, "owed", "menu"), asks=Asks.MENU, amount=known.amount, since=known.since)


def _over(call: VoiceCall, known: Known) -> VoiceCall:
    """Money may not be asked for any more: it came in the meantime, or something stands in the way."""
    if known.stance == "clear":
        return call.ends("RPC_ALREADY_PAID", "nothing_due")
    return call.ends("RPC_CALLBACK", "call_back")


def _menu(call: VoiceCall, keys: str, known: Known) -> Step:
    match keys:
        case "3":
            return call.ends("RPC_CALLBACK", "will_call"), (Wish.CALLBACK,)
        case "4":
            return call.ends("RPC_ALREADY_PAID", "paid"), (Wish.ALREADY_PAID,)
        case "5":
            return call.ends("RPC_DISPUTE", "disputed"), (Wish.DISPUTE,)
        case "9":
            return call.ends("RPC_REFUSED", "opted_out"), (Wish.OPT_OUT,)
    if known.stance != "ask":
        return _over(call, known), ()
    match keys:
        case "1":
            return call.says(_owed(known)), ()
        case "2" if known.max_days < 1:
            return call.ends("RPC_CALLBACK", "will_call"), (Wish.CALLBACK,)
        case "2":
            return call.says(Turn(lines=("day",), asks=Asks.DAY, max_days=known.max_days)), ()
    if call.tries + 1 < TRIES_TO_REACH:
        return call.again(Turn(lines=("menu",), asks=Asks.MENU)), ()
    return call.ends("HUNG_UP", "goodbye"), ()


def _day(call: VoiceCall, keys: str, known: Known) -> Step:
    if known.stance != "ask":
        return _over(call, known), ()
    days = int(keys) if keys.isascii() and keys.isdigit() else 0
    if 1 <= days <= known.max_days:
        promised_on = known.today + timedelta(days=days)
        return call.ends("RPC_PTP", "promised", amount=known.amount, promised_on=promised_on), (Wish.PROMISE,)
    if call.tries + 1 < TRIES_TO_PROVE:
        return call.again(Turn(lines=("day",), asks=Asks.DAY, max_days=known.max_days)), ()
    return call.ends("HUNG_UP", "goodbye"), ()


DIGITS: Mapping[Asks, int] = {Asks.WHO: 1, Asks.FACT: 2, Asks.MENU: 1, Asks.DAY: 2}
"""How many keys an answer has at most."""


def fact_of(postcode: str | None) -> str | None:
    """The last two figures of a postcode; None where it has fewer."""
    figures = [c for c in postcode or "" if c.isascii() and c.isdigit()]
    return "".join(figures[-2:]) if len(figures) >= 2 else None
