"""The commands about rules, as a person calls them."""

import json
from pathlib import Path

from domain.gate.engine_1 import CORE
from ledger.tape import take_in
from tests.commands import arrears
from tests.domain.gate.asking import shipped
from tests.ledger.samples import Pool, Standing
from tests.ledger.tape.tapes import GOOD, written

NOWHERE = "postgresql://nowhere.invalid/none"


async def test_the_list_names_every_rule_within_eighty_columns() -> None:
    done = await arrears(NOWHERE, "rules", "list")
    assert done.code == 0, done.err
    for rule in (rule.id for book in shipped().values() for rule in book.rules):
        assert f"  {rule} " in done.out
    for rule in CORE:
        assert f"  {rule}\n" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    listed = json.loads((await arrears(NOWHERE, "rules", "list", "--json")).out)
    assert [book["name"] for book in listed] == list(shipped())


async def test_a_rule_is_shown_in_words() -> None:
    done = await arrears(NOWHERE, "rules", "show", "us-reg-f.CALLS_7IN7")
    assert done.code == 0, done.err
    shown = {line[:19].strip(): line[19:] for line in done.out.splitlines()}
    assert shown["citation"] == "12 CFR 1006.14(b)(2)(i)(A), (b)(3)(i), (b)(4)"
    assert (shown["count"], shown["days"], shown["per"], shown["lifted by consent"]) == ("7", "7", "loan", "yes")
    assert "uk.HOURS_20" in (await arrears(NOWHERE, "rules", "show", "uk")).out
    assert CORE["core.STOPPED"] in (await arrears(NOWHERE, "rules", "show", "core.STOPPED")).out
    unknown = await arrears(NOWHERE, "rules", "show", "uk.TEATIME")
    assert (unknown.code, unknown.err) == (2, "rule 'uk.TEATIME' is unknown: `arrears rules list` shows them.\n")


async def test_a_file_is_checked(tmp_path: Path) -> None:
    good = await arrears(NOWHERE, "rules", "check", "policies/rulebooks/uk.toml")
    assert good.out == "uk can be read: 7 rules, 2 of them on.\n"
    file = tmp_path / "own.toml"
    file.write_text(Path("policies/rulebooks/uk.toml").read_text("utf-8").replace("weekdays", "weekday"), "utf-8")
    bad = await arrears(NOWHERE, "rules", "check", file)
    assert (bad.code, bad.err) == (2, "rulebook own.toml, key rules.4.hours.weekday: Extra inputs are not permitted.\n")
    missing = await arrears(NOWHERE, "rules", "check", tmp_path / "none.toml")
    assert missing.code == 2
    assert missing.err.startswith("rulebook file ")


async def test_what_holds_where_is_told() -> None:
    done = await arrears(NOWHERE, "rules", "check", "--country", "us", "--role", "agency", "--json")
    (found,) = json.loads(done.out)
    assert list(found["rulebooks"]) == ["us-reg-f", "us-tcpa"]
    assert "us-reg-f.SILENCE" in found["rulebooks"]["us-reg-f"]
    nowhere = await arrears(NOWHERE, "rules", "check", "--country", "IT")
    assert "No rulebook governs" in nowhere.out
    wrong = await arrears(NOWHERE, "rules", "check", "--country", "IT", "--role", "friend")
    sentence = "--role 'friend' is unknown: it is one of original, servicer, agency, buyer.\n"
    assert (wrong.code, wrong.err) == (2, sentence)
    nothing = await arrears(NOWHERE, "rules", "check")
    assert (nothing.code, nothing.err) == (2, "nothing to check: give a file, --country or --lender.\n")


async def test_a_lender_chooses_a_rule_and_drops_it(pool: Pool, database_url: str, tmp_path: Path) -> None:
    await take_in(pool, written(tmp_path, {"loans": GOOD["loans"]}), clock=Standing())
    chosen = await arrears(database_url, "rules", "choose", "uk.HOURS_20", "--lender", "default", "--json")
    assert json.loads(chosen.out) == {"lender_id": "default", "chosen_rules": ["uk.HOURS_20"]}
    again = await arrears(database_url, "rules", "choose", "uk.HOURS_20", "--lender", "default")
    assert again.out == "Lender default has chosen: uk.HOURS_20.\n"
    held = await arrears(database_url, "rules", "check", "--lender", "default", "--country", "GB", "--json")
    assert "uk.HOURS_20" in json.loads(held.out)[0]["rulebooks"]["uk"]
    dropped = await arrears(database_url, "rules", "choose", "uk.HOURS_20", "--lender", "default", "--drop")
    assert dropped.out == "Lender default has chosen: none.\n"
    on = await arrears(database_url, "rules", "choose", "house.HOURS", "--lender", "default")
    assert (on.code, on.err.split(":")[0]) == (2, "rule house.HOURS holds without being chosen")
    unknown = await arrears(database_url, "rules", "choose", "uk.HOURS_20", "--lender", "other")
    assert (unknown.code, unknown.err.split(":")[0]) == (2, "lender 'other' is unknown")


async def test_the_loans_of_a_lender_are_told_by_law(pool: Pool, database_url: str, tmp_path: Path) -> None:
    await take_in(pool, written(tmp_path, {"loans": GOOD["loans"]}), clock=Standing())
    done = await arrears(database_url, "rules", "check", "--lender", "default", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    told = [(each["country"], each["loans"], list(each["rulebooks"])) for each in found]
    assert told == [("CN", 1, ["cn-cba-2026", "cn-gbt-45251"]), ("IT", 1, ["house"])]
