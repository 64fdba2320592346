"""`arrears register` where the server does not let it: Temporal Cloud has a tool of its own for search attributes."""

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from arrears.commands import operate
from workers.embedded import temporal


def refusing(monkeypatch: pytest.MonkeyPatch, status: RPCStatusCode) -> None:
    async def refuse(client: Client, wanted: object) -> None:
        raise RPCError("Request unauthorized.", status, b"")

    monkeypatch.setattr(temporal, "add_search_attributes", refuse)


@pytest.mark.parametrize("status", [RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED])
async def test_where_only_the_provider_s_tool_may_it_says_how_and_goes_on(
    dev_server: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: RPCStatusCode
) -> None:
    refusing(monkeypatch, status)
    await operate._add_search_attributes(dev_server)
    said = capsys.readouterr().err
    assert "tcld namespace search-attributes add --namespace default --search-attribute LoanStage=Keyword " in said
    assert "--search-attribute HoldScopes=KeywordList" in said


async def test_a_server_that_is_away_is_not_taken_for_one(dev_server: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, RPCStatusCode.UNAVAILABLE)
    with pytest.raises(RPCError):
        await operate._add_search_attributes(dev_server)
