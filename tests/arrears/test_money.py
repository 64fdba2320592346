"""The commands about money, as a person calls them."""

import json
from decimal import Decimal

from domain.loan import EntryKind, LoanKey
from ledger.posting import post_entry
from tests.commands import arrears
from tests.ledger.samples import Pool, Standing, add_case, add_loan, entry

CLOCK = Standing()


async def test_a_waiver_says_who_and_why(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    bare = await arrears(database_url, "entry", "L-1", "waiver", "10.00", "--by", "s1")
    assert bare.code == 2
    assert "--why" in bare.err
    blank = await arrears(database_url, "entry", "L-1", "waiver", "10.00", "--by", "s1", "--why", " ")
    assert (blank.code, blank.err) == (2, "--why is empty: an entry by hand says who posts it and why.\n")
    command = ("entry", "L-1", "waiver", "10.00", "--by", "s1", "--why", "goodwill", "--id", "W-1", "--json")
    for status in ("new", "known"):
        done = await arrears(database_url, *command)
        assert json.loads(done.out) == {"entry_id": "W-1", "status": status, "ledger_version": 1}, done.err
    row = await pool.fetchrow("select kind, amount, currency, source, reason from entries")
    assert row is not None
    assert tuple(row) == ("waiver", Decimal(10), "EUR", "s1", "goodwill")
    wrong = await arrears(database_url, "entry", "L-1", "gift", "1", "--by", "s1", "--why", "so", "--json")
    assert wrong.code == 2
    assert json.loads(wrong.out)["error"]["message"].startswith("kind 'gift' is not known: use one of payment")


async def test_a_waiver_is_aimed(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    said = ("--by", "s1", "--why", "goodwill")
    aimed = ("--component", "late_fee", "--instalment", "1", "--direction", "disputed")
    done = await arrears(database_url, "entry", "L-1", "waiver", "10.00", *said, *aimed)
    assert done.code == 0, done.err
    row = await pool.fetchrow("select component, instalment, direction from entries")
    assert row is not None
    assert tuple(row) == ("late_fee", 1, "disputed")
    for slip, says in [
        (
            ("--component", "latefee"),
            "--component 'latefee' is not known: use one of interest, principal, fee, late_fee",
        ),
        (("--direction", "later"), "--direction 'later' is not known: use one of to_come, disputed.\n"),
        (("--instalment", "9"), "loan default/L-1 has no instalment 9: "),
    ]:
        wrong = await arrears(database_url, "entry", "L-1", "waiver", "10.00", *said, *slip)
        assert wrong.code == 2
        assert wrong.err.startswith(says)


async def test_who_paid_is_shown(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(payer="an aunt"), CLOCK)
    assert " an aunt" in (await arrears(database_url, "money", "L-1")).out
    [line] = json.loads((await arrears(database_url, "money", "L-1", "--json")).out)
    assert (line["entry_id"], line["amount"], line["payer"], line["status"]) == ("E-1", "100.00", "an aunt", "settled")


async def test_suspense_is_matched_by_hand(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    await post_entry(pool, entry(loan_id="L-I"), CLOCK)
    assert "E-1" in (await arrears(database_url, "suspense", "list")).out
    [kept] = json.loads((await arrears(database_url, "suspense", "list", "--json")).out)
    assert (kept["loan_id"], kept["loan_known"], kept["amount"]) == ("L-I", False, "100")
    unknown = await arrears(database_url, "suspense", "match", "E-7", "--loan", "L-1", "--by", "c1")
    assert (unknown.code, unknown.err) == (2, "entry E-7 is not in suspense: `arrears suspense list` shows what is.\n")
    done = await arrears(database_url, "suspense", "match", "E-1", "--loan", "L-1", "--by", "c1", "--json")
    assert json.loads(done.out) == {"entry_id": "E-1", "status": "new", "ledger_version": 1}, done.err
    assert "Nothing waits" in (await arrears(database_url, "suspense", "list")).out


async def test_the_report_tells_of_recoveries_and_of_what_lacks_a_reason(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    await add_case(pool)
    await post_entry(pool, entry("before", amount=Decimal(5), value_date=entry().value_date.replace(day=2)), CLOCK)
    off = entry("off", kind=EntryKind.WRITE_OFF, amount=Decimal(95), value_date=entry().value_date.replace(day=3))
    await post_entry(pool, off, CLOCK)
    await post_entry(pool, entry("after", amount=Decimal(30)), CLOCK)
    back = entry("back", kind=EntryKind.REVERSAL, reverses="after", amount=Decimal(10))
    await post_entry(pool, back, CLOCK)
    closed = LoanKey("default", "L-2")
    await add_loan(pool, closed)
    await add_case(pool, closed, is_open=False)
    await pool.execute("update cases set closing = 'sold', closed_at = '2026-03-05' where not open")
    await post_entry(pool, entry("late", loan_id="L-2", amount=Decimal(7)), CLOCK)
    await post_entry(pool, entry("lost", loan_id="L-9", amount=Decimal(3)), CLOCK)
    await pool.execute("""update strategies set content = '{"stages": []}'""")
    told = json.loads((await arrears(database_url, "report", "--json")).out)
    assert told["recovered_after_write_off"] == {"EUR": "20.00"}
    assert told["recovered_after_close"] == {"EUR": "7.00"}
    assert told["in_suspense"] == {"EUR": "3.00"}
    assert told["without_who_or_why"] == {"write_off": 1}
