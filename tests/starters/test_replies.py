"""What a text asks for. Each list is read by people who speak the language; a wrong guess is worse than none."""

import pytest

from ledger.inbound import Reply
from starters.replies import about

OUT = {
    "en": "STOP| stop. |Stop!! 🙏|StopAll|end|Quit|CANCEL|unsubscribe|REVOKE|opt out|Opt-Out|stop texting me|please stop texting me"
    "|Please don't text me again|Stop please|ok, stop|Hi. STOP. Thanks|stop contacting me|Do not message me any more"
    "|take me off your list|I don’t want these texts|leave me alone|quit sending me messages|Stop it now",
    "misspelt": "STPO|SOTP|TSOP|STOOP|STOPP|SSTOP|stoppppp|ST0P|S T O P|S.T.O.P|STP|STIP|UNSUSCRIBE|UNSUBSRIBE|unsubscibe|unsubscribbe"
    "|unsubscrobe|CANCLE|CANCELL|CANCL|BSATA|bastaa|退定|S\u200bTOP|ｓｔｏｐ",
    "zh": "T|td|ＴＤ|退订|退订。|我要退订|退訂|取消|不要再发了|别再给我发短信了|请停止发送|不要再骚扰我|不想收到你们的短信|别发了！|拒收",
    "es": "parar|ALTO|baja|cancelar|Basta ya|no me envíen más mensajes|Dejen de escribirme, por favor|quiero darme de baja|No quiero más SMS"
    "|quiten mi número",
    "it": "Basta!|ferma|basta per favore|Smettetela di scrivermi|non mandatemi più messaggi|Non voglio più ricevere i vostri SMS|cancellatemi dalla lista"
    "|annulla grazie",
    "hi": "रोकें|बंद करें।|कृपया बंद करो|बन्द करें|मुझे मैसेज मत भेजो|मैसेज भेजना बंद करें|स्टॉप|band karo|please message mat bhejo|sms bhejna band kar do",
    "others": "arrêt|Aufhören!|zrušit|rezygnuję|отписаться|dur",
    "with more": "I already paid, STOP texting me|stop, wrong number|this is not my debt. stop|START to respect me and stop texting me",
}
OTHERWISE = {
    "neighbours": "SHOP|STEP|TOP|POST|SPOT|STORE|SOP|SLOP|ATOP|STAMP|QUIET|QUITE|SEND|CANCER|CANAL|SUBSCRIBE|REMOTE|PASTA|PESTA|FERMATA|T2|TO|STEEP",
    "en": "|I stopped by the bank|I will stop by tomorrow|Stop by my office|The bus stop is closed|non-stop|can I cancel the visit?|the end of the month"
    "|Stopover in Rome|I want to stop paying late|I'll pay on Friday|don't contact my employer|who is this?|Yes|ok|help me",
    "not paid": "I have not paid yet|Have I already paid?|If I already paid, what then?|I will have paid by Friday|I already paid half|already paid my rent"
    "|I get paid on Friday|I can't pay|you already sent this message|todavía no he pagado|¿ya pagué?|cuando pague les aviso|ya pagué la mitad|que pague él"
    "|non ho ancora pagato|ho già pagato?|quando ho pagato vi scrivo|我还没还|我已经还不起了|我已经还了吗？|已经还了一部分|等我还了再说"
    "|मैंने भुगतान नहीं किया|क्या भुगतान हो गया|abhi payment nahi kiya|agar payment kar diya to",
    "no dispute": "I don't dispute this|no dispute|is this the wrong amount?|没有异议|le contesto mañana|ya contesto|no disputo la deuda|non contesto il debito",
    "nobody else": "is this the wrong number?|I paid to the wrong number|是不是打错了|numero sbagliato?",
    "no call": "don't call me|why do you call me every day|I will call back|不要给我打电话|non chiamatemi|no me llamen|मुझे कॉल मत करो|mujhe call mat karo",
    "later": "pago mañana|Cancelaré mañana|pago domani|我下周付|कल दूँगा|non posso",
}
PAID = {
    "en": "I already paid|I've paid!|Paid|paid it yesterday|I paid on Friday.|Hi, this was already paid, thanks|The payment has been made|We have just paid",
    "zh": "我已经还了|已还款|昨天还清了|钱已经转给你们了|還清了|我已經付款了|已付清",
    "es": "Ya pagué|ya he pagado la cuota|Sí, ya lo pagué ayer|hice la transferencia ayer|La cuota ya está pagada|he pagado",
    "it": "Ho già pagato|ho pagato ieri|già pagato|Bonifico fatto|L'ho già pagato|abbiamo fatto il bonifico",
    "hi": "मैंने पहले ही भुगतान कर दिया है|पेमेंट हो गया|मैंने किस्त जमा कर दी है|payment kar diya|maine paise bhej diye",
}
DISPUTED = {
    "en": "I dispute this debt|This is not my debt|wrong amount|the amount is wrong|I don't owe you anything|Not mine|it's not mine|I never took this loan",
    "zh": "我有异议|金额不对|不是我借的|我没有借过钱|我不欠你们钱|金額錯了",
    "es": "No es mía|no debo nada|El monto está equivocado|no reconozco esta deuda|No estoy de acuerdo|el importe no es correcto|nunca pedí un préstamo",
    "it": "Contesto questo importo|importo sbagliato|L'importo non è corretto|non è mio|non devo niente|non sono d'accordo",
    "hi": "यह लोन मेरा नहीं है|रकम गलत है|रक़म ग़लत है|मैंने कोई लोन नहीं लिया|ye mera loan nahi hai|amount galat hai",
    "and more": "I already paid, and the amount is wrong|wrong person, this is not my debt",
}
STRANGER = {
    "en": "Wrong number|you have the wrong person|wrong person!|I am not him|nobody with that name here|I don't know this person",
    "zh": "打错了|你找错人了|我不是本人|號碼錯了|我不认识这个人",
    "es": "Número equivocado|se equivocó de número|no soy esa persona|no conozco a esa persona",
    "it": "numero sbagliato|Avete sbagliato persona|non sono io|Ha sbagliato numero",
    "hi": "गलत नंबर|मैं वह व्यक्ति नहीं हूँ|galat number hai|यह मेरा नंबर नहीं उनका है",
}
CALL = {
    "en": "call me back|Please call me|can you call me tomorrow?|call me|give me a call",
    "zh": "请给我回电话|打电话给我|给我来个电话",
    "es": "Llámeme por favor|¿me pueden llamar mañana?",
    "it": "Mi richiami|potete chiamarmi domani?|chiamatemi",
    "hi": "मुझे कॉल करें|call karo|mujhe call back kare|मुझे फ़ोन कीजिए",
}
HELP = {"all": "HELP|help please|info|AIUTO|AYUDA|帮助|幫助|सहायता|मदद"}
IN = {"all": "START|unstop|Start please| start. "}


def texts(lists: dict[str, str]) -> list[str]:
    return [text for each in lists.values() for text in each.split("|")]


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        (text, reply)
        for reply, lists in {
            Reply.OPTED_OUT: OUT,
            Reply.OTHER: OTHERWISE,
            Reply.ALREADY_PAID: PAID,
            Reply.DISPUTE: DISPUTED,
            Reply.WRONG_PERSON: STRANGER,
            Reply.CALLBACK: CALL,
            Reply.HELP: HELP,
            Reply.OPTED_IN: IN,
        }.items()
        for text in texts(lists)
    ],
)
def test_what_a_text_asks_for(text: str, reply: Reply) -> None:
    assert about(text) is reply


@pytest.mark.parametrize("words", [w for lists in (PAID, DISPUTED, STRANGER, CALL, HELP, IN) for w in texts(lists)])
def test_an_opt_out_wins_over_everything_else(words: str) -> None:
    assert about(f"{words}. STOP!") is Reply.OPTED_OUT
    assert about(words, "STOP") is Reply.OPTED_OUT


@pytest.mark.parametrize(("carrier", "reply"), [("START", Reply.OPTED_IN), ("HELP", Reply.HELP), ("", Reply.DISPUTE)])
def test_the_carrier_s_own_reading_counts(carrier: str, reply: Reply) -> None:
    assert about("wrong amount", carrier) is reply
    assert about("stop", carrier) is Reply.OPTED_OUT
