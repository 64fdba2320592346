"""The order in which a recovery goes: texts that came in, each case's story, what no story explains, then the workflows."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.absorbing import Absorbing
from activities.case_in_hand import CASES, Desk
from activities.gate import Gatekeeper
from activities.office import Office
from activities.opening import Opening
from channels.carrier import CarrierLog
from channels.voice_carrier import VoiceCarrier
from domain.loan import LoanKey
from ledger.clock import LedgerClock
from ledger.inbound import take_reply
from ledger.recovery import RECOVERY, Recovery, begin_recovery
from starters.recovery.carrier import Unclaimed
from starters.recovery.histories import Acted, Story, Told, is_text, story, workflows
from starters.recovery.report import Report
from starters.recovery.writing_back import WritingBack, channel_of, may_have_gone_out, went_out
from starters.replies import about

PAGE = 200  # cases whose stories are in memory at a time
AT_ONCE = 8  # histories that are fetched side by side
BEFORE = timedelta(
    hours=1
)  # asked for before the newest thing in the ledger: clocks differ, and a contact takes its time
WRITES_LATE = timedelta(seconds=5)  # by which the ledger may be ahead of a history that is up to date
log = logging.getLogger(__name__)


class Known(NamedTuple):
    """What is left of a story once it is told: whether it runs, when its history was last written to, whether the ledger lacked any of it."""

    key: LoanKey
    running: bool
    last: datetime
    changed: bool = False


def batched(names: Iterable[str], size: int) -> Iterator[list[str]]:
    """So many at a time."""
    rest = iter(names)
    while page := list(islice(rest, size)):
        yield page


@dataclass
class Recovering:
    """What a recovery works with; `sender` is the number that texts come from."""

    pool: asyncpg.Pool
    clock: LedgerClock
    client: Client
    carrier: CarrierLog
    calls: VoiceCarrier
    sender: str

    async def run(self, since: datetime | None = None) -> Report:
        """Stop all contact, write back what others know, and once nothing is missing start and wake the workflows.

        Raises:
            LookUpFailed: the carrier did not answer; what was written back stands, and the next run goes on.
        """
        async with self.pool.acquire() as conn:
            recovery = await begin_recovery(conn, since)
        desk = Desk(self.pool, self.clock)
        self.desk, self.opening = desk, Opening(desk, self.client)
        self.writing = WritingBack(desk, self.clock, Office(desk, Gatekeeper()), Absorbing(desk), recovery)
        self.report = Report(recovery.lost_since)
        await self._hear_again(recovery)
        async with self.pool.acquire() as conn:
            since = recovery.lost_since - BEFORE
            unclaimed = await Unclaimed.read(conn, self.carrier, self.calls, self.sender, since)
        await self._settle(unclaimed, recovery)
        known = await self._tell_stories(unclaimed, recovery)
        if self.report.whole:
            await self._bring_up(known, recovery)
        return self.report

    async def _tell_stories(self, unclaimed: Unclaimed, recovery: Recovery) -> list[Known]:
        """Read every case's history and write back what the ledger lacks: first what is certain, then what the carrier alone can tell."""
        runs = await workflows(self.client, recovery.lost_since - BEFORE)
        known: dict[LoanKey, Known] = {}
        unsure: list[tuple[Acted, LoanKey]] = []
        for page in batched(sorted(runs), PAGE):
            stories = await self._stories({workflow_id: runs[workflow_id] for workflow_id in page})
            there = [told for told in stories if await self._is_there(told)]
            known |= {told.key: Known(told.key, told.running, told.last) for told in stories}
            changed, rest = await self._write_back(there, unclaimed, recovery)
            unsure += rest
            known |= {key: known[key]._replace(changed=True) for key in changed}
            self.report.cases_read += len(stories)
            log.info("%d of %d cases read", self.report.cases_read, len(runs))
        for line, key in unsure:
            found = await self._find(line, key, unclaimed)
            if found is not None and await self.writing.contact(key, line, found):
                self.report.contacts += 1
                known[key] = known[key]._replace(changed=True)
        for message in unclaimed.rest():
            written = await self.writing.unexplained(message)
            self.report.contacts += written
            self.report.unexplained += written
            self.report.strangers += not written
        return list(known.values())

    async def _stories(self, runs: dict[str, Any]) -> list[Story]:
        turnstile = asyncio.Semaphore(AT_ONCE)

        async def read(workflow_id: str) -> Story | None:
            async with turnstile:
                return await story(self.client, workflow_id, runs[workflow_id])

        return [told for told in await asyncio.gather(*map(read, runs)) if told is not None]

    # --- what must be there first ---

    async def _is_there(self, told: Story) -> bool:
        """Whether the loan and its case are in the ledger; a case that was opened since the backup is opened again."""
        key = told.key
        async with self.pool.acquire() as conn:
            row = await RECOVERY.loan_there(conn, lender_id=key.lender_id, loan_id=key.loan_id)
            ids = [r["id"] async for r in RECOVERY.unknown_entries(conn, lender_id=key.lender_id, ids=told.heard)]
            self.report.lacks_entries(key, ids)
            if row is None:
                self.report.loans.append(str(key))
                return False
            if row["open"] or (row["has_case"] and not told.running):
                return True
            if told.strategy is None:
                return False  # it had not yet done anything: the sweep opens it as it did before
            name, _, version = told.strategy.rpartition(" ")
            if not await RECOVERY.strategy_there(conn, name=name, version=int(version)):
                self.report.strategies.append(told.strategy)
                return False
            await CASES.open_case(
                conn,
                lender_id=key.lender_id,
                loan_id=key.loan_id,
                workflow_id=key.workflow_id,
                strategy=name,
                strategy_version=int(version),
                now=await self.clock.now(),
            )
        return True

    async def _hear_again(self, recovery: Recovery) -> None:
        """Texts from people: who asked to be left alone is, before anything else."""
        messages = await self.carrier.received_since(self.sender, recovery.lost_since - BEFORE)
        async with self.pool.acquire() as conn:
            ids = [m.carrier_id for m in messages]
            known = {r["carrier_id"] async for r in RECOVERY.heard_before(conn, ids=ids)}
        for message in messages:
            if message.carrier_id not in known:
                heard = await take_reply(
                    self.pool,
                    self.clock,
                    carrier_id=message.carrier_id,
                    sender=message.sender,
                    body=message.body,
                    about=about(message.body, None),
                )
                self.report.replies += heard.new

    # --- each case's story ---

    async def _settle(self, unclaimed: Unclaimed, recovery: Recovery) -> None:
        """Texts whose answer the ledger never got, and that the carrier has: their reference is printed in them."""
        async with self.pool.acquire() as conn:
            rows = [r async for r in RECOVERY.in_the_air(conn, since=recovery.lost_since - BEFORE)]
        for row in rows:
            if message := unclaimed.referred(row["contact_value"], row["reference"]):
                await self.writing.settle(row, message)
                self.report.settled += 1

    async def _write_back(
        self, stories: list[Story], unclaimed: Unclaimed, recovery: Recovery
    ) -> tuple[set[LoanKey], list[tuple[Acted, LoanKey]]]:
        """Write back what is certain; the cases of which something was lost, and the acts of which the carrier alone can tell."""
        since = recovery.lost_since - BEFORE
        recent = [
            (line, told.key)
            for told in stories
            for line in told.lines
            if isinstance(line, Told) or line.ended is None or line.ended > since
        ]
        changed = {
            key for line, key in sorted(recent, key=lambda each: each[0].at) if await self._again(line, key, unclaimed)
        }
        unsure = [(line, key) for line, key in recent if isinstance(line, Acted) and self._is_unsure(line)]
        return changed, unsure

    @staticmethod
    def _is_unsure(act: Acted) -> bool:
        return channel_of(act.order.decision.action) is not None and not went_out(act) and may_have_gone_out(act)

    async def _again(self, line: Acted | Told, key: LoanKey, unclaimed: Unclaimed) -> bool:
        """One line of a story; whether the ledger lacked it."""
        if isinstance(line, Told):
            taken = await self.writing.message(key, line)
            self.report.messages += taken is not None
            self.report.refused += taken is False
            return taken is not None
        if channel_of(line.order.decision.action) is None:
            written = await self.writing.task(key, line)
            self.report.tasks += written
            return written
        if not went_out(line) or await self.writing.is_on_record(key, line):
            return False
        found = await self._find(line, key, unclaimed)
        written = await self.writing.contact(key, line, found)
        self.report.contacts += written
        self.report.uncertain += written and found is None and channel_of(line.order.decision.action) != "letter"
        return written

    async def _find(self, act: Acted, key: LoanKey, unclaimed: Unclaimed) -> Any:
        """The carrier's message or call of an activity, if it has one and no contact names it."""
        if channel_of(act.order.decision.action) == "letter" or await self.writing.is_on_record(key, act):
            return None
        number = await self.writing.number_of(key, act)
        last = act.ended or datetime.now(UTC)
        if is_text(act.order.decision.action):
            return unclaimed.text(number, act.ordered, last)
        async with self.pool.acquire() as conn:
            return await unclaimed.call(conn, number, act.ordered, last)

    # --- the workflows ---

    async def _bring_up(self, known: Iterable[Known], recovery: Recovery) -> None:
        """Start the workflows that are missing, and wake those that know more than the ledger, or less."""
        running = {each.key: each for each in known if each.running}
        async with self.pool.acquire() as conn:
            self.report.told_again = len([r async for r in RECOVERY.tell_again(conn)])
            cases = [(LoanKey(r["lender_id"], r["loan_id"]), r["last"]) async for r in RECOVERY.open_cases(conn)]
        for key, last in cases:
            told = running.pop(key, None)
            if told is None:
                await self.opening.start(key)
                self.report.started += 1
            elif told.changed or told.last > recovery.lost_since or (last and last > told.last + WRITES_LATE):
                self.report.woken += await self._poke(key)
        for key in running:
            self.report.woken += await self._poke(key)  # the ledger has closed it: it looks, and ends

    async def _poke(self, key: LoanKey) -> bool:
        try:
            await self.client.get_workflow_handle(key.workflow_id).signal("poke")
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            log.warning("workflow %s ended while it was to be woken: run `arrears recover` again", key.workflow_id)
            return False
        return True
