"""The stop button and its release: what is stopped, what still holds, and who stays in shadow."""

import json

import pytest

from tests.commands import arrears
from tests.ledger.samples import Pool

LENDERS = "insert into lenders (lender_id, name, timezone) values ('acme', 'Acme', 'UTC'), ('beta', 'Beta', 'UTC')"
ALL = {"lender_id": "*", "channel": "*", "strategy": "*"}


async def _modes(pool: Pool) -> dict[str, str]:
    return {r["lender_id"]: r["mode"] for r in await pool.fetch("select * from lenders where lender_id <> 'default'")}


async def test_only_a_lender_that_is_named_leaves_shadow_mode(pool: Pool, database_url: str) -> None:
    await pool.execute(LENDERS)
    await arrears(database_url, "stop", "--reason", "a test")
    done = await arrears(database_url, "go")
    assert done.code == 0, done.err
    assert await _modes(pool) == {"acme": "shadow", "beta": "shadow"}
    assert done.out.startswith("Released: all contacts.\n")
    assert "Lender acme stays in shadow mode; `arrears go --lender acme` ends that.\n" in done.out
    assert done.err == ""

    named = json.loads((await arrears(database_url, "go", "--lender", "acme", "--json")).out)
    assert (named["released"], named["live"]) == (None, ["acme"])
    assert await _modes(pool) == {"acme": "live", "beta": "shadow"}


async def test_a_release_says_what_still_holds(pool: Pool, database_url: str) -> None:
    await arrears(database_url, "stop", "--reason", "a test")
    listed = json.loads((await arrears(database_url, "alerts", "--json")).out)
    assert [(a["kind"], a["about"]) for a in listed] == [
        ("stop", "stopped: all contacts (a test); `arrears go` releases it")
    ]
    done = await arrears(database_url, "go", "--channel", "sms")
    assert done.out.splitlines() == [
        "Nothing is released: no stop was pressed for channel sms.",
        "Still stopped: all contacts; `arrears go` releases it.",
    ]
    await arrears(database_url, "stop", "--channel", "sms")
    told = json.loads((await arrears(database_url, "go", "--channel", "sms", "--json")).out)
    assert told["released"] == {**ALL, "channel": "sms"}
    assert told["still_stopped"] == [ALL]


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (["--channel", "fax"], "channel 'fax' is unknown: use one of sms, call, voice, visit, letter, filing.\n"),
        (["--lender", "nosuch"], "lender 'nosuch' is unknown: lenders come with the loans of `arrears intake`.\n"),
        (
            ["--strategy", "nosuch"],
            "strategy 'nosuch' is not published: `arrears strategy list` shows those that are.\n",
        ),
    ],
)
async def test_what_does_not_exist_cannot_be_stopped(
    pool: Pool, database_url: str, named: list[str], sentence: str
) -> None:
    for command in ("stop", "go"):
        done = await arrears(database_url, command, *named)
        assert (done.code, done.out, done.err) == (2, "", sentence)
    assert await pool.fetchval("select count(*) from stops") == 0


async def test_rules_are_asked_for_only_where_a_lender_is_let_go(pool: Pool, database_url: str) -> None:
    await pool.execute(LENDERS)
    assert (await arrears(database_url, "go", "--lender", "acme", "--channel", "sms")).err == ""
    assert (await arrears(database_url, "go", "--lender", "acme")).err == (
        "lender acme names no rulebook: where no shipped one governs, its contacts stay forbidden until"
        " `arrears go --lender acme --rulebooks house`.\n"
    )
    assert (await arrears(database_url, "go", "--rulebooks", "house")).code == 2
