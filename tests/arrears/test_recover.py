"""What `arrears recover` refuses; tests/starters/test_recovery.py and tests/restore have what it does."""

import asyncpg
import pytest
from typer.testing import CliRunner

from arrears.cli import app
from domain.errors import BadInput
from ledger.recovery import begin_recovery
from tests.commands import arrears


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "TWILIO_ACCOUNT_SID is not set: recover asks the carrier what went out, so give its account."),
        (("--since", "tomorrow"), "--since 'tomorrow' is no time: write it as 2026-11-24T02:00:00Z."),
    ],
)
def test_it_says_what_it_needs(arguments: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(app, ["recover", *arguments])
    assert isinstance(result.exception, BadInput)
    assert str(result.exception) == says


async def test_go_does_not_end_a_recovery(pool: "asyncpg.Pool[asyncpg.Record]", database_url: str) -> None:
    async with pool.acquire() as conn:
        await begin_recovery(conn)
    shown = " ".join((await arrears(database_url, "alerts")).out.split())
    assert "all contacts (recovery after a restore); `arrears recover --release` releases it" in shown
    refused = await arrears(database_url, "go")
    assert (refused.code, "`arrears recover --release` lets contact go on" in refused.err) == (2, True)
    assert await pool.fetchval("select count(*) from stops where released_order is null") == 1
    assert (await arrears(database_url, "go", "--lender", "default")).code == 0  # out of shadow; the stop for all holds
    assert await pool.fetchval("select count(*) from stops where released_order is null") == 1
