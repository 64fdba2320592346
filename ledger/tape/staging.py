"""Brings a file's rows into a staging table as text, and takes out the ones that break a rule.

The statements are put together from the names and conditions in files.py alone; what a file says only ever travels as data.
"""
# ruff: noqa: S608

import csv
import io
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import asyncpg

from ledger.tape.kind import FileKind
from ledger.tape.plain import NotPlain, Plain
from ledger.tape.reading import Progress, TapeFile, joined
from ledger.tape.rules import Check, Rule

ROWS_A_CHUNK = 2000
UNREADABLE = Rule("", "malformed is not null", "{malformed}")


class Staged(NamedTuple):
    """How many rows a file has, and whether each is known to pass the first check."""

    rows: int
    sound: bool = False


async def stage(conn: Any, file: TapeFile, progress: Progress | None) -> Staged:
    """Copy all rows of a file into its staging table."""
    kind = file.kind
    columns = ", ".join(f"{name} text" + _default(file, name) for name in kind.columns)
    await conn.execute(f"create temp sequence {kind.raw}_line start 2")
    await conn.execute(
        f"""
        create temp table {kind.raw} (line bigint default nextval('{kind.raw}_line'), malformed text, raw text, {columns})
        on commit drop"""
    )
    await conn.execute(f"alter sequence {kind.raw}_line owned by {kind.raw}.line")
    staged = await copy_plain(conn, file, progress)
    if staged is None:
        staged = await _copy_read(conn, file, progress)
    await conn.execute(f"analyze {kind.raw}")
    shown = ", ".join(_or_default(file, name) for name in kind.columns)
    await conn.execute(f"create temp view {kind.staged} as select line, malformed, raw, {shown} from {kind.raw}")
    return staged


async def copy_plain(conn: Any, file: TapeFile, progress: Progress | None) -> Staged | None:
    """Copy a file as it is, for the database to part into rows; None where that is not sure to read it as `TapeFile.rows` does.

    Without quotes a row is a line, and the database counts them as they come. Lines of another width, empty ones and mixed line ends it
    refuses, and then nothing is copied.
    """
    if file.jsonl or file.ignored:
        return None
    plain = Plain(file, progress)
    try:
        async with conn.transaction():
            status: str = await conn.copy_to_table(
                file.kind.raw, source=plain.chunks(), columns=file.header, format="csv"
            )
    except (NotPlain, asyncpg.DataError):
        await conn.execute(f"alter sequence {file.kind.raw}_line restart")
        return None
    return Staged(int(status.rsplit(" ", 1)[-1]), plain.sound)


async def _copy_read(conn: Any, file: TapeFile, progress: Progress | None) -> Staged:
    """Copy rows that are read one by one here."""
    counted = _Counted()
    await conn.copy_to_table(
        file.kind.raw,
        source=_as_copied(file, progress, counted),
        columns=["line", "malformed", "raw", *file.columns],
        format="csv",
    )
    return Staged(counted.rows)


async def refuse(conn: Any, file: TapeFile, check: Check) -> int:
    """Move the rows that break a rule to the refused ones, each for the first rule it breaks; returns how many."""
    kind = file.kind
    numbered = list(enumerate(check.rules, start=1))
    broken = " ".join(f"when {rule.broken} then {n}" for n, rule in numbered)
    fields = " ".join(f"when {n} then {_field(kind, rule)}" for n, rule in numbered)
    reasons = " ".join(f"when {n} then {rule.reason_sql}" for n, rule in numbered)
    row = ", ".join(f"s.{name}" for name in file.columns)
    status: str = await conn.execute(f"""
        with judged as (
            select q.line, case rule {fields} end as field, case rule {reasons} end as reason
            from (select q.*, case {broken} end as rule from ({check.source}) q offset 0) q
            where rule is not null
        ), gone as (
            delete from {kind.raw} s using judged j where j.line = s.line
            returning s.line, j.field, j.reason, case when s.malformed is null then array[{row}] else array[s.raw] end as row
        )
        insert into rejected (file, line, field, reason, row) select '{kind.name}', line, field, reason, row from gone
    """)
    return int(status.rsplit(" ", 1)[-1])


def _field(kind: FileKind, rule: Rule) -> str:
    """The field that a rule is about; of a row that cannot be read, the one that its sentence begins with, if any."""
    if rule is not UNREADABLE:
        return f"'{rule.field}'"
    names = ", ".join(f"'{name}'" for name in kind.columns)
    return f"case when split_part(malformed, ' ', 1) in ({names}) then split_part(malformed, ' ', 1) else '' end"


async def check_rows(conn: Any, file: TapeFile, staged: Staged) -> int:
    """Refuse unreadable rows, those that break a rule of their file, and those that contradict an earlier row.

    Rows that only say again what an earlier one said are left out; returns how many.
    """
    kind = file.kind
    if not staged.sound:
        await refuse(conn, file, Check(f"select * from {kind.staged}", (UNREADABLE,)))
        await refuse(conn, file, kind.checks[0])
    keys = ", ".join(kind.key)
    # Where all hashes differ, all keys do: numbers are sorted in half of the time.
    repeats = await conn.fetchval(
        f"select count(*) > count(distinct hash_record_extended(row ({keys}), 0)) from {kind.staged}"
    ) and await conn.fetchval(f"select exists (select from {kind.staged} group by {keys} having count(*) > 1)")
    if repeats:
        await refuse(conn, file, kind.repeated)
    for check in kind.checks[1:]:
        await refuse(conn, file, check)
    return await _drop_repeated(conn, file) if repeats else 0


async def _drop_repeated(conn: Any, file: TapeFile) -> int:
    """Leave out rows that only say again what an earlier one said; returns how many."""
    kind = file.kind
    keys = ", ".join(kind.key)
    same = " and ".join(f"s.{name} = again.{name}" for name in kind.key)
    status: str = await conn.execute(f"""
        delete from {kind.staged} s
        using (select {keys}, min(line) as line from {kind.staged} group by {keys} having count(*) > 1) again
        where {same} and s.line > again.line
    """)
    return int(status.rsplit(" ", 1)[-1])


def _default(file: TapeFile, name: str) -> str:
    """What a column means that the file does not have."""
    usual = file.kind.defaults.get(name)
    return f" default '{usual}'" if usual and name not in file.columns else ""


def _or_default(file: TapeFile, name: str) -> str:
    """What an empty field means. The raw row keeps it empty, to be shown as it was where it is refused."""
    usual = file.kind.defaults.get(name)
    return f"coalesce({name}, '{usual}') as {name}" if usual and name in file.columns else name


class _Counted:
    rows = 0


async def _as_copied(file: TapeFile, progress: Progress | None, counted: _Counted) -> AsyncIterator[bytes]:
    """The rows in PostgreSQL's CSV, a chunk at a time."""
    nothing = [""] * len(file.columns)
    text = io.StringIO()
    writer = csv.writer(text)
    for row in file.rows(progress):
        counted.rows += 1
        writer.writerow((row.line, row.problem, row.raw, *(row.values or nothing)))
        if counted.rows % ROWS_A_CHUNK == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def shown(row: list[str | None]) -> str:
    """A refused row as its line in the rejects file."""
    return joined(row) if len(row) > 1 else row[0] or ""
