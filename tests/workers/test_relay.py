import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RetryConfig, RPCError
from temporalio.worker import Worker

from domain.loan import EntryKind, LoanKey
from ledger import outbox
from tests.case import poll
from tests.ledger.samples import Pool, add_case, add_loan
from tests.scenario import scene_on
from tests.workers.listener import TELL_QUEUE, Listener
from workers import relay
from workers.relay import Relay
from workers.runner import sandbox

Heard: TypeAlias = list[tuple[str, dict[str, Any]]]


class Ears:
    """Loans whose cases write down what they hear."""

    def __init__(self, pool: Pool, client: Client) -> None:
        self.pool = pool
        self.client = client

    async def loan(self, *, begun: bool = True, is_open: bool = True) -> LoanKey:
        key = LoanKey("default", uuid4().hex)
        await add_loan(self.pool, key)
        await add_case(self.pool, key, is_open=is_open)
        if begun:
            await self.begin(key)
        return key

    async def begin(self, key: LoanKey) -> None:
        await self.client.start_workflow(Listener.run, id=key.workflow_id, task_queue=TELL_QUEUE)

    def handle(self, key: LoanKey) -> "WorkflowHandle[Any, Any]":
        return self.client.get_workflow_handle(key.workflow_id)

    async def heard(self, key: LoanKey) -> Heard:
        return [(kind, news) for kind, news in await self.handle(key).query(Listener.all_heard)]

    async def numbers(self, key: LoanKey) -> list[int]:
        """The numbers that a loan's case heard, one by one or in lists."""
        return [each["n"] for _, news in await self.heard(key) for each in news.get("entries", [news])]

    async def signals(self, key: LoanKey) -> int:
        """How many signals reached the case; what a query shows has been absorbed once only anyway."""
        history = await self.handle(key).fetch_history()
        return sum(event.HasField("workflow_execution_signaled_event_attributes") for event in history.events)

    async def put(self, key: LoanKey, *numbers: int, message: str = "payment_received") -> None:
        async with self.pool.acquire() as conn:
            for n in numbers:
                await outbox.add(conn, key, message, {"n": n})

    async def results(self, key: LoanKey) -> list[tuple[bool, str | None]]:
        rows = await self.pool.fetch(
            "select delivered_at is not null as done, result from outbox where loan_id = $1 order by id", key.loan_id
        )
        return [(r["done"], r["result"]) for r in rows]


@pytest.fixture
async def ears(pool: Pool, dev_server: Client) -> AsyncIterator[Ears]:
    ears = Ears(pool, dev_server)
    worker = Worker(dev_server, task_queue=TELL_QUEUE, workflows=[Listener], workflow_runner=sandbox())
    async with worker:
        yield ears
        for row in await pool.fetch("select lender_id, loan_id from loans"):
            with suppress(RPCError):  # some never had a workflow
                await ears.handle(LoanKey(*row)).terminate()


class Wire:
    """The connection to Temporal, which can be cut and mended."""

    def __init__(self, far: Client, port: int) -> None:
        self.far = far
        self.port = port
        self.server: asyncio.Server | None = None
        self.ends: list[asyncio.StreamWriter] = []

    async def client(self) -> Client:
        await self.mend()
        return await Client.connect(
            f"127.0.0.1:{self.port}", data_converter=self.far.data_converter, retry_config=RetryConfig(max_retries=1)
        )

    async def mend(self) -> None:
        self.server = await asyncio.start_server(self._join, "127.0.0.1", self.port)

    async def cut(self) -> None:
        if self.server is not None:
            self.server.close()
        for end in self.ends:
            end.transport.abort()
        self.ends.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self.far.service_client.config.target_host.split(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        self.ends += [writer, far_writer]
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await source.read(65536):
            to.write(piece)
            await to.drain()


@pytest.fixture
async def wire(dev_server: Client, unused_tcp_port: int) -> AsyncIterator[Wire]:
    wire = Wire(dev_server, unused_tcp_port)
    yield wire
    await wire.cut()


@pytest.fixture
async def run_relay(pool: Pool, dev_server: Client) -> AsyncIterator[Callable[[], Awaitable[Relay]]]:
    """Starts relays that run until the test ends."""
    running = []

    async def start() -> Relay:
        one = Relay(pool, dev_server, poll_seconds=0.05)
        running.append(asyncio.create_task(one.run()))
        return one

    yield start
    for task in running:
        assert not task.done()
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_one_message_as_it_stands(pool: Pool, dev_server: Client, ears: Ears) -> None:
    key = await ears.loan()
    await ears.put(key, 7)
    one = Relay(pool, dev_server)
    assert await one.deliver_once() == 1
    row_id = await pool.fetchval("select id from outbox")
    assert await ears.heard(key) == [("payment_received", {"message_id": f"outbox-{row_id}", "n": 7})]
    assert await ears.results(key) == [(True, "signalled")]
    assert await one.deliver_once() == 0


async def test_a_message_s_own_id_is_kept(pool: Pool, dev_server: Client, ears: Ears) -> None:
    key = await ears.loan()
    async with pool.acquire() as conn:
        await outbox.add(conn, key, "ledger_changed", {"message_id": "SM7-undelivered"})
    await Relay(pool, dev_server).deliver_once()
    assert await ears.heard(key) == [("ledger_changed", {"message_id": "SM7-undelivered"})]


async def test_a_burst_is_one_signal_a_kind_in_order(pool: Pool, dev_server: Client, ears: Ears) -> None:
    key = await ears.loan()
    await ears.put(key, *range(50))
    await ears.put(key, 50, message="ledger_changed")
    await ears.put(key, 51, 52)
    assert await Relay(pool, dev_server).deliver_once() == 53
    heard = await ears.heard(key)
    assert [kind for kind, _ in heard] == ["payment_received", "ledger_changed", "payment_received"]
    assert await ears.numbers(key) == list(range(53))
    assert await ears.signals(key) == 3
    last = await pool.fetchval("select max(id) from outbox")
    assert heard[-1][1]["message_id"] == f"outbox-{last}"


async def test_what_somebody_said_goes_alone_under_its_own_id(pool: Pool, dev_server: Client, ears: Ears) -> None:
    key = await ears.loan()
    said = [
        {"message_id": "CA1-promise", "about": "promise", "amount": "40.00"},
        {"message_id": "SM2", "about": "words"},
    ]
    async with pool.acquire() as conn:
        for each in said:
            await outbox.add(conn, key, "reply_received", each)
    assert await Relay(pool, dev_server).deliver_once() == 2
    assert await ears.heard(key) == [("reply_received", each) for each in said]


async def test_a_file_s_entries_come_in_signals_that_a_server_takes(pool: Pool, dev_server: Client, ears: Ears) -> None:
    key = await ears.loan()
    async with pool.acquire() as conn:
        for first in range(0, 1200, 100):
            await outbox.add(conn, key, "payment_received", {"entries": [{"n": n} for n in range(first, first + 100)]})
    assert await Relay(pool, dev_server).deliver_once() == 12
    assert [len(news["entries"]) for _, news in await ears.heard(key)] == [500, 500, 200]
    assert await ears.numbers(key) == list(range(1200))


async def test_relays_side_by_side_keep_the_order_and_repeat_nothing(
    ears: Ears, run_relay: Callable[[], Awaitable[Relay]]
) -> None:
    keys = [await ears.loan() for _ in range(4)]
    for _ in range(3):
        await run_relay()
    for n in range(30):
        await asyncio.gather(*(ears.put(key, n) for key in keys))

    async def all_told() -> bool:
        return not await ears.pool.fetchval("select exists (select from outbox where delivered_at is null)")

    await poll(all_told, "the outbox to be empty")
    for key in keys:
        assert await ears.numbers(key) == list(range(30))


async def test_closed_cases_and_loans_without_a_case_need_no_message(
    pool: Pool, dev_server: Client, ears: Ears
) -> None:
    closed = await ears.loan(begun=False, is_open=False)
    none = LoanKey("default", uuid4().hex)
    await add_loan(pool, none)
    for key in (closed, none):
        await ears.put(key, 1)
    assert await Relay(pool, dev_server).deliver_once() == 2
    assert await ears.results(closed) == [(True, "closed")]
    assert await ears.results(none) == [(True, "no case")]


async def test_an_open_case_whose_workflow_is_not_there_yet_is_told_later(
    pool: Pool, dev_server: Client, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "FIRST_PAUSE", 0.0)
    key, other = await ears.loan(begun=False), await ears.loan()
    await ears.put(key, 1, 2)
    await ears.put(other, 3)
    one = Relay(pool, dev_server)
    assert await one.deliver_once() == 1  # the other one is not held up
    assert await ears.results(key) == [(False, "no workflow")] * 2
    await ears.begin(key)
    assert await one.deliver_once() == 2
    assert await ears.numbers(key) == [1, 2]
    assert await ears.results(key) == [(True, "signalled")] * 2


async def test_a_lost_workflow_is_left_alone_for_a_while(pool: Pool, dev_server: Client, ears: Ears) -> None:
    lost = [await ears.loan(begun=False) for _ in range(3)]
    for key in lost:
        await ears.put(key, 1)
    one = Relay(pool, dev_server)
    assert await one.deliver_once() == 0
    for key in lost:
        await ears.begin(key)
    assert await one.deliver_once() == 0  # not yet
    assert await Relay(pool, dev_server).deliver_once() == 3


async def test_lost_workflows_do_not_crowd_out_the_others(
    pool: Pool, dev_server: Client, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LOANS_AT_ONCE", 1)
    lost, well = await ears.loan(begun=False), await ears.loan()
    await ears.put(lost, 1)
    await ears.put(well, 2)
    one = Relay(pool, dev_server)
    assert [await one.deliver_once() for _ in range(2)] == [0, 1]
    assert await ears.numbers(well) == [2]


async def test_nothing_is_lost_while_temporal_is_away(
    pool: Pool, ears: Ears, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SIGNAL_TIMEOUT", timedelta(milliseconds=200))
    key = await ears.loan()
    one = Relay(pool, await wire.client())
    await wire.cut()
    await ears.put(key, 1, 2)
    with pytest.raises(RPCError):
        await one.deliver_once()
    assert await ears.results(key) == [(False, None)] * 2
    monkeypatch.setattr(relay, "SIGNAL_TIMEOUT", timedelta(seconds=10))
    await wire.mend()
    assert await one.deliver_once() == 2
    assert await ears.numbers(key) == [1, 2]


async def test_it_waits_for_temporal_longer_each_time_and_says_so(
    pool: Pool, ears: Ears, wire: Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(relay, "SIGNAL_TIMEOUT", timedelta(milliseconds=200))
    monkeypatch.setattr(relay, "FIRST_PAUSE", 0.01)
    key = await ears.loan()
    client = await wire.client()
    await wire.cut()
    await ears.put(key, 1)
    running = asyncio.create_task(Relay(pool, client).run())

    def pauses() -> list[str]:
        return [f"{r.args[-1]:.2f}" for r in caplog.records if r.name == relay.__name__ and isinstance(r.args, tuple)]

    async def thrice() -> bool:
        return len(pauses()) >= 3

    async def told() -> bool:
        return await ears.numbers(key) == [1]

    try:
        await poll(thrice, "three tries")
        assert pauses()[:3] == ["0.01", "0.02", "0.04"]
        assert "Temporal does not answer" in caplog.text
        monkeypatch.setattr(relay, "SIGNAL_TIMEOUT", timedelta(seconds=10))
        await wire.mend()
        await poll(told, "the message to arrive")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_it_hears_of_news_and_survives_the_loss_of_its_connections(
    pool: Pool, dev_server: Client, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "FIRST_PAUSE", 0.01)
    key = await ears.loan()
    running = asyncio.create_task(Relay(pool, dev_server, poll_seconds=3600).run())  # so only a notice can wake it

    async def told(*numbers: int) -> None:
        async def so() -> bool:
            return await ears.numbers(key) == list(numbers)

        await poll(so, f"{numbers} to be told")

    try:
        await ears.put(key, 1)
        await told(1)
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'"
        )
        await ears.put(key, 2)
        await told(1, 2)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_burst_of_payments_reaches_a_real_case_as_one_message(pool: Pool, dev_server: Client) -> None:
    async with scene_on(pool, dev_server) as scene:
        case = await scene.case((5, "100"))
        for _ in range(3):
            await case.post(EntryKind.PAYMENT, "10", silently=True)
        await scene.settle()
        rows = await pool.fetch("select kind, data from case_events where message_id is not null")
        assert [r["kind"] for r in rows] == ["payment_received"]
        assert len(rows[0]["data"]["body"]["entries"]) == 3
        assert (await case.latest()).standing.arrears == Decimal(70)
