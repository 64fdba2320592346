"""What the proof says of contacts that were written back after a restore: their permit and their place are lost, and the rest counts."""

from typing import Any

from activities.contracts import CaseRef
from tests.activities.bench import Bench
from tests.ledger.samples import Pool


async def lose(pool: Pool, contact_id: str, heard: list[str], version: int = 0) -> None:
    """As if the ledger had been restored, and the contact written back."""
    await pool.execute(
        "update contacts set permit = null, commit_order = null, ledger_version = $3, recovered = $2 where contact_id = $1",
        contact_id,
        {"from": "history", "run_id": "r", "event_id": 7, "heard": heard},
        version,
    )


async def texted(bench: Bench) -> tuple[CaseRef, str]:
    case = await bench.case()
    await bench.carry_out(await bench.due(case))
    [made] = await bench.contacts(case)
    return case, made["contact_id"]


async def checks(bench: Bench) -> dict[str, Any]:
    from ledger.proof import prove

    async with bench.pool.acquire() as conn:
        return {c["name"]: c for c in (await prove(conn))["checks"]}


async def test_a_recovered_contact_is_counted_as_one_without_permit(bench: Bench) -> None:
    _, contact = await texted(bench)
    assert "recovered" not in (await checks(bench))["permitted"]
    await lose(bench.pool, contact, [])
    found = await checks(bench)
    assert all(check["ok"] for check in found.values())
    assert (found["permitted"]["recovered"], found["quiet"]["recovered"], found["quiet"]["checked"]) == (1, 1, 1)


async def test_a_contact_without_a_permit_is_not_excused_unless_it_was_recovered(bench: Bench) -> None:
    _, contact = await texted(bench)
    await bench.pool.execute("update contacts set permit = null where contact_id = $1", contact)
    assert ("permitted", "no_permit") in await bench.violations()


async def test_a_recovered_contact_after_a_payment_that_its_case_had_heard_of_breaks_the_peace(bench: Bench) -> None:
    case, contact = await texted(bench)
    await bench.pay(case, entry_id="all")
    await lose(bench.pool, contact, [])
    assert await bench.violations() == []  # the payment may well have come later
    await lose(bench.pool, contact, ["all"])
    assert await bench.violations() == [("quiet", "contact_after_cure")]
    await lose(bench.pool, contact, [], version=1)  # it was in the backup
    assert await bench.violations() == [("quiet", "contact_after_cure")]


async def test_a_permit_by_several_rulebooks_is_given_again(bench: Bench) -> None:
    # PostgreSQL sorts the names of the rulebooks in a permit by their length.
    await bench.pool.execute("update lenders set packs = $1", {"*": ["us-tcpa", "house"]})
    _, contact = await texted(bench)
    rules = await bench.pool.fetchval("select permit #> '{verdict,rules}' from contacts where contact_id = $1", contact)
    assert rules.index("us-tcpa.REVOKED") < rules.index("house.HOURS")
    assert await bench.violations() == []
