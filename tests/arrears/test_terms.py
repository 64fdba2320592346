"""Choosing terms, as a person does it."""

import json

from tests.arrears.test_intake import arrears
from tests.ledger.samples import Pool, add_loan


async def test_a_loan_takes_its_lender_s_terms_or_its_own(pool: Pool, database_url: str) -> None:
    await add_loan(pool)
    await pool.execute("update loans set penalty_rate = 0.18")
    done = await arrears(database_url, "terms", "--waterfall", "cn-561", "--penalty-interest", "--json")
    assert json.loads(done.out) == {"lender_id": "default", "waterfall": "cn-561", "penalty_interest": True}, done.err
    own = await arrears(database_url, "terms", "L-1", "--waterfall", "instalment-wise", "--json")
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
    unknown = await arrears(database_url, "terms", "--waterfall", "mine")
    assert unknown.code == 2
    assert unknown.err.startswith("waterfall 'mine' is not known: use one of cn-561, default")
    assert (await arrears(database_url, "terms")).code == 2
