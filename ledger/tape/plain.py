"""Hands a CSV file without quotes on as it is, and sees on the way whether its rows need a closer look."""

import re
from collections.abc import AsyncIterator

from ledger.tape.reading import CHUNK, Progress, TapeFile


class NotPlain(Exception):
    """The file has quotes or zero bytes: its rows must be read one by one."""


class Plain:
    """One such file. `sound` says, once all of it was handed on, whether every row meets the patterns of its kind (kind.py)."""

    def __init__(self, file: TapeFile, progress: Progress | None) -> None:
        """Nothing is read yet."""
        self._file = file
        self._progress = progress
        patterns = [file.kind.sound.get(name) for name in file.header]
        known = [each for each in patterns if each is not None]
        self.sound = bool(known) and len(known) == len(patterns)
        self._lines = re.compile(rb"(?:" + rb",".join(known) + rb"\r?+\n)*+")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes after the header, in chunks that end with a line.

        Raises:
            NotPlain: see there.
        """
        size = self._file.path.stat().st_size
        with self._file.path.open("rb") as raw:
            header = raw.readline()
            if b'"' in header or b"\r" in header.rstrip(b"\r\n"):
                raise NotPlain
            rest = b""
            while chunk := raw.read(CHUNK):
                if self._progress:
                    self._progress(self._file.path.name, raw.tell(), size)
                whole, rest = self._cut(rest + chunk)
                self._look_at(whole)
                yield whole
            if rest:
                self._look_at(rest + b"\n")
                yield rest

    @staticmethod
    def _cut(text: bytes) -> tuple[bytes, bytes]:
        end = text.rfind(b"\n") + 1
        return text[:end], text[end:]

    def _look_at(self, lines: bytes) -> None:
        if b'"' in lines or b"\0" in lines:
            raise NotPlain
        self.sound = self.sound and self._lines.fullmatch(lines) is not None
