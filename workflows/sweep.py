"""What is done once a day for all loans: cases are started for what became due, late fees charged, reminders sent."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.contracts import CHARGE, CONTACT, OFFICE, REMIND, SWEEP, SweepRequest, SweepResult

PAGES_A_RUN = 100
QUEUES = {SWEEP: OFFICE, CHARGE: OFFICE, REMIND: CONTACT}
WAITS_AT_MOST = timedelta(hours=18)  # the next day's sweep takes it from there


@workflow.defn(name="DelinquencySweep")
class DelinquencySweep:
    """Walks the loans page by page: first for cases, then, where a lender wants it, for late fees; reminders walk beside it."""

    @workflow.run
    async def run(self, request: SweepRequest) -> int:
        """How many cases were started; a long walk goes on in the next run, and so does one that may move to a newer worker."""
        for pages in range(PAGES_A_RUN):
            if pages and _newer():
                break
            page = await self._page(request)
            request = request.counting(page)
            if page.after is not None:
                continue
            if page.reminds:
                await self._remind_beside(request)
            if page.charges:
                request = request.walking(CHARGE)
            elif request.again_at is not None and request.again_at - workflow.now() < WAITS_AT_MOST:
                await workflow.sleep(
                    max(request.again_at - workflow.now(), timedelta(0)), summary="until contact is allowed"
                )
                request = request.walking(REMIND)
            else:
                return request.started
        upgrade = workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE if _newer() else None
        return workflow.continue_as_new(request, initial_versioning_behavior=upgrade)

    async def _page(self, request: SweepRequest) -> SweepResult:
        page: SweepResult = await workflow.execute_activity(
            request.walk,
            request,
            result_type=SweepResult,
            task_queue=QUEUES[request.walk],
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=timedelta(minutes=1),
            summary=f"from {request.after[1]}" if request.after else "from the first loan",
        )
        return page

    async def _remind_beside(self, request: SweepRequest) -> None:
        """Reminders wait for the hours in which people may be contacted: whoever waits for the sweep does not wait for them."""
        try:
            await workflow.start_child_workflow(
                "DelinquencySweep",
                request.walking(REMIND),
                id=f"{workflow.info().workflow_id}-reminders",
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary="Reminds of what falls due",
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("The reminders of an earlier sweep are still under way, and find what is new.")


def _newer() -> bool:
    """Whether another build is current. It is looked at before each page but the first: so every run walks one, wherever it began."""
    return workflow.info().is_target_worker_deployment_version_changed()
