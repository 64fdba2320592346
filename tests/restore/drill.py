"""A drill: a portfolio is collected, backed up, collected further; then one store goes back in time, and the house is put in order again."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from channels.simulator import Behaviour, Fault, Script
from domain.loan import EntryKind, LoanKey
from ledger import clock as clocks
from ledger.inbound import Reply, take_reply
from ledger.new_entry import NewEntry
from ledger.posting import post_entry
from ledger.proof import prove
from ledger.tape import TapeFiles, take_in
from starters.telling import tell
from tests.restore.system import SENDER, Json, System, morning, running_system, until

Kind = Literal["ledger", "temporal", "temporal-lost"]
KINDS: tuple[Kind, ...] = ("ledger", "temporal", "temporal-lost")
FIRST = date(2026, 3, 2)  # a Monday
OWED = "120.00"
REFERENCE = re.compile(r"\b[A-HJ-NP-Z2-9]{8}\b")
# The days past due at which loans begin, by the stage that they reach after two texts.
STAGES = {"SMS": 3, "CALL": 20, "LETTER": 60}
MID = "MID-0"  # its text is on its way when everything stops
GOES_ON_FOR = timedelta(days=3)


@dataclass
class Drill:
    """One drill, with so many loans for each stage, at least three."""

    system: System
    each: int
    in_flight: bool = True
    paid: list[NewEntry] = field(default_factory=list)
    stopped: str = ""
    tapes: list[TapeFiles] = field(default_factory=list)

    # --- who there is ---

    def loans(self, stage: str) -> list[str]:
        return [f"{stage}-{n}" for n in range(self.each)]

    @property
    def old(self) -> list[str]:
        return [loan for stage in STAGES for loan in self.loans(stage)]

    @property
    def new(self) -> list[str]:
        return [f"NEW-{n}" for n in range(max(1, self.each // 3))]

    # --- what happens ---

    async def take_in(self, name: str, loans: dict[str, int]) -> None:
        """A tape of loans, by the days that they are past due."""
        folder = self.system.folder
        files = TapeFiles(loans=folder / f"{name}.loans.jsonl", instalments=folder / f"{name}.instalments.jsonl")
        assert files.loans
        assert files.instalments
        known = sum(len(_read(tape.loans)) for tape in self.tapes if tape.loans)
        rows = [_loan(loan, known + n) for n, loan in enumerate(loans)]
        files.loans.write_text("".join(json.dumps(row) + "\n" for row in rows))
        due = [row for loan, days in loans.items() for row in _schedule(loan, days)]
        files.instalments.write_text("".join(json.dumps(row) + "\n" for row in due))
        self.tapes.append(files)
        await take_in(self.system.pool, files, clock=self.system.clock)

    async def pay(self, loan: str, amount: str) -> None:
        today = (await self.system.clock.now()).date()
        values: Json = {"loan_id": loan, "amount": Decimal(amount), "currency": "EUR", "value_date": today}
        entry = NewEntry(entry_id=f"P-{len(self.paid)}", kind=EntryKind.PAYMENT, **values)
        self.paid.append(entry)
        await post_entry(self.system.pool, entry, self.system.clock)

    async def say_stop(self, loan: str) -> None:
        """A borrower writes STOP, and the API hears it."""
        number: str = await self.system.pool.fetchval("select phone from loans where loan_id = $1", loan)
        message = self.system.carrier.receive(number, SENDER, "STOP")
        self.stopped = number
        await take_reply(
            self.system.pool,
            self.system.clock,
            carrier_id=message.sid,
            sender=number,
            body="STOP",
            about=Reply.OPTED_OUT,
        )

    async def tell(self, loan: str, message: str, **body: Any) -> None:
        handle = self.system.client.get_workflow_handle(LoanKey("default", loan).workflow_id)
        answer = await tell(handle, message, body)
        assert answer.accepted, answer.reason

    async def answered(self, loan: str, code: str, data: Json) -> None:
        """Answer a loan's open call."""
        task: str = await self.system.pool.fetchval(
            "select task_id from tasks where loan_id = $1 and kind = 'call' and status = 'open'", loan
        )
        await self.tell(loan, "record_outcome", task_id=task, code=code, by="c1", data=data)

    # --- what can be waited for ---

    async def count(self, query: str, *values: object) -> int:
        found: int = await self.system.pool.fetchval(f"select count(*) from {query}", *values)
        return found

    async def have_texts(self, loans: list[str], texts: int) -> None:
        """Wait until each of these loans got so many texts."""

        async def look() -> bool:
            sent = "contacts where channel = 'sms' and state in ('sent', 'unknown') and purpose = 'collect' and loan_id = any($1)"
            return await self.count(sent, loans) >= texts * len(loans)

        await until(look, f"{texts} texts each to {len(loans)} loans")

    async def have(self, query: str, how_many: int) -> None:
        async def look() -> bool:
            return await self.count(query) >= how_many

        await until(look, f"{how_many} {query}")


async def drill(
    folder: Path, kind: Kind, each: int, *, day: float = 4, in_flight: bool = True, recovers: bool = True
) -> Json:
    """Run one; what the carrier, the ledger and the proof say in the end.

    Args:
        folder: For data, files and logs.
        kind: Which store goes back in time.
        each: Loans for each stage.
        day: Real seconds that a business day lasts.
        in_flight: Whether a text is on its way when everything stops; Temporal takes forty seconds to see that.
        recovers: Whether anybody puts things in order; without, the drill must notice.
    """
    began = datetime.now(UTC)
    async with running_system(folder, morning(FIRST.year, FIRST.month, FIRST.day), day) as system:
        this = Drill(system, each, in_flight)
        backup = await _until_backup(this, kind)
        known = await _until_disaster(this)
        system.kill_crew()
        at = datetime.now(UTC)
        if kind == "ledger":
            await system.restore_ledger(backup)
        else:
            await system.restore_temporal(backup if kind == "temporal" else None)
        lost = {name: n - await this.count(name) for name, n in known.items()} if kind == "ledger" else {}
        recovered = await _put_in_order(this, kind) if recovers else None
        back = datetime.now(UTC)
        await _go_on(this, recovers)
        return {
            "kind": kind,
            "loans": len(this.old) + len(this.new) + this.in_flight,
            "lost with the backup": lost,
            "recovered": recovered,
            "seconds": {"before": (at - began).seconds, "restore and recover": (back - at).seconds},
            **await _counted(this),
        }


async def _until_backup(this: Drill, kind: Kind) -> Path:
    system = this.system
    await system.command("strategy", "publish", str(Path(__file__).with_name("drill.toml")))
    await system.pool.execute("update lenders set mode = 'live', strategy = 'drill'")
    await this.take_in("old", {loan: STAGES[loan.partition("-")[0]] for loan in this.old})
    system.start_crew()
    async with system.pool.acquire() as conn:
        await clocks.run_clock(conn, datetime.now(UTC), speed=None, start=None)
    await this.have_texts(this.old, 1)
    return await system.dump_ledger() if kind == "ledger" else system.copy_temporal()


async def _until_disaster(this: Drill) -> dict[str, int]:
    """All that the backup does not know; how many rows there are in the end."""
    await this.take_in("new", dict.fromkeys(this.new, 3))
    await this.have_texts([*this.old, *this.new], 1)
    await this.have_texts(this.old, 2)
    await this.have("tasks where kind = 'call'", this.each)
    await this.have("contacts where channel = 'letter'", this.each)
    sms, call, letter = this.loans("SMS"), this.loans("CALL"), this.loans("LETTER")
    await this.pay(sms[0], OWED)
    await this.pay(letter[0], OWED)
    await this.pay(sms[1], "20.00")
    await this.say_stop(sms[2])
    await this.tell(letter[1], "place_hold", reason="dispute", by="c1")
    due = ((await this.system.clock.now()) + timedelta(days=13)).date()
    await this.answered(call[0], "RPC_PTP", {"amount": "60.00", "due_on": due.isoformat()})
    await this.answered(call[1], "NO_ANSWER", {})
    await this.pay(call[2], OWED)
    await this.have("cases where cured_at is not null", 3)
    if this.in_flight:
        await _leave_in_flight(this)
    names = ("loans", "cases", "contacts", "tasks", "entries", "holds", "promises", "inbound", "case_events")
    return {name: await this.count(name) for name in names}


async def _leave_in_flight(this: Drill) -> None:
    """A text is taken by the carrier, which does not answer: the worker will die while it waits."""
    number = _loan(MID, sum(len(_read(tape.loans)) for tape in this.tapes if tape.loans))["phone"]
    this.system.carrier.play(Script(borrowers={number: Behaviour(fault=Fault(kind="hang", taken=True))}))
    await this.take_in("mid", {MID: 3})

    async def under_way() -> bool:
        return any(m.to == number for m in this.system.carrier.messages)

    await until(under_way, "a text to be on its way")


async def _put_in_order(this: Drill, kind: Kind) -> list[Json]:
    """The steps of docs/runbooks/restore.md."""
    system = this.system
    this.system.carrier.play(Script())
    if kind != "ledger":
        await system.command("register")
        return [await system.command("recover", "--release")]
    first = await system.command("recover", exits=1)
    for tape in this.tapes:
        await take_in(system.pool, tape, clock=system.clock)
    for entry in this.paid:
        await post_entry(system.pool, entry, system.clock)
    last = await system.command("recover", "--release")
    return [first, last, await system.command("recover", "--release")]


async def _go_on(this: Drill, recovered: bool) -> None:
    """The crew comes back, and days pass."""
    this.system.start_crew()
    end = await this.system.clock.now() + GOES_ON_FOR
    if recovered:
        await this.have_texts([*this.new, *([MID] if this.in_flight else [])], 2)
        await this.have("tasks where kind = 'call'", this.each)

    async def passed() -> bool:
        waiting = recovered and await this.count("outbox where delivered_at is null and result is null")
        return await this.system.clock.now() >= end and not waiting

    await until(passed, f"{GOES_ON_FOR.days} days to pass")


async def _counted(this: Drill) -> Json:
    system = this.system
    async with system.pool.acquire() as conn:
        proof = await prove(conn)
        entries = [r["entry_id"] for r in await conn.fetch("select entry_id from entries")]
        call, letter = this.loans("CALL"), this.loans("LETTER")
        checks = {
            "the promise is on record": await conn.fetchval(
                "select count(*) = 1 from promises where loan_id = $1 and amount = 60", call[0]
            ),
            "the dispute stands": await conn.fetchval(
                "select count(*) = 1 from holds where subject_id = $1 and reason = 'dispute' and released_at is null",
                letter[1],
            ),
            "STOP stands": await conn.fetchval(
                "select count(*) = 1 from suppressions where channel = 'sms' and value = $1", this.stopped
            ),
            "calls that were made are on record": await conn.fetchval(
                "select count(*) = 2 from contacts where channel = 'call' and loan_id = any($1)", call[:2]
            ),
            "nothing is in the air": await conn.fetchval("select count(*) = 0 from contacts where state = 'sending'"),
        }
    texts = Counter((m.to, REFERENCE.sub("", m.body)) for m in system.carrier.messages if m.direction == "outbound-api")
    return {
        "texts at the carrier": sum(texts.values()),
        "sent twice": sum(n - 1 for n in texts.values()),
        "payments": {"sent": len(this.paid), "in the ledger": len(entries), "once": len(set(entries)) == len(entries)},
        "checks": checks,
        "proof": {c["name"]: _verdict(c) for c in proof["checks"]},
        "violations": [
            f"{c['name']}: {v['kind']} {v['loan_id']}: {v['detail']}" for c in proof["checks"] for v in c["violations"]
        ],
        "ok": proof["ok"],
    }


def _verdict(check: Json) -> str:
    lost = f", {check['recovered']} of them recovered" if "recovered" in check else ""
    return f"{'holds' if check['ok'] else 'BROKEN'}  {check['checked']} checked{lost}"


def _loan(name: str, n: int) -> Json:
    return {
        "loan_id": name,
        "borrower_id": f"B-{name}",
        "borrower_name": f"Sample {name}",
        "borrower_kind": "person",
        "phone": f"+1{201 + n // 90}55501{n % 90:02}",
        "language": "en",
        "timezone": "Europe/Rome",
        "country": "IT",
        "currency": "EUR",
        "opened_on": "2025-01-01",
        "product": "loan",
    }


def _schedule(name: str, days: int) -> list[Json]:
    due = {1: FIRST - timedelta(days=days), 2: FIRST + timedelta(days=300)}
    return [
        {"loan_id": name, "number": n, "due_on": on.isoformat(), "principal": OWED, "interest": "0", "fee": "0"}
        for n, on in due.items()
    ]


def _read(file: Path) -> list[str]:
    return file.read_text().splitlines()
