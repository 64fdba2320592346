"""Late fees by a lender's policy: read, chosen, posted like any other entry, and taken back where the lender charged the instalment itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from domain.clock import Clock, start_of
from domain.errors import BadInput
from domain.holds import Hold, Scope, pauses
from domain.late_fee import LateFeePolicy, charged_instalment, late_fees
from domain.loan import EntryKind, EntryStatus, LoanKey
from domain.money import minor_unit
from ledger.money import money_of
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.posting import post_within

SWEEP, FEES = queries("sweep"), queries("late_fees")
SOURCE = "policy"  # of an entry that the lender's own policy made here
REPLACED = "charged_by_lender"  # why one was taken back


async def late_fee_policy(conn: Any, lender_id: str) -> LateFeePolicy | None:
    """A lender's policy; None where it charges nothing."""
    row = await SWEEP.late_fee_policy(conn, lender_id=lender_id)
    return None if row is None or row["since"] is None else LateFeePolicy(**dict(row))


async def choose_late_fee(
    conn: Any,
    lender_id: str,
    since: date | None,
    *,
    amount: Decimal | None = None,
    rate: Decimal | None = None,
    cap: Decimal | None = None,
    grace_days: int = 0,
) -> None:
    """Have a lender charge late instalments from a day on, or nothing any more where that is None.

    Raises:
        BadInput: it is neither one amount nor one rate, or the lender is unknown.
    """
    chosen = {"since": since, "amount": amount, "rate": rate, "cap": cap, "grace_days": grace_days}
    if since is not None:
        try:
            LateFeePolicy.model_validate(chosen)
        except ValidationError as error:
            first = error.errors()[0]
            where = "_".join(map(str, first["loc"])) or "policy"
            raise BadInput(f"late fee, {where}: {first['msg'].removeprefix('Value error, ')}.") from None
    if await SWEEP.choose_late_fee(conn, lender_id=lender_id, **chosen) is None:
        raise BadInput(f"lender {lender_id!r} is unknown: a tape brings it.")


async def charge_late_fees(
    conn: Any, key: LoanKey, currency: str, holds: Sequence[Hold], today: date, timezone: str, clock: Clock
) -> int:
    """Post the late fees that a loan owes by its lender's policy and has not been charged; returns how many.

    Call it with the loan locked. A fee's id names loan and instalment, so that it is posted once however often this runs.
    """
    policy = await late_fee_policy(conn, key.lender_id)
    if policy is None:
        return 0
    stops = pauses(holds, Scope.FEES)

    def held(day: date) -> bool:
        begins, ends = start_of(day, timezone), start_of(day + timedelta(days=1), timezone)
        return any(stop.since < ends and (stop.until is None or stop.until > begins) for stop in stops)

    money = await money_of(conn, key)
    fees = late_fees(money.instalments, money.entries, today, money.terms, policy, held, minor_unit(currency))
    for fee in fees:
        entry = NewEntry(
            entry_id=f"policy/fee/{key.loan_id}/{fee.instalment}",  # out of the way of the lender's own ids
            lender_id=key.lender_id,
            loan_id=key.loan_id,
            kind=EntryKind.LATE_FEE,
            amount=fee.amount,
            currency=currency,
            value_date=fee.on,
            instalment=fee.instalment,
            source=SOURCE,
        )
        await post_within(conn, entry, clock)
    return len(fees)


async def give_way(conn: Any, fee: NewEntry, now: datetime) -> None:
    """Take back our own fee for the instalment that `fee`, just posted, charges too: one a late instalment, and the lender's word stands.

    Call it with the loan locked, in the transaction of the posting. An entry that is no settled late fee, or is ours, does nothing.
    """
    if fee.kind is not EntryKind.LATE_FEE or fee.status is not EntryStatus.SETTLED or fee.source == SOURCE:
        return
    ours = {r["instalment"]: r async for r in FEES.our_fees(conn, **fee.key._asdict())}
    if not ours:
        return
    instalments = (await money_of(conn, fee.key)).instalments
    mine = ours.get(charged_instalment(instalments, fee.instalment, fee.value_date))
    if mine is None:
        return
    back = NewEntry(
        entry_id=f"{mine['entry_id']}/back",
        lender_id=fee.lender_id,
        loan_id=fee.loan_id,
        kind=EntryKind.REVERSAL,
        amount=mine["left"],
        currency=mine["currency"],
        value_date=mine["value_date"],
        reverses=mine["entry_id"],
        reason=REPLACED,
        source=SOURCE,
    )
    await post_within(conn, back, _At(now))


async def give_way_to_tape(conn: Any, clock: Clock) -> None:
    """As `give_way`, for the late fees of the tape that is being taken in."""
    now = await clock.now()
    for row in [r async for r in FEES.staged_beside_ours(conn)]:
        await give_way(conn, NewEntry.read(row["entry"]), now)


@dataclass(frozen=True)
class _At:
    """The moment of the posting that is under way."""

    at: datetime

    async def now(self) -> datetime:
        return self.at

    async def real(self, at: datetime) -> datetime:
        return at
