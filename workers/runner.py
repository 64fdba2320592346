"""The sandbox that workflows run in, here and in the replayer: Temporal's own, without asking it what our payloads never need.

For each payload the SDK enters the sandbox three times, to ask which command it belongs to: a converter may want to know, and so may a
store for large payloads. Ours (workers/codec.py) treats every payload alike, and there is no store.
"""

from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    StorageDriverStoreContext,
    WithSerializationContext,
)
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

from domain.errors import BadInput

# Ours are pure and hold no state, so that loading them once for all cases is safe, and quick.
PASSED_THROUGH = ("domain", "activities.contracts", "workflows.card", "babel", "holidays", "dateutil", "zoneinfo")


class Sandbox(SandboxedWorkflowRunner):
    """Temporal's sandbox, whose workflows say of every payload that it has no context."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """As the sandbox does."""
        return _WithoutContext(super().create_instance(det))


class _WithoutContext(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._inner.activate(act)

    def get_info(self) -> Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()

    def get_serialization_context(self, command_info: Any) -> None:
        return None

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)


def needing_no_context(converter: DataConverter) -> DataConverter:
    """The converter, if it treats every payload alike.

    Raises:
        BadInput: it would be told here that no payload has a context, and act on it.
    """
    parts = (converter.payload_converter_class(), converter.payload_codec, converter.failure_converter)
    if named := [type(part).__name__ for part in parts if _asks_for_context(part)]:
        raise BadInput(
            f"{named[0]} asks which command a payload belongs to, and workers/runner.py never says: use another."
        )
    if converter.external_storage is not None:
        raise BadInput(
            "the data converter has an external storage, and workers/runner.py never says for what: leave it out."
        )
    return converter


def _asks_for_context(part: object) -> bool:
    if (
        isinstance(part, CompositePayloadConverter)
        and type(part).with_context is CompositePayloadConverter.with_context
    ):
        # Temporal's own asks for the sake of its parts alone.
        return any(map(_asks_for_context, part.converters.values()))
    return isinstance(part, WithSerializationContext)


def sandbox() -> Sandbox:
    """The runner of all workflows."""
    return Sandbox(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
