"""`arrears why` and `arrears case --export`, as a person calls them."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

from domain.gate.engine_1.core import asked_for
from tests.commands import arrears
from tests.ledger.judgements import NAME, NUMBER, a_life
from tests.ledger.samples import Pool, add_loan


def columns(line: str) -> int:
    """How wide a terminal shows a line; an ideograph takes two columns."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_why_fits_a_terminal(pool: Pool, database_url: str, language: str) -> None:
    ids = await a_life(pool)
    done = await arrears(database_url, "why", "L-1", "--language", language)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert max(map(columns, lines)) <= 80
    assert [line for line in lines if line != line.rstrip()] == []
    for id_ in ids.values():
        assert any(line.startswith(f"{id_}  ") for line in lines)
    for id_ in asked_for("collect"):  # the permit names them all, one after the other
        assert any(id_ in line for line in lines)
    assert ("任务已交办" if language == "zh" else "task opened") in done.out
    assert NAME not in done.out
    assert NUMBER not in done.out


async def test_why_one_deferral(pool: Pool, database_url: str) -> None:
    ids = await a_life(pool)
    done = await arrears(database_url, "why", "default/L-1", ids["deferred"])
    text = re.sub(r"\s+", " ", done.out)
    assert text.startswith(
        f" {ids['deferred']} Text, to collect: put off when Tuesday, 10 March 2026, 22:00 in Europe/Rome"
    )
    assert "until All rules together allow it from Wednesday, 11 March 2026, 08:00 in Europe/Rome" in text
    as_json = await arrears(database_url, "why", "L-1", ids["deferred"], "--json")
    (one,) = json.loads(as_json.out)["put_off"]
    assert one["until"] == "2026-03-11T07:00:00Z"


async def test_why_names_the_ids_of_the_carrier_and_of_its_country_s_register(pool: Pool, database_url: str) -> None:
    await a_life(pool)
    await pool.execute("update loans set country = 'IN'")
    await pool.execute("insert into alerts (kind, about, raised_at) values ('second_message', 'sent SM9', now())")
    text = re.sub(r"\s+", " ", (await arrears(database_url, "why", "L-1", "sent")).out)
    assert "carrier It took the message as SM1. It named SM9 for the same contact, which ought to be one alone." in text
    assert (
        "In the DLT register of the Indian telecom regulator it needs, and nobody registered: "
        "entity, sender, template." in text
    )
    (one,) = json.loads((await arrears(database_url, "why", "L-1", "sent", "--json")).out)["contacts"]
    assert (one["carrier_id"], one["other_carrier_ids"]) == ("SM1", ["SM9"])
    assert one["registered"]["missing"] == ["entity", "sender", "template"]


async def test_why_names_a_call_that_the_carrier_has_only_begun(pool: Pool, database_url: str) -> None:
    await a_life(pool)
    await pool.execute("update contacts set channel = 'voice', carrier_id = null where contact_id = 'sent'")
    await pool.execute("insert into voice_calls (contact_id, carrier_id) values ('sent', 'CA1')")
    done = await arrears(database_url, "why", "L-1", "sent")
    assert "It took the call as CA1." in done.out
    (one,) = json.loads((await arrears(database_url, "why", "L-1", "sent", "--json")).out)["contacts"]
    assert (one["carrier_id"], one["other_carrier_ids"], one["registered"]) == ("CA1", [], None)


async def test_why_of_nothing(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    done = await arrears(database_url, "why", "L-1", "nobody")
    assert (done.code, done.out) == (2, "")
    assert done.err == "contact 'nobody' is not one of loan default/L-1: `arrears why L-1` lists them.\n"


async def test_a_case_is_exported(pool: Pool, database_url: str, tmp_path: Path) -> None:
    await a_life(pool)
    done = await arrears(database_url, "case", "L-1", "--export", tmp_path / "file")
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "file" / "index.html").is_file()
    assert str(tmp_path / "file" / "check.py") in done.out
    as_json = await arrears(database_url, "case", "L-1", "--export", tmp_path / "file", "--json")
    assert json.loads(as_json.out)["audit_head"]["hash"] in done.out
    (tmp_path / "file" / "mine.txt").write_text("mine")
    refused = await arrears(database_url, "case", "L-1", "--export", tmp_path / "file")
    assert refused.code == 2
    assert refused.err.count("\n") == 1
