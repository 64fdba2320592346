"""A case that is lost or deaf: what `send` and `rebuild` say of it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.client import Client
from typer.testing import CliRunner, Result

from arrears.cli import app
from arrears.commands import cases
from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.strategies import publish_shipped
from tests.ledger.samples import Pool, add_case, add_loan


@pytest.fixture
async def key(pool: Pool, dev_server: Client) -> AsyncIterator[LoanKey]:
    """An open case in the ledger, of which Temporal knows nothing; no worker runs."""
    key = LoanKey("default", f"L-{uuid4()}")
    await add_loan(pool, key)
    await add_case(pool, key)
    async with pool.acquire() as conn:
        await publish_shipped(conn)
    await pool.execute(
        "update cases set (strategy, strategy_version) = (select name, version from strategies where name <> 'plain' limit 1)"
    )
    yield key
    await dev_server.get_workflow_handle(key.workflow_id).terminate()


async def test_a_case_that_is_lost_is_started_once_and_one_that_is_deaf_is_told_of(
    key: LoanKey, database_url: str, dev_server: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = dev_server.service_client.config.target_host

    async def asked(*words: str) -> Result:
        given = {"ARREARS_DATABASE_URL": database_url, "TEMPORAL_ADDRESS": address}
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=given)

    lost = await asked("send", key.loan_id, "poke")
    assert isinstance(lost.exception, BadInput)
    assert f"`arrears rebuild {key}` starts it again" in str(lost.exception)

    assert (await asked("rebuild", key.loan_id)).stdout == f"{key.workflow_id} was started again.\n"
    assert (await asked("rebuild", key.loan_id)).stdout == f"{key.workflow_id} runs already: nothing was done.\n"

    assert (await asked("send", key.loan_id, "poke")).exit_code == 0
    monkeypatch.setattr(cases, "ANSWERS_WITHIN", 0.5)
    deaf = await asked("send", key.loan_id, "raise_dispute", '{"by": "c-1"}')
    assert isinstance(deaf.exception, BadInput)
    assert "did not answer within 0.5 seconds and may take it in later" in str(deaf.exception)
