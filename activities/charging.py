"""Charges late fees by lenders' policies, page by page, as part of the sweep."""

from temporalio import activity

from activities.case_in_hand import Desk
from activities.contracts import CHARGE, SweepRequest, SweepResult
from activities.walking import place, walk
from domain.loan import LoanKey
from ledger.late_fees import charge_late_fees
from ledger.named import queries

SWEEP = queries("sweep")


class Charging:
    """Posts what late instalments cost."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @activity.defn(name=CHARGE)
    async def charge_late_fees(self, request: SweepRequest) -> SweepResult:
        """Charge what is late, on one page of open cases. A page done twice charges nothing twice; a broken one goes on where it was."""
        after_lender, after_loan, _ = place(request)
        async with self.desk.pool.acquire() as conn:
            rows = SWEEP.chargeable(
                conn, after_lender=after_lender, after_loan=after_loan, lender=request.lender_id, page=request.page
            )
            found = [LoanKey(r["lender_id"], r["loan_id"]) async for r in rows]
        await walk(self.desk, found, self._charge)
        last = found[-1] if len(found) == request.page else None
        return SweepResult(started=0, after=(last.lender_id, last.loan_id) if last else None)

    async def _charge(self, key: LoanKey) -> int:
        async with self.desk.take(key) as case:
            zone = case.row.lender_zone
            return await charge_late_fees(
                case.conn, key, case.facts.currency, case.facts.holds, case.today, zone, self.desk.clock
            )
