"""Takes in a tape: all its files in one transaction, so that nobody ever sees a debt without the payments that came with it."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import asyncpg

from domain.clock import Clock
from domain.errors import BadInput
from ledger.late_fees import give_way_to_tape
from ledger.named import queries
from ledger.suspense import match_suspense
from ledger.tape import balances, core
from ledger.tape.codes import known_codes
from ledger.tape.core_files import BALANCES, RECALLS
from ledger.tape.entries import post_rows, tell_cases
from ledger.tape.files import CONSENTS, CONTACTS, LOANS, PARTIES
from ledger.tape.first import first_tape
from ledger.tape.kind import FileKind
from ledger.tape.legal_files import LIMITATION, NOTICES
from ledger.tape.merging import MERGES, lock_concerned, merge
from ledger.tape.money_files import ENTRIES, INSTALMENTS
from ledger.tape.reading import Progress, TapeFile, inspect
from ledger.tape.staging import check_rows, shown, stage

TAPE = queries("tape")
SENTENCES = 20
ALWAYS_REPORTED = ("loans", "instalments", "entries")


@dataclass(frozen=True, kw_only=True)
class TapeFiles:
    """The files of a tape, taken in this order: each names what stands in the ones before it."""

    loans: Path | None = None
    parties: Path | None = None
    contacts: Path | None = None
    consents: Path | None = None
    notices: Path | None = None
    limitation: Path | None = None
    instalments: Path | None = None
    entries: Path | None = None
    recalls: Path | None = None
    balances: Path | None = None

    def given(self) -> Iterator[tuple[Path, FileKind]]:
        """The files there are, with their kinds."""
        for kind in (LOANS, PARTIES, CONTACTS, CONSENTS, NOTICES, LIMITATION, INSTALMENTS, ENTRIES, RECALLS, BALANCES):
            path: Path | None = getattr(self, kind.name)
            if path is not None:
                yield path, kind


BY_INSTALMENT = (ENTRIES, RECALLS, BALANCES)  # the last ones: what they say is held against the schedules


@dataclass
class Counts:
    """What became of a file's rows: each read is new, changed, unchanged or rejected.

    Of the new entries some are in suspense: they name a loan that nobody knows yet. A differing balance is not ours.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    suspense: int = 0
    differing: int | None = None

    def as_json(self) -> dict[str, int]:
        """The counts that apply."""
        return {n: v for n, v in vars(self).items() if v is not None and (v or n != "suspense")}


@dataclass
class TapeReport:
    """What an intake did. `sentences` say why rows were refused, the first few; `ignored` names columns that mean nothing here.

    `matched` counts entries that had waited in suspense for a loan of this tape, `without_limitation` loans for which no suit can be
    filed, since nobody knows when they become time-barred.
    """

    counts: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in ALWAYS_REPORTED})
    sentences: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    matched: int = 0
    without_limitation: int = 0

    @property
    def rejected(self) -> int:
        """Refused rows of all files."""
        return sum(each.rejected for each in self.counts.values())

    def as_json(self) -> dict[str, dict[str, int]]:
        """The shape of design.md 9."""
        return {name: each.as_json() for name, each in self.counts.items()}


async def take_in(
    pool: "asyncpg.Pool[asyncpg.Record]",
    files: TapeFiles,
    *,
    clock: Clock,
    strategy: str | None = None,
    rejects: Path | None = None,
    progress: Progress | None = None,
) -> TapeReport:
    """Take a tape into the ledger: what is good is merged, what is not goes to the rejects file with its line and reason.

    Taking the same files again changes nothing. `strategy` is what the next cases of the taken loans follow.

    Raises:
        BadInput: a file cannot be used at all, the strategy is not published, or the rejects file cannot be written; then nothing
            was taken.
    """
    tape = [inspect(path, kind) for path, kind in files.given()]
    _spare(tape, rejects)
    report = TapeReport()
    try:
        async with pool.acquire() as conn, conn.transaction():
            await _prepare(conn, strategy, clock)
            async with first_tape(conn) as first:
                for file in (each for each in tape if each.kind not in BY_INSTALMENT):
                    report.counts[file.kind.name] = await _take_file(conn, file, strategy, clock, progress, first)
            for file in (each for each in tape if each.kind in BY_INSTALMENT):
                report.counts[file.kind.name] = await _take_file(conn, file, strategy, clock, progress, first)
            if files.loans or files.entries:
                report.matched = await match_suspense(conn, clock)
            if files.loans:
                report.without_limitation = await TAPE.count_without_limitation(conn)
            await core.settle_recalls(conn, clock)
            if files.balances:
                await balances.begin_loans(conn, clock)
            if files.instalments:
                await balances.give_way_to_schedules(conn)
            await tell_cases(conn, clock)
            if files.entries:
                await give_way_to_tape(conn, clock)
            if files.balances:
                report.counts["balances"].differing = await balances.compare(conn, clock)
            await _write_rejects(conn, tape, rejects, report)
            await TAPE.tape_loaded(conn)
    except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError) as error:
        raise BadInput(f"{_in_the_way(error)}, and nothing was taken: load the tape again.") from None
    report.ignored = [f"{file.path.name}: {name}" for file in tape for name in sorted(file.ignored)]
    return report


def _in_the_way(error: asyncpg.PostgresError) -> str:
    """What another did while the tape was taken. The tables are named and no rows, which may hold personal data."""
    if isinstance(error, asyncpg.DeadlockDetectedError):
        return "the tape and another command waited for each other"
    if error.table_name in {
        "entries",
        "entry_status_changes",
        "suspense",
        None,
    }:  # none where a posting found out by itself
        return "an entry of the tape was posted elsewhere meanwhile"
    return f"another command wrote a row of the tape to {error.table_name} meanwhile"


async def _prepare(conn: Any, strategy: str | None, clock: Clock) -> None:
    await TAPE.for_bulk(conn)
    await TAPE.one_tape_at_a_time(conn)
    if strategy is not None and not await TAPE.strategy_published(conn, name=strategy):
        raise BadInput(f"strategy {strategy!r} is not published: publish it with `arrears strategy publish FILE`.")
    await TAPE.make_workbench(conn)
    await conn.copy_records_to_table("known_codes", records=known_codes())
    await conn.copy_records_to_table("moment", records=[(await clock.now(),)])


async def _take_file(
    conn: Any, file: TapeFile, strategy: str | None, clock: Clock, progress: Progress | None, first: bool
) -> Counts:
    kind = file.kind
    staged = await stage(conn, file, progress)
    counts = Counts(read=staged.rows)
    repeated = await check_rows(conn, file, staged)
    if not first:
        await lock_concerned(conn, kind)
    if kind is ENTRIES:
        posted = await post_rows(conn, file, clock)
        counts.new, counts.suspense = posted.new + posted.suspense, posted.suspense
        counts.changed, counts.unchanged = posted.changed, posted.known + repeated
    else:
        await _merge_file(conn, kind, counts, strategy, clock, first)
    counts.rejected = await TAPE.count_rejected(conn, file=kind.name)
    if kind is not ENTRIES:
        counts.unchanged = counts.read - counts.new - counts.changed - counts.rejected
    return counts


async def _merge_file(
    conn: Any, kind: FileKind, counts: Counts, strategy: str | None, clock: Clock, first: bool
) -> None:
    if kind is LOANS:
        await TAPE.add_lenders(conn)
    for merging in MERGES[kind.name]:
        # The last table is the file's own; the ones before it only follow from the same rows.
        counts.new, counts.changed = await merge(conn, merging, kind, first)
    if kind is LOANS:
        await TAPE.tape_came(conn, now=await clock.now())
        await core.settle_numbers(conn)
        counts.changed = 0 if first else await TAPE.count_changed_loans(conn)
        if strategy is not None:
            await TAPE.ask_for_strategy(conn, strategy=strategy)
    elif kind is PARTIES:
        counts.changed = await TAPE.count_changed_parties(conn)


def _spare(tape: list[TapeFile], rejects: Path | None) -> None:
    """No file of the tape is written over."""
    for file in tape:
        if rejects is not None and rejects.exists() and rejects.samefile(file.path):
            raise BadInput(f"rejects file {rejects} is the {file.kind.name} file itself: name another.")


async def _write_rejects(conn: Any, tape: list[TapeFile], rejects: Path | None, report: TapeReport) -> None:
    """Written before the commit: if it cannot be, nothing is taken and no refusal is lost. Nobody ever sees half of it."""
    try:
        with _replacing(rejects) if rejects else nullcontext(None) as sink:
            writer = csv.writer(sink) if sink else None
            if writer:
                writer.writerow(("file", "line", "field", "reason", "row"))
            for file in tape:
                async for row in conn.cursor(
                    "select line, field, reason, row from rejected where file = $1 order by line", file.kind.name
                ):
                    if writer:
                        writer.writerow((file.path.name, row["line"], row["field"], row["reason"], shown(row["row"])))
                    if len(report.sentences) < SENTENCES:
                        report.sentences.append(f"{file.path.name} line {row['line']}: {row['reason']}")
    except OSError as error:
        raise BadInput(f"rejects file {rejects} cannot be written ({error.strerror}): name another.") from None


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A file that takes the path's place once all of it is written; what is no file, such as a terminal, is written to."""
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("w", encoding="utf-8", newline="") as sink:
            yield sink
        return
    path = path.resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="") as sink:
            yield sink
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
