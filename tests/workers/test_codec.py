import base64
from uuid import uuid4

import pytest
from httpx import ASGITransport, AsyncClient
from temporalio import workflow
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import QueryWorkflowRequest
from temporalio.client import Client
from temporalio.worker import Worker
from typer.testing import CliRunner

from activities.contracts import CASES, SweepRequest
from arrears.cli import app
from arrears.commands.codec import origins
from domain.errors import BadInput
from workers.codec import KEY_ID, KeyRing, SealingCodec, data_converter, make_key
from workers.codec_server import COOKIE, create_codec_app

OLD, NEW = make_key("2026-01"), make_key("2026-11")
TOKEN, ORIGIN = "a token", "http://ui.example.com"


def sealing(*keys: str) -> SealingCodec:
    return SealingCodec(KeyRing.read(",".join(keys)))


async def test_what_is_sealed_is_opened_and_says_nothing_on_its_way() -> None:
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'"loan 7"')
    [sealed] = await sealing(NEW).encode([plain])
    assert b"loan 7" not in sealed.SerializeToString()
    assert sealed.metadata[KEY_ID] == b"2026-11"
    assert await sealing(NEW).decode([sealed]) == [plain]
    [again] = await sealing(NEW).encode([plain])
    assert again.data != sealed.data


async def test_keys_are_rotated() -> None:
    plain = Payload(data=b"x")
    [before] = await sealing(OLD).encode([plain])
    [after] = await sealing(NEW, OLD).encode([plain])
    assert after.metadata[KEY_ID] == b"2026-11"
    assert await sealing(NEW, OLD).decode([before, after]) == [plain, plain]
    with pytest.raises(BadInput, match="sealed with key '2026-01'"):
        await sealing(NEW).decode([before])


async def test_what_was_never_sealed_passes() -> None:
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b"1")
    assert await sealing(NEW).decode([plain]) == [plain]


async def test_what_was_changed_is_refused() -> None:
    [sealed] = await sealing(NEW, OLD).encode([Payload(data=b"x")])
    changed = Payload(metadata=dict(sealed.metadata), data=sealed.data[:-1] + bytes([sealed.data[-1] ^ 1]))
    renamed = Payload(metadata={**sealed.metadata, KEY_ID: b"2026-01"}, data=sealed.data)
    for wrong in (changed, renamed, Payload(metadata=dict(sealed.metadata), data=b"short")):
        with pytest.raises(BadInput, match="cannot be opened"):
            await sealing(NEW, OLD).decode([wrong])


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (":abc", "key 1: give each key an id"),
        (f"{NEW},{NEW}", "key 2: give each key an id of its own"),
        ("a:%%%", r"key 1 \(a\) is not base64"),
        (f"a:{base64.b64encode(b'short').decode()}", r"has 5 bytes, not 32"),
    ],
)
def test_a_key_that_cannot_be_used(keys: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        KeyRing.read(keys)
    assert NEW.partition(":")[2] not in str(refused.value)


def test_without_keys_nothing_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARREARS_CODEC_KEYS", raising=False)
    assert data_converter().payload_codec is None
    monkeypatch.setenv("ARREARS_CODEC_KEYS", "")
    assert data_converter().payload_codec is None


async def test_temporal_keeps_ciphertext(dev_server: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARREARS_CODEC_KEYS", NEW)
    config = dev_server.config()
    config["data_converter"] = data_converter()
    client = Client(**config)
    handle = await client.start_workflow(
        "DelinquencySweep", SweepRequest(lender_id="lender-7"), id=f"sealed-{uuid4()}", task_queue=f"nobody-{CASES}"
    )
    try:
        history = await handle.fetch_history()
        [kept] = history.events[0].workflow_execution_started_event_attributes.input.payloads
        assert b"lender-7" not in kept.SerializeToString()
        [opened] = await sealing(NEW).decode([kept])
        assert b"lender-7" in opened.data
    finally:
        await handle.terminate()


@workflow.defn(sandboxed=False)
class Carded:
    """A case as far as its card and its queries go."""

    @workflow.run
    async def run(self) -> None:
        workflow.set_current_details("the card of loan 7")
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def where(self) -> str:
        return "at loan 7"


async def test_what_a_worker_answers_to_a_query_is_sealed_and_its_card_with_it(
    dev_server: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The UI reads the card by a query: the server passes the answer on, and keeps nothing of it."""
    monkeypatch.setenv("ARREARS_CODEC_KEYS", NEW)
    config = dev_server.config()
    config["data_converter"] = data_converter()
    client, name = Client(**config), f"card-{uuid4()}"
    async with Worker(client, task_queue=name, workflows=[Carded]):
        handle = await client.start_workflow("Carded", id=name, task_queue=name)
        for query, says in (("where", b"at loan 7"), ("__temporal_workflow_metadata", b"the card of loan 7")):
            asked = QueryWorkflowRequest(
                namespace=client.namespace,
                execution=WorkflowExecution(workflow_id=name),
                query=WorkflowQuery(query_type=query),
            )
            [answer] = (await client.workflow_service.query_workflow(asked)).query_result.payloads
            assert b"loan 7" not in answer.SerializeToString()
            [opened] = await sealing(NEW).decode([answer])
            assert says in opened.data
        await handle.terminate()


def asking(**more: str) -> AsyncClient:
    server = create_codec_app(sealing(NEW), token=TOKEN, origins=origins(f"http://127.0.0.1:8233, {ORIGIN} ,"))
    return AsyncClient(transport=ASGITransport(server), base_url="http://codec", headers={"origin": ORIGIN, **more})


def as_json(payload: Payload) -> dict[str, object]:
    metadata = {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()}
    return {"metadata": metadata, "data": base64.b64encode(payload.data).decode()}


async def test_the_server_opens_for_whoever_has_the_token() -> None:
    [sealed] = await sealing(NEW).encode([Payload(metadata={"encoding": b"json/plain"}, data=b"7")])
    body = {"payloads": [as_json(sealed)]}
    async with asking(authorization=f"Bearer {TOKEN}") as caller:
        answer = await caller.post("/decode", json=body)
        sealed_again = await caller.post("/encode", json=answer.json())
        opened_again = await caller.post("/decode", json=sealed_again.json())
    assert base64.b64decode(answer.json()["payloads"][0]["data"]) == b"7"
    assert sealed_again.json() != answer.json() == opened_again.json()
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    async with asking() as caller:
        assert (await caller.post("/decode", json=body)).status_code == 401
        assert (await caller.post("/session", data={"token": "wrong"})).status_code == 401
        entered = await caller.post("/session", data={"token": TOKEN})
        assert entered.status_code == 303
        assert (await caller.post("/decode", json=body)).status_code == 200  # by the cookie that the form left
        assert TOKEN not in entered.headers["set-cookie"]
    for shown in (TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {entered.cookies[COOKIE]}"):
        async with asking(authorization=shown) as caller:
            assert (await caller.post("/decode", json=body)).status_code == 401, shown


async def test_the_server_answers_only_pages_it_knows() -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,x-namespace"}
    async with asking() as caller:
        assert (await caller.options("/decode", headers=asked)).status_code == 200
        other = await caller.options("/decode", headers={**asked, "origin": "http://elsewhere.example.com"})
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers


def test_origins_are_read_without_what_stands_around_them() -> None:
    assert origins(f" {ORIGIN} ,, http://127.0.0.1:8233,") == [ORIGIN, "http://127.0.0.1:8233"]


@pytest.mark.parametrize("given", ["*", f"{ORIGIN}, *"])
def test_the_server_is_not_opened_to_every_page(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setattr("arrears.serving.serve", None)  # a server that does not refuse would run without end
    environment = {"ARREARS_CODEC_KEYS": NEW, "ARREARS_CODEC_TOKEN": TOKEN, "ARREARS_CODEC_ORIGINS": given}
    with pytest.raises(BadInput, match=r"^ARREARS_CODEC_ORIGINS holds \*, .*: name the address of each Temporal UI"):
        CliRunner().invoke(app, ["codec", "--port", "0"], env=environment, catch_exceptions=False)


async def test_the_server_says_what_it_cannot_read() -> None:
    async with asking(authorization=f"Bearer {TOKEN}") as caller:
        for body in (b"{", b"[]", b"", b"null", b'"x"', b"{\xff}"):
            assert (await caller.post("/decode", content=body)).status_code == 400, body
        [strange] = await sealing(OLD).encode([Payload(data=b"x")])
        answer = await caller.post("/decode", json={"payloads": [as_json(strange)]})
    assert answer.status_code == 400
    assert "add it to ARREARS_CODEC_KEYS" in answer.json()["detail"]
