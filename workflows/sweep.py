"""Starts cases for what became due: once a day, and after a tape came in."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.contracts import OFFICE, SWEEP, SweepRequest, SweepResult

PAGES_A_RUN = 100


@workflow.defn(name="DelinquencySweep")
class DelinquencySweep:
    """Walks the loans page by page; a case that exists already is left alone."""

    @workflow.run
    async def run(self, request: SweepRequest) -> int:
        """How many cases were started, by this run; a long walk goes on in the next."""
        started = 0
        for _ in range(PAGES_A_RUN):
            page: SweepResult = await workflow.execute_activity(
                SWEEP,
                request,
                result_type=SweepResult,
                task_queue=OFFICE,
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=timedelta(minutes=1),
                summary=f"from {request.after[1]}" if request.after else "from the first loan",
            )
            started += page.started
            if page.after is None:
                return started
            request = request.model_copy(update={"after": page.after})
        return workflow.continue_as_new(request)
