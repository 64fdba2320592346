"""Ends this very process, by SIGKILL, just before it executes a chosen line."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
# All that a text goes through between the row that means it and the row that says what became of it.
FILES = (
    "activities/contact.py",
    "activities/reaching.py",
    "activities/gate.py",
    "activities/case_in_hand.py",
    "channels/twilio_sms.py",
)
_under_way: ContextVar[bool] = ContextVar("under_way", default=False)


@contextmanager
def contact_under_way() -> Iterator[None]:
    """Only what runs inside counts."""
    token = _under_way.set(True)
    try:
        yield
    finally:
        _under_way.reset(token)


class Deaths:
    """Watches the lines of FILES, writes down each that is executed for the first time, and dies at one of them.

    `died_at` says how often processes before this one died at each line. With `sweep` this one dies at once where nobody did yet; else,
    by chance, at one of the lines where the fewest did.
    """

    def __init__(self, log: Path, died_at: Mapping[str, int], *, sweep: bool, chance: float, seed: str) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._died_at = died_at
        self._fewest = min(died_at.values(), default=0)
        self._sweep = sweep
        self._chance = chance
        self._random = Random(seed)
        self._seen: set[str] = set()
        self._names = {str(ROOT / name): name for name in FILES}

    def begin(self) -> None:
        """From here on."""
        sys.settrace(self._called)

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._stepped if _under_way.get() and frame.f_code.co_filename in self._names else None

    def _stepped(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._at(f"{self._names[frame.f_code.co_filename]}:{frame.f_lineno}")
        return self._stepped

    def _at(self, line: str) -> None:
        if line not in self._seen:
            self._seen.add(line)
            os.write(self._log, f"seen {line}\n".encode())
        if self._wanted(line):
            os.write(self._log, f"died {line}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()  # the signal may take a moment; the line is not executed

    def _wanted(self, line: str) -> bool:
        deaths = self._died_at.get(line, 0)
        if self._sweep and not deaths:
            return True
        return deaths <= self._fewest and self._random.random() < self._chance


def executable_lines(seen: set[str]) -> set[str]:
    """All lines that could be executed in the functions of which some line was."""
    found: set[str] = set()
    for name in {line.rpartition(":")[0] for line in seen}:
        code = compile((ROOT / name).read_text("utf-8"), name, "exec")
        for function in _functions(code):
            # Its first line is the signature, which is executed when the module is read.
            lines = {f"{name}:{n}" for _, _, n in function.co_lines() if n is not None and n > function.co_firstlineno}
            if lines & seen:
                found |= lines
    return found


def _functions(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & 0x2:  # has locals of its own: a function, no class
                yield inner
            yield from _functions(inner)
