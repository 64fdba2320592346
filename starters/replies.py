"""Tells what a text from a borrower asks for. Who wants to be left alone is, in any language and however it is spelt."""

import re
import unicodedata

from ledger.inbound import Reply

# The whole text, in capitals, without accents and punctuation.
OUT = frozenset(
    """
    STOP|STOPP|STOPALL|STOP ALL|END|QUIT|CANCEL|UNSUBSCRIBE|UNSUB|REVOKE|OPT OUT|OPTOUT|OPT ME OUT|REMOVE|REMOVE ME
    |T|TD|TT|退订|退訂|取消|停止|拒收|拒绝|拒絕|不要|停|别发了|别再发了|不要再发|不要再发了|勿扰
    |BASTA|FERMA|FERMATI|FERMATE|ANNULLA|CANCELLA|CANCELLAMI|DISISCRIVI|DISISCRIVIMI|RIMUOVI
    |PARAR|PARE|PARA|ALTO|BAJA|CANCELAR|DETENER|BASTA YA|SAIR|REMOVER
    |ARRET|ARRETE|ARRETEZ|DESABONNER|DESINSCRIRE|ABMELDEN|ABBESTELLEN|AUFHOREN|HALT
    |रोकें|रोको|रुकें|रुको|बंद|बंद करें|बंद करो|ZRUSIT|ODHLASIT|WYPISZ|REZYGNUJE|ОТПИСАТЬСЯ|ОТПИСКА|DUR|IPTAL
    """.replace("\n", "")
    .replace(" |", "|")
    .replace("| ", "|")
    .strip()
    .split("|")
)
# A text that begins like this is one too: "stop texting me".
OUT_FIRST = frozenset({"STOP", "STOPALL", "STOPP", "UNSUBSCRIBE", "OPTOUT"})
OUT_ANYWHERE = re.compile(
    r"\b(DO NOT|DONT|NEVER|STOP) (TEXT|TEXTING|MESSAGE|MESSAGING|CONTACT|CONTACTING|WRITE|WRITING)\b"
    r"|\bOPT OUT\b|退订|退訂|不要再发|别再发"
)
IN = frozenset({"START", "UNSTOP"})


def plain(text: str) -> str:
    """A text in capitals, without accents, punctuation and double spaces."""
    apart = unicodedata.normalize("NFKD", text.replace("'", "").replace("\u2019", "")).upper()
    letters = "".join(c for c in apart if not _is_accent(c))
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in letters)
    return unicodedata.normalize("NFC", " ".join(kept.split()))


def _is_accent(char: str) -> bool:
    """An accent over a Latin, Greek or Cyrillic letter; the vowel signs of other scripts are letters of their own."""
    return "\u0300" <= char <= "\u036f"


OUT_PLAIN = frozenset(map(plain, OUT))


def about(text: str, carrier_says: str | None = None) -> Reply:
    """What a text asks for; `carrier_says` is the carrier's own reading (`STOP`, `START`), where it gives one."""
    said = plain(text)
    if carrier_says == "STOP" or said in OUT_PLAIN or OUT_ANYWHERE.search(said):
        return Reply.OPTED_OUT
    if said.partition(" ")[0] in OUT_FIRST:
        return Reply.OPTED_OUT
    if carrier_says == "START" or said in IN:
        return Reply.OPTED_IN
    return Reply.OTHER
