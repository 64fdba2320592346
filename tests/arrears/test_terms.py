"""Choosing terms, as a person does it."""

import json

from tests.commands import arrears
from tests.ledger.samples import Pool, add_case, add_loan

WHO = ("--by", "ann", "--why", "the board's decision")


async def test_a_loan_takes_its_lender_s_terms_or_its_own(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    await pool.execute("update loans set penalty_rate = 0.18")
    done = await arrears(database_url, "terms", "--waterfall", "cn-561", "--penalty-interest", "--json", *WHO)
    assert json.loads(done.out) == {"lender_id": "default", "waterfall": "cn-561", "penalty_interest": True}, done.err
    own = await arrears(database_url, "terms", "L-1", "--waterfall", "instalment-wise", "--json", *WHO)
    assert json.loads(own.out) == {
        "lender_id": "default",
        "loan_id": "L-1",
        "waterfall": "instalment-wise",
        "day_count": "act/365",
        "annual_rate": None,
        "penalty_rate": "0.18",
        "tolerance": "0",
        "materiality": "0",
    }
    assert "instalment-wise" in (await arrears(database_url, "terms", "L-1")).out
    unknown = await arrears(database_url, "terms", "--waterfall", "mine", *WHO)
    assert unknown.code == 2
    assert unknown.err.startswith("waterfall 'mine' is not known: use one of cn-561, default")
    assert (await arrears(database_url, "terms")).code == 2


async def test_a_lender_s_terms_are_set_by_somebody_for_a_reason(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    await add_case(pool)
    told = {"tolerance": "0.50", "materiality": "5", "balance-tolerance": "0.02", "timezone": "Europe/Rome"}
    options = [part for name, value in told.items() for part in (f"--{name}", value)]
    for missing in (WHO[:2], WHO[2:], ("--by", " ", *WHO[2:])):
        refused = await arrears(database_url, "terms", *options, "--late-fee", "15.00", *missing)
        assert refused.code == 2
        assert refused.err.endswith("is missing: a change of terms says who makes it and why.\n")
    done = await arrears(database_url, "terms", *options, "--late-fee", "15.00", "--json", *WHO)
    said = json.loads(done.out)
    assert said.pop("since"), done.err
    assert said == {
        "lender_id": "default",
        "tolerance": "0.50",
        "materiality": "5",
        "balance_tolerance": "0.02",
        "timezone": "Europe/Rome",
        "late_fee": "15.00",
        "cap": None,
        "grace_days": 0,
    }
    row = await pool.fetchrow(
        "select tolerance::text, materiality::text, balance_tolerance::text, timezone from lenders"
    )
    assert row is not None
    assert tuple(row) == ("0.50", "5", "0.02", "Europe/Rome")
    assert await pool.fetchval("select count(*) from outbox where message = 'ledger_changed'") == 1
    for whose in ((), ("L-1",)):
        changes = json.loads((await arrears(database_url, "terms", *whose, "--changes", "--json")).out)
        assert [c["by"] for c in changes] == ["ann", "ann"]
        assert changes[0]["changed"]["timezone"] == ["UTC", "Europe/Rome"]
        assert changes[1]["changed"]["late_fee_amount"] == [None, "15.00"]
    shown = (await arrears(database_url, "terms", "--changes")).out
    assert "lender default: " in shown
    assert "tolerance from 0 to 0.50" in shown
    assert "; by ann: the board's decision" in shown


async def test_words_are_no_amounts_and_no_zones(database_url: str) -> None:
    wrong = await arrears(database_url, "terms", "--tolerance", "little", *WHO)
    assert (wrong.code, wrong.err) == (2, "--tolerance 'little' is no number: write 15.00.\n")
    wrong = await arrears(database_url, "terms", "--timezone", "Rome", *WHO)
    assert (wrong.code, wrong.err) == (2, "timezone 'Rome' is not known: use a name such as Europe/Rome.\n")
