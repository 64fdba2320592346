"""What a compliance officer reads of a contact: each fact, each rule in its own words, and what came of it."""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.errors import BadInput
from domain.gate import Addressed, Consent, ContactRequest, GateHold, Limitation, Notice
from domain.messages import UPDATES
from ledger.explain import why, words_of
from ledger.explain.facts import facts_in_words
from ledger.posting import post_entry
from tests.ledger.judgements import HOUSE, NAME, NUMBER, TEXTED, a_life, add_judged, facts, journal, permit
from tests.ledger.samples import KEY, NOON, Pool, Standing, add_case, add_loan, entry


async def told(pool: Pool, id_: str | None = None, language: str = "en") -> list[dict[str, Any]]:
    async with pool.acquire() as conn:
        accounts: list[dict[str, Any]] = (await why(conn, KEY, id_, language))["told"]
    return accounts


async def parts(pool: Pool, id_: str, language: str = "en") -> dict[str, list[str]]:
    """One account: what it says under each label."""
    (one,) = await told(pool, id_, language)
    return {"title": [one["title"]], **{p["label"]: p["lines"] for p in one["parts"]}}


async def test_a_permitted_text(pool: Pool) -> None:
    await a_life(pool)
    said = await parts(pool, "sent")
    assert said["title"] == ["Text, to collect: permitted"]
    assert said["when"] == ["Tuesday, 10 March 2026, 13:00 in Europe/Rome (2026-03-10 12:00 UTC)"]
    assert said["to"] == ["the borrower, at the number ending in 42"]
    assert said["facts seen"] == [
        "100.00 EUR was past due, the oldest part since 1 March 2026.",
        "In the seven days before, over all debts of the person: 1 text.",
        "No hold was in force.",
        "The lender promised no payment feed.",
    ]
    hours = next(r for r in HOUSE.rules if r.id == "house.HOURS")
    assert f"{hours.says} (house.HOURS; {hours.citation}; not law)" in said["allowed by"]
    assert said["allowed by"][0].startswith("Nothing that is asked of every contact stood against it: core.")
    assert said["result"] == ["Made."]
    assert said["text"] == ["You owe 100.00 EUR. Ref ABC"]
    assert said["carrier"] == ["It took the message as SM1.", "It said last: delivered."]
    assert said["record"][0].startswith("ledger version 0, engine 1 of the gate, rulebook house ")


async def test_a_text_that_was_put_off_says_which_rule_until_when(pool: Pool) -> None:
    ids = await a_life(pool)
    said = await parts(pool, ids["deferred"])
    assert said["title"] == ["Text, to collect: put off"]
    hours, day = said["put off by"]
    assert "(house.HOURS; " in hours
    assert hours.endswith(
        "By itself it allows the contact from Wednesday, 11 March 2026, 08:00 in Europe/Rome (2026-03-11 07:00 UTC)."
    )
    assert "(house.SMS_DAY; " in day
    assert day.endswith(
        "By itself it allows the contact from Wednesday, 11 March 2026, 00:00 in Europe/Rome (2026-03-10 23:00 UTC)."
    )
    assert said["until"] == [
        "All rules together allow it from Wednesday, 11 March 2026, 08:00 in Europe/Rome (2026-03-11 07:00 UTC)."
    ]
    assert said["result"] == ["Nobody was contacted."]
    assert "Of these on the same day: 1 text." in said["facts seen"]


async def test_a_forbidden_text(pool: Pool) -> None:
    await a_life(pool)
    said = await parts(pool, "refused")
    assert said["title"] == ["Text, to collect: forbidden"]
    assert said["forbidden by"] == [
        "Whoever asked to be left alone on a channel hears nothing there but answers. (core.OPTED_OUT; always holds)"
    ]
    assert "This number or address had asked to be left alone on this channel." in said["facts seen"]


async def test_a_call_handed_out_and_a_text_in_shadow(pool: Pool) -> None:
    ids = await a_life(pool)
    call, shadow = await parts(pool, ids["task"]), await parts(pool, ids["shadow"])
    assert call["title"] == ["Call, to collect, as a task for a person: permitted"]
    assert call["result"] == ["Handed out as task L-1.1.call-1.1.", "Its outcome: NO_ANSWER."]
    assert call["record"][0].startswith("ledger version 0, ")
    assert shadow["title"] == ["Text, to collect: permitted, and only written down (shadow mode)"]
    assert shadow["result"] == ["Nobody was contacted."]


async def test_all_of_it_in_order_and_nobodys_name(pool: Pool) -> None:
    ids = await a_life(pool)
    accounts = await told(pool)
    assert [a["id"] for a in accounts] == [ids[n] for n in ("permitted", "deferred", "forbidden", "task", "shadow")]
    assert NAME not in str(accounts)
    assert NUMBER not in str(accounts)


async def test_what_was_owed_is_what_the_gate_saw(pool: Pool) -> None:
    await a_life(pool)
    await post_entry(pool, entry(amount=Decimal(60)), Standing())
    await add_judged(pool, "later", "sent", await permit(pool, facts()), ledger_version=1)
    assert (await parts(pool, "sent"))["facts seen"][0].startswith("100.00 EUR was past due")
    assert (await parts(pool, "later"))["facts seen"][0].startswith("40.00 EUR was past due")
    # A line of the journal has no version of its own: it saw what was posted before it.
    kept = await permit(pool, facts(stopped=True))
    late = await journal(pool, "deferred", permit=kept)
    assert (await parts(pool, late))["facts seen"][0].startswith("40.00 EUR was past due")


async def test_the_words_of_a_rule_are_those_of_its_day(pool: Pool) -> None:
    await a_life(pool)
    changed = "update rulebooks set digest = 'other'"
    await pool.execute(changed)
    said = await parts(pool, "sent")
    assert said["facts seen"] == ["The facts were written down in an older form: read them with --json."]
    assert "(house.HOURS; its words are not in the ledger any more)" in said["allowed by"]


async def test_a_deferral_of_an_older_release(pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    id_ = await journal(pool, "deferred", step="sms-1", rules=["house.HOURS"], until="2026-03-11T07:00:00+00:00")
    said = await parts(pool, id_)
    assert said["title"] == ["sms-1: put off"]
    assert said["put off by"] == ["(house.HOURS; its words are not in the ledger any more)"]
    assert said["until"] == ["All rules together allow it from 2026-03-11 07:00 UTC."]


@pytest.mark.parametrize(
    ("state", "values", "result"),
    [
        ("reserved", {}, "Meant, and not made so far."),
        ("cancelled", {"reason": "cured"}, "Given up before it was made: cured."),
        ("sending", {}, "On its way; the carrier's answer is not known yet."),
        ("unknown", {}, "The carrier's answer was lost. It counts as made, and is never sent again."),
        ("failed", {"reason": "no such number"}, "Refused by the carrier: no such number."),
    ],
)
async def test_what_came_of_it(pool: Pool, state: str, values: dict[str, Any], result: str) -> None:
    await add_loan(pool)
    await add_case(pool)
    await add_judged(pool, "C", state, None, error_code=30003, **values)
    said = await parts(pool, "C")
    assert said["result"] == [result]
    assert said["carrier"] == ["Its error code: 30003."]
    assert said["title"] == ["Text, to collect: not decided"]


async def test_what_programs_read(pool: Pool) -> None:
    ids = await a_life(pool)
    async with pool.acquire() as conn:
        every = await why(conn, KEY)
        one = await why(conn, KEY, ids["deferred"])
    assert [c["contact_id"] for c in every["contacts"]] == ["sent", "refused", "watched"]
    sent = every["contacts"][0]
    assert (sent["channel"], sent["state"], sent["verdict"]) == ("sms", "sent", "permit")
    assert "house.HOURS" in sent["rules"]
    assert sent["facts"]["zones"] == ["Europe/Rome"]
    assert [e["kind"] for e in every["events"]] == ["deferred", "task_opened"]
    assert every["tasks"][0]["task_id"] == ids["task"]
    assert one["put_off"][0]["rules"] == ["house.HOURS", "house.SMS_DAY"]
    assert (one["contacts"], one["events"], one["tasks"]) == ([], [], [])


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_both_languages_say_everything(pool: Pool, language: str) -> None:
    english, words = words_of("en"), words_of(language)
    assert {s: set(v) if isinstance(v, dict) else s for s, v in words._sections.items()} == {
        s: set(v) if isinstance(v, dict) else s for s, v in english._sections.items()
    }
    await a_life(pool)
    said = await parts(pool, "sent", language)
    assert said["title"] == ["Text, to collect: permitted" if language == "en" else "短信，催收：准许"]


async def test_what_the_stop_button_put_off_waits_for_its_release(pool: Pool) -> None:
    await a_life(pool)
    kept = await permit(pool, facts(stopped=True))
    put_off = await journal(pool, "deferred", rules=["core.STOPPED"], until=kept["verdict"]["until"], permit=kept)
    said = await parts(pool, put_off)
    assert said["until"] == ["The release of the stop button; the case is told of it."]
    assert "By itself it allows" not in str(said)


def test_every_line_of_the_journal_has_its_words() -> None:
    """Each kind that the code writes, as it stands there, and each message that a case can be told."""
    root = Path(__file__).parents[2]
    code = "".join(f.read_text("utf-8") for d in ("activities", "ledger") for f in (root / d).rglob("*.py"))
    kinds = set(re.findall(r'journal\(\s*"(\w+)"', code))
    kinds |= set(re.findall(r'journal_of_feed\([^)]*kind="(\w+)"', code))
    for language in ("en", "zh"):
        assert (kinds | set(UPDATES)) - set(words_of(language)._sections["journal"]) == set()


async def test_what_is_not_there(pool: Pool) -> None:
    await a_life(pool)
    with pytest.raises(BadInput, match="contact 'e999' is not one of loan default/L-1"):
        await told(pool, "e999")
    with pytest.raises(BadInput, match="--language 'fr' is not there: use one of en, zh"):
        await told(pool, None, "fr")


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        ({"owes": False}, "Nothing was past due."),
        ({"party": Addressed(role="reference", liable=False, may_discuss=False)}, "This person does not owe the debt."),
        (
            {"party": Addressed(role="reference", may_discuss=False)},
            "The debt may not be talked about with this person.",
        ),
        (
            {"zones": ("Europe/Rome", "Europe/Lisbon")},
            "It is not known which zone the person is in: Europe/Rome, Europe/Lisbon.",
        ),
        ({"point_status": "dead"}, "The number or address was marked: dead."),
        ({"point_source": "loan"}, "The number or address came from the loans file."),
        ({"point_source": "skip_trace"}, "The number or address came from skip trace."),
        (
            {"reassigned_checked_on": date(2026, 3, 1)},
            "On 1 March 2026 it was found that the number still belongs to the person.",
        ),
        ({"past": ()}, "No contact in the seven days before."),
        (
            {"past": (TEXTED.model_copy(update={"at": NOON - timedelta(days=7)}),)},
            "No contact in the seven days before.",
        ),
        (
            {"past": (TEXTED.model_copy(update={"inbound": True}),)},
            "In the seven days before, the person came to us: 1 text.",
        ),
        (
            {"past": (TEXTED.model_copy(update={"conversation": True}),)},
            "The debt was last talked about on 9 March 2026.",
        ),
        (
            {"holds": (GateHold(reason="breathing_space", scopes=("contact", "fees"), on="person"),)},
            "A hold was in force on the person: breathing space, which stops contact, fees, until somebody ends it.",
        ),
        (
            {"holds": (GateHold(reason="dispute", scopes=("contact",), until=NOON),)},
            "A hold was in force on the loan: dispute, which stops contact, until 2026-03-10 12:00 UTC.",
        ),
        (
            {"consents": (Consent(scope="sms", given_on=date(2026, 1, 1), expires_on=date(2027, 1, 1)),)},
            "Consent for texts, given on 1 January 2026, until 1 January 2027.",
        ),
        (
            {"consents": (Consent(scope="sms", given_on=date(2026, 1, 1), revoked_on=date(2026, 2, 1)),)},
            "Consent for texts, given on 1 January 2026, taken back on 1 February 2026.",
        ),
        (
            {"feed_hours": 24, "feed_at": NOON},
            "The lender's payment feed came last on 2026-03-10 12:00 UTC; it may be 24 hours old.",
        ),
        ({"feed_hours": 24}, "The lender's payment feed never came; it may be 24 hours old."),
        (
            {"pending_until": NOON + timedelta(days=1)},
            "A payment was on its way; nobody is contacted until 2026-03-11 12:00 UTC.",
        ),
        ({"stopped": True}, "The stop button was pressed."),
        ({"lead": False}, "Another case of the same person is more severe and speaks for all."),
        ({"jurisdiction_known": False}, "No rulebook governs contacts there."),
        (
            {"notices": (Notice(kind="default", served_on=date(2026, 2, 1)),)},
            "Notice served: default, on 1 February 2026.",
        ),
        ({"limitation": Limitation(expires_on=date(2030, 1, 1))}, "The debt becomes time-barred on 1 January 2030."),
        ({"holidays": (date(2026, 3, 10),)}, "It was a public holiday there."),
    ],
)
def test_each_fact_has_its_sentence(seen: dict[str, Any], sentence: str) -> None:
    request = ContactRequest(channel="sms", purpose="collect")
    with_it = facts_in_words(request, facts(**seen), (HOUSE,), None, words_of("en"))
    without = facts_in_words(request, facts(), (HOUSE,), None, words_of("en"))
    assert sentence in with_it
    assert sentence not in without


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"contact_value_known": False}, "No number or address was known."),
        ({"discloses": False}, "Its words say nothing of a debt."),
        ({"artificial_voice": True, "channel": "voice"}, "A machine would have spoken."),
        ({"channel": "filing"}, "Nobody knows when the debt becomes time-barred."),
        (
            {"channel": "letter"},
            "It goes WITHOUT the sentence about legal steps: nobody knows that the debt can still be sued for.",
        ),
        (
            {"channel": "letter", "threatens": True},
            "Its words speak of legal steps: the debt can still be sued for.",
        ),
    ],
)
def test_what_was_asked_has_its_sentence(asked: dict[str, Any], sentence: str) -> None:
    request = ContactRequest(**{"channel": "sms", "purpose": "collect"} | asked)
    assert sentence in facts_in_words(request, facts(), (HOUSE,), None, words_of("en"))
