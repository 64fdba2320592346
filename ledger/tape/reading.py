"""Reads tape files row by row, with the number of the line that each row begins on."""

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from domain.errors import BadInput
from ledger.new_entry import CONTROLS
from ledger.tape.kind import FileKind

# How far a file has been read: its name, bytes read, bytes in all.
Progress = Callable[[str, int, int], None]
CHUNK = 1 << 20
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
PACKED = {
    b"\x1f\x8b": "is packed by gzip: unpack it first, with gunzip",
    b"PK\x03\x04": "is a zip or a workbook: unpack it, or save its sheet as CSV",
}


class Row(NamedTuple):
    """One row: its values in the order of `TapeFile.columns`, or what makes it unreadable and its text."""

    line: int
    values: Sequence[str]
    problem: str = ""
    raw: str = ""


@dataclass(frozen=True)
class TapeFile:
    """A file that exists, is UTF-8 and has the columns it needs.

    `ignored` are columns that nothing here knows; those of JSON lines are found as the rows are read.
    """

    path: Path
    kind: FileKind
    columns: tuple[str, ...]
    header: tuple[str, ...] = ()
    ignored: set[str] = field(default_factory=set)

    @property
    def jsonl(self) -> bool:
        """Whether each line is a JSON object; otherwise the file is CSV."""
        return _is_jsonl(self.path)

    def rows(self, progress: Progress | None = None) -> Iterator[Row]:
        """All rows in order; empty lines are none."""
        size = self.path.stat().st_size
        with self.path.open("rb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            for count, row in enumerate(self._json_rows(text) if self.jsonl else self._csv_rows(text)):
                if progress and count % 5000 == 0:
                    progress(self.path.name, raw.tell(), size)
                yield row
        if progress:
            progress(self.path.name, size, size)

    def _csv_rows(self, text: io.TextIOWrapper) -> Iterator[Row]:
        reader = csv.reader(text, strict=True)
        next(reader)
        places = [self.header.index(name) for name in self.columns]
        width = len(self.header)
        while True:
            line = reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, (), f"{_the_row(line, reader.line_num)} is no CSV ({error}): correct its quotes.")
                continue
            if not values:
                continue
            if len(values) != width:
                problem = f"{_the_row(line, reader.line_num)} has {len(values)} columns, the header {width}: add or remove some."
                yield Row(line, (), problem, joined(values))
                continue
            if "\0" in "".join(values):
                problem = "the row holds a zero byte: remove it."
                yield Row(line, (), problem, joined([value.replace("\0", "") for value in values]))
                continue
            yield Row(line, [values[place] for place in places])

    def _json_rows(self, text: io.TextIOWrapper) -> Iterator[Row]:
        known = set(self.columns)
        for line, raw in enumerate(text, start=1):
            if not raw.strip():
                continue
            shown = CONTROLS.sub("", raw)
            try:
                given = json.loads(raw, parse_float=_Fraction, object_pairs_hook=_object)
                if not isinstance(given, dict):
                    raise BadInput("the line is not a JSON object: write one object a line.")
                self.ignored.update(given.keys() - known)
                yield Row(line, [_plain(name, given.get(name)) for name in self.columns])
            except BadInput as problem:
                yield Row(line, (), str(problem), shown)
            except (ValueError, RecursionError):
                yield Row(line, (), "the line is not JSON: write one object a line.", shown)


def _the_row(first: int, last: int) -> str:
    """A row that an open quote carried over several lines says up to where."""
    return "the row" if first == last else f"the row from line {first} to line {last}"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"{CONTROLS.sub('', twice)} is in the line twice: keep one of the two.")
    return found


class _Fraction(str):
    """A JSON number with decimals, as it was written."""


def _plain(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case _Fraction():
            raise BadInput(
                f'{name} is a JSON number with decimals: write it as a string such as "12.50", which loses nothing.'
            )
        case int():
            return str(value)
        case str() if CONTROLS.search(value):
            raise BadInput(f"{name} holds a control character: remove it.")
        case str():
            return value
        case _:
            raise BadInput(f"{name} is a list or an object: write one text.")


def joined(values: Sequence[str | None]) -> str:
    """Values as one line of CSV."""
    text = io.StringIO()
    csv.writer(text).writerow(["" if v is None else v for v in values])
    return text.getvalue().removesuffix("\r\n")


def inspect(path: Path, kind: FileKind) -> TapeFile:
    """Look at a whole file before anything of it is taken.

    Raises:
        BadInput: it is missing, not UTF-8, empty, or lacks a column that every row needs.
    """
    try:
        _check_encoding(path)
        if _is_jsonl(path):
            return TapeFile(path, kind, kind.columns)
        with path.open(encoding="utf-8-sig", newline="") as text:
            header = tuple(name.strip() for name in next(csv.reader(text), ()))
    except OSError as error:
        raise BadInput(f"{kind.name} file {path} cannot be read ({error.strerror}): check its path.") from None
    except csv.Error as error:
        raise BadInput(f"{path} has no readable header ({error}): begin with a line of column names.") from None
    if not header:
        raise BadInput(f"{path} is empty: begin with the line {','.join(kind.needed)}.")
    if missing := [name for name in kind.needed if name not in header]:
        for mark, name in SEPARATORS.items():
            if missing[0] in {part.strip() for part in ",".join(header).split(mark)}:
                raise BadInput(f"{path} separates its columns by {name}: save it with commas.")
        raise BadInput(f"{path} lacks the column {missing[0]}: its header must name {', '.join(kind.needed)}.")
    if twice := [name for name in header if header.count(name) > 1]:
        raise BadInput(f"{path} has the column {twice[0]!r} twice: remove one.")
    columns = tuple(name for name in kind.columns if name in header)
    return TapeFile(path, kind, columns, header, {*header} - {*kind.columns})


def _is_jsonl(path: Path) -> bool:
    return path.suffix.lower() in {".jsonl", ".ndjson", ".json"}


def _check_encoding(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as raw:
        for begins, remedy in PACKED.items():
            if raw.read(len(begins)) == begins:
                raise BadInput(f"{path} {remedy}.")
            raw.seek(0)
        while chunk := raw.read(CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                raise BadInput(f"{path} is not UTF-8 in line {line}: save it as UTF-8.") from None
            line += chunk.count(b"\n")
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise BadInput(f"{path} is not UTF-8 in line {line}: save it as UTF-8.") from None
