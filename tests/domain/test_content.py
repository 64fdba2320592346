"""What may not be said. The lists of bad and good sentences are read by people who speak the language."""

import pytest

from activities.words import word_books
from domain.content import ContentRule, Finding, check_words

T, U, D, S, N, A, H = (
    ContentRule.THREAT,
    ContentRule.FALSE_URGENCY,
    ContentRule.DISCLOSURE,
    ContentRule.NO_SENDER,
    ContentRule.NO_OPT_OUT,
    ContentRule.FALSE_AUTHORITY,
    ContentRule.SHAMING,
)
BAD = {
    "en": [
        ("Pay or you will be arrested.", T, "arrested"),
        ("We will sue you next week.", T, "will sue"),
        ("Your case goes to court unless you pay.", T, "to court"),
        ("We will seize your car.", T, "seize your car"),
        ("You will regret this.", T, "You will regret"),
        ("FINAL NOTICE: 50 EUR is open.", U, "FINAL NOTICE"),
        ("Please pay within 24 hours.", U, "within 24 hours"),
        ("This is the police, call us.", A, "This is the police"),
        ("Everyone will know that you do not pay.", H, "Everyone will know"),
        ("We will tell your employer about it.", H, "tell your employer"),
    ],
    "zh": [
        ("再不还款将起诉您。", T, "起诉"),
        ("不还就等着坐牢！", T, "坐牢"),
        ("后果自负。", T, "后果自负"),
        ("这是最后通知。", U, "最后通知"),
        ("请在24小时内付款。", U, "24小时内"),
        ("我们是公安局。", A, "我们是公安"),
        ("你这个老赖！", H, "老赖"),
        ("我们会通知你的家人和单位。", H, "通知你的家人"),
        ("律師函已寄出", T, "律師"),
    ],
    "es": [
        ("Irá a la cárcel si no paga.", T, "cárcel"),
        ("Vamos a embargarle el sueldo.", T, "embargarle"),
        ("Iniciaremos acciones legales.", T, "acciones legales"),
        ("Aténgase a las consecuencias.", T, "Aténgase a las consecuencias"),
        ("ÚLTIMO AVISO", U, "ÚLTIMO AVISO"),
        ("Pague ahora mismo.", U, "Pague ahora mismo"),
        ("Le habla la policía", A, "Le habla la policía"),
        ("Es usted un sinvergüenza.", H, "sinvergüenza"),
        ("Avisaremos a su jefe.", H, "Avisaremos a su jefe"),
    ],
    "it": [
        ("Rischia il carcere.", T, "carcere"),
        ("Pignoreremo il suo stipendio.", T, "Pignoreremo"),
        ("Procederemo per vie legali.", T, "vie legali"),
        ("Il nostro avvocato la contatterà.", T, "nostro avvocato"),
        ("Ultimo avviso!", U, "Ultimo avviso"),
        ("Paghi entro 24 ore.", U, "entro 24 ore"),
        ("Qui è il tribunale, siamo il tribunale.", A, "siamo il tribunale"),
        ("Si vergogni!", H, "vergogni"),
        ("Informeremo i suoi vicini.", H, "Informeremo i suoi vicini"),
    ],
    "hi": [
        ("भुगतान न करने पर जेल होगी।", T, "जेल"),
        ("आपके खिलाफ कानूनी कार्रवाई करेंगे।", T, "कानूनी कार्रवाई"),
        ("आपका घर कुर्क हो जाएगा।", T, "कुर्क"),
        ("यह अंतिम चेतावनी है।", U, "अंतिम चेतावनी"),
        ("24 घंटे में भुगतान करें।", U, "24 घंटे में"),
        ("हम पुलिस से बोल रहे हैं।", A, "हम पुलिस"),
        ("आप चोर हैं।", H, "चोर"),
        ("आपके पड़ोसियों को बता देंगे।", H, "पड़ोसियों को बता देंगे"),
        ("paise do warna jail jaoge", T, "jail"),
    ],
}
GOOD = {
    "en": [
        "If you cannot pay at once, tell us and we look for a way together.",
        "You are free to ask a lawyer or a debt advice service for help.",
        "This is not a final notice.",
        "We answer within 24 hours.",
        "Nothing is urgent here: take your time.",
        "There is nothing to be ashamed of.",
        "No legal action has been taken and none is planned.",
        "Please pay by 3 June, or write to us.",
        "We take your account of it seriously and take the 50 EUR off.",
    ],
    "zh": [
        "如暂时无法全额支付，请回复我们，一起商量可行的安排。",
        "这不是最后通知。",
        "您可以向律师或法律援助机构咨询。",
        "我们会在24小时内回复您。",
        "您的还款已收到，谢谢。",
        "请于6月3日前付款。",
        "我们不会联系您的家人。",
    ],
    "es": [
        "Sin embargo, podemos acordar cuotas más pequeñas.",
        "Si no puede pagar todo de una vez, escríbanos.",
        "Le responderemos en 24 horas.",
        "No es urgente.",
        "Puede consultar a un abogado.",
        "Para detener los mensajes, responda STOP.",
        "No avisaremos a su familia.",
    ],
    "it": [
        "Se non può pagare subito, ci scriva.",
        "Può chiedere consiglio a un avvocato.",
        "Le risponderemo entro 24 ore.",
        "Estinzione anticipata senza penali.",
        "La preghiamo di pagare entro il 3 giugno.",
        "Non è urgente.",
        "Nessuna azione legale è prevista.",
        "La sua richiesta è stata presa in carico.",
    ],
    "hi": [
        "यदि एक साथ भुगतान न हो सके तो हमें बताएँ।",
        "कृपया 3 जून तक भुगतान करें।",
        "हम 24 घंटे में जवाब देंगे।",
        "आप अपने वकील से सलाह ले सकते हैं।",
        "आपका भुगतान मिल गया, धन्यवाद।",
        "शर्म की कोई बात नहीं है।",
    ],
}


def found(text: str, language: str = "en", **more: object) -> list[Finding]:
    usual: dict[str, object] = {"lender": None, "channel": "sms", "purpose": "collect", "needs_opt_out": False}
    return check_words(text, word_books(), language, **usual | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("language", "case"), [(language, case) for language, cases in BAD.items() for case in cases])
def test_bad_words_are_found_and_quoted_as_written(language: str, case: tuple[str, ContentRule, str]) -> None:
    text, rule, words = case
    quotes = [each.words for each in found(text, language) if each.rule is rule]
    assert any(words in quote for quote in quotes), found(text, language)


@pytest.mark.parametrize(("language", "text"), [(language, text) for language, texts in GOOD.items() for text in texts])
def test_good_words_pass(language: str, text: str) -> None:
    assert found(text, language) == []


@pytest.mark.parametrize(
    ("channel", "purpose", "rules"),
    [("letter", "collect", []), ("letter", "statutory", []), ("letter", "service", [T]), ("sms", "statutory", [T])],
)
def test_only_a_letter_that_may_speak_of_courts_does(channel: str, purpose: str, rules: list[ContentRule]) -> None:
    words = "If we hear nothing we may bring the claim before a court."
    assert [f.rule for f in found(words, channel=channel, purpose=purpose)] == rules
    assert [f.rule for f in found("You will go to prison.", channel=channel, purpose=purpose)] == [T]


@pytest.mark.parametrize(
    ("lender", "text", "missing"),
    [
        ("Acme Bank", "acme bank: 50 EUR is open.", False),
        ("Banca Rossi, S.p.A.", "Banca Rossi, S.p.A.: 50 EUR sono aperti.", False),
        ("蚂蚁小贷", "【蚂蚁小贷】您好", False),
        ("Acme Bank", "50 EUR is open at Acme.", True),
        ("Ace", "Please place 50 EUR.", True),
        ("", "50 EUR is open.", True),
        ("!", "! 50 EUR is open.", True),
    ],
)
def test_the_sender_is_named(lender: str, text: str, missing: bool) -> None:
    assert (Finding(rule=S) in found(text, lender=lender)) is missing


def test_a_lender_s_own_name_is_no_threat() -> None:
    assert found("Police Officers Court Bank: hello.", lender="Police Officers Court Bank") == []
    assert found("POLICE OFFICERS COURT BANK: hello.", lender="Police Officers Court Bank") == []


@pytest.mark.parametrize(
    ("language", "text", "missing"),
    [
        ("en", "Reply STOP to end texts.", False),
        ("en", "Please stop by.", True),
        ("zh", "回复 T 退订。", False),
        ("zh", "Reply STOP to end texts.", True),
        ("es", "Responda STOP para no recibir más SMS.", False),
        ("es", "Responda cuando pueda.", True),
        ("it", "Risponda STOP per non ricevere SMS.", False),
        ("it", "Ci scriva.", True),
        ("hi", "SMS बंद करने के लिए STOP लिखकर भेजें।", False),
        ("hi", "हमें लिखें।", True),
        ("xx", "Reply STOP to end texts.", True),
    ],
)
def test_how_to_end_texts_is_said_in_the_language_of_the_text(language: str, text: str, missing: bool) -> None:
    assert (Finding(rule=N) in found(text, language, needs_opt_out=True)) is missing
    assert found(text, language) == []


@pytest.mark.parametrize(
    ("language", "bad", "good"),
    [
        ("en", "Ann has a loan with us.", "Please ask Ann to call us."),
        ("zh", "他的贷款逾期了。", "请转告他给我们回电。"),
        ("es", "Ana tiene una deuda.", "Dígale a Ana que nos llame."),
        ("it", "Anna ha una rata scaduta.", "Dica ad Anna di richiamarci."),
        ("hi", "उनका लोन बकाया है।", "उनसे कहें कि हमें फोन करें।"),
    ],
)
def test_nobody_else_reads_of_a_debt(language: str, bad: str, good: str) -> None:
    assert D in {f.rule for f in found(bad, language, third_party=True)}
    assert found(good, language, third_party=True) == []
    assert found(bad, language) == []


def test_nobody_else_on_the_loan_is_named() -> None:
    assert found("Bo Li pays for it too.", party_names=("Bo Li", "王小明")) == [Finding(rule=D, words="Bo Li")]
    assert found("请转告王小明先生", "zh", party_names=("Bo Li", "王小明")) == [Finding(rule=D, words="王小明")]
    assert found("We stand beside Bo Ling.", party_names=("Bo Li", "")) == []


def test_a_text_is_held_against_every_language() -> None:
    assert [f.rule for f in found("Hola, final warning!", "es")] == [U]
