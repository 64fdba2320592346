"""Finds the words of an automated call, in the language of the person called, and writes them as TwiML."""

from functools import lru_cache
from importlib.resources import files

from pydantic import ValidationError
from twilio.twiml.voice_response import Gather, VoiceResponse

from domain.errors import BadInput
from domain.voice import DIGITS, Asks
from domain.voice_words import CallBack, Words, read_words

FALLBACK = "en"
PATIENCE = {Asks.WHO: 6, Asks.FACT: 8, Asks.MENU: 8, Asks.DAY: 8}
"""Seconds that an answer may take, after the words."""


def voice_language(language: str) -> str:
    """The language of calls for a person's language: `zh-CN` gives `zh`; one we have no words in gives English."""
    short = language.replace("_", "-").split("-")[0].lower()
    return short if (files("policies") / "voice" / f"{short}.toml").is_file() else FALLBACK


@lru_cache
def words_for(language: str) -> Words:
    """The words of a call.

    Raises:
        BadInput: the file of that language has an error.
    """
    file = files("policies") / "voice" / f"{voice_language(language)}.toml"
    return read_words(file.read_text("utf-8"), file.name)


def twiml(words: Words, sentences: tuple[str, ...], asks: Asks | None, answer_url: str) -> str:
    """What the carrier does next: say this, wait for keys and post them to `answer_url`, or hang up."""
    response = VoiceResponse()
    spoken = response
    if asks is not None:
        # Silence is an answer too: it is posted like keys.
        spoken = Gather(
            input="dtmf",
            num_digits=DIGITS[asks],
            finish_on_key="#",
            timeout=PATIENCE[asks],
            action=answer_url,
            method="POST",
            action_on_empty_result=True,
        )
        response.append(spoken)
    for sentence in sentences:
        spoken.say(sentence, language=words.language, voice=words.voice)
    if asks is None:
        response.hangup()
    return str(response)


def silence() -> str:
    """Hang up without a word."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def read_call_back(business: str, person: str, number: str) -> CallBack:
    """How the lender is reached, as settings give it.

    Raises:
        BadInput: the number is none, something is empty, or the business name would tell a stranger of a debt in some language.
    """
    try:
        call_back = CallBack(business=business, person=person, number=number)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        how = "write it as +12015550100" if name == "number" else "give a name"
        raise BadInput(f"ARREARS_VOICE_{name.upper()} cannot be used: {how}.") from None
    for file in sorted((files("policies") / "voice").iterdir(), key=lambda f: f.name):
        found = words_for(file.name.removesuffix(".toml")).reveals(business) if file.name.endswith(".toml") else None
        if found:
            raise BadInput(f"ARREARS_VOICE_BUSINESS says {found!r}: give a name that tells nobody of a debt.")
    return call_back
