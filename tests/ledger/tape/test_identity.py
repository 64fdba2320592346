"""Whose a row is: no two loans share a case's id or a task's, and what got in the way of a tape is named rightly."""

from itertools import combinations
from pathlib import Path

import pytest

from domain.errors import BadInput
from domain.loan import LoanKey
from tests.ledger.samples import Pool, add_task
from tests.ledger.tape.tapes import GOOD, LOANS_HEADER, take

HEADER = f"{LOANS_HEADER},lender_id"
ROW = "B-1,Ann,person,,it,Europe/Rome,IT,EUR,2026-01-01,fine"


def loan(lender: str, loan_id: str) -> str:
    return f"{loan_id},{ROW},{lender}"


def refused(line: int, mine: tuple[str, str], other: tuple[str, str]) -> str:
    return (
        f"loans.csv line {line}: loan_id {mine[1]} of lender {mine[0]} gives its case the same id as loan {other[1]} of lender {other[0]}: "
        "give one of the two another loan_id."
    )


LONG, SHORT = ("a-b", "c"), ("a", "b-c")


@pytest.mark.parametrize(("first", "second"), [(LONG, SHORT), (SHORT, LONG)])
async def test_the_later_of_two_loans_with_one_workflow_is_refused(
    pool: Pool, tmp_path: Path, first: tuple[str, str], second: tuple[str, str]
) -> None:
    assert LoanKey(*first).workflow_id == LoanKey(*second).workflow_id
    rows = [loan(*first), loan(*second), loan("a", "b-d"), loan("a-b", "e"), loan("a-bc", "c")]
    report = await take(pool, tmp_path, {"loans": [HEADER, *rows]})
    assert report.sentences == [refused(3, second, first)]
    again = await take(pool, tmp_path, {"loans": [HEADER, loan(*second), loan(*first)]})
    assert again.sentences == [refused(2, second, first)]
    assert again.counts["loans"].unchanged == 1


def test_no_two_loans_share_a_task() -> None:
    lenders, loans = (
        ("default", "acme", "acme.L1", "a", "a.b", "a/b"),
        ("acme.L1", "L1", "b.c", "c", "1", "1.1", "L1.1"),
    )
    keys = [LoanKey(lender, loan_id) for lender in lenders for loan_id in loans]
    ids = {key: {key.task_id(episode, "call-1", 1) for episode in (1, 2)} for key in keys}
    assert not [(a, b) for a, b in combinations(keys, 2) if ids[a] & ids[b]]
    assert LoanKey("default", "L-1").task_id(1, "call-1", 2) == "L-1.1.call-1.2"
    assert LoanKey("acme", "L-1").task_id(1, "call-1", 2) == "acme.L-1.1.call-1.2"


async def test_what_got_in_the_way_is_named(pool: Pool, tmp_path: Path) -> None:
    await take(pool, tmp_path, GOOD)
    await add_task(pool, "L-1.1.house-reconcile-balance.1", "call")
    balance = {"balances": ["loan_id,as_of,outstanding,arrears,oldest_due_on", "L-1,2026-03-09,60,60,2026-03-01"]}
    with pytest.raises(BadInput, match=r"^another command wrote a row of the tape to tasks meanwhile, and nothing was"):
        await take(pool, tmp_path, balance)
    await pool.execute("update entries set entry_id = 'opening/L-9/arrears' where entry_id = 'E-1'")
    tape = {
        "loans": [LOANS_HEADER, f"L-9,{ROW}"],
        "balances": [balance["balances"][0], "L-9,2026-03-09,60,60,2026-03-01"],
    }
    with pytest.raises(
        BadInput, match=r"^an entry of the tape was posted elsewhere meanwhile, and nothing was taken: "
    ):
        await take(pool, tmp_path, tape)
