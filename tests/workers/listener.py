"""A workflow that writes down what it is told; what it hears is what the relay says."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.messages import LedgerNews

TELL_QUEUE = "listeners"


@workflow.defn
class Listener:
    """Ends when told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.over = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.over)

    @workflow.signal
    def payment_received(self, news: LedgerNews) -> None:
        self.heard.append(("payment_received", news.model_dump()))

    @workflow.signal
    def ledger_changed(self, news: LedgerNews) -> None:
        self.heard.append(("ledger_changed", news.model_dump()))

    @workflow.signal
    def reply_received(self, news: LedgerNews) -> None:
        self.heard.append(("reply_received", news.model_dump()))

    @workflow.signal
    def end(self) -> None:
        self.over = True

    @workflow.query
    def all_heard(self) -> list[tuple[str, dict[str, Any]]]:
        return self.heard
