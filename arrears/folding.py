"""Folds text to the width of a terminal, in languages with spaces and without."""

import re

WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6"
CLOSING = "，。、；：）"
# What stays on one line: a word, an id; an ideograph alone. Neither is parted from the stop after it.
PIECE = re.compile(rf"(?:[^\s{WIDE}]+|[^\s{CLOSING}])[{CLOSING}]*|[{CLOSING}]+|\s+")


def hanging(head: str, text: str, width: int) -> list[str]:
    """A text in lines beside its head, none wider than `width`; a Chinese character counts two."""
    from rich.cells import cell_len

    wrapped = [line for part in text.splitlines() or [""] for line in _wrapped(part, width - cell_len(head))]
    return [((head if n == 0 else " " * cell_len(head)) + line).rstrip() for n, line in enumerate(wrapped)]


def _wrapped(text: str, room: int) -> list[str]:
    """A text in lines of at most so many columns; only what is wider than a line is broken within."""
    from rich.cells import cell_len, chop_cells

    lines = [""]
    for piece in PIECE.findall(text):
        if cell_len(lines[-1]) + cell_len(piece) <= room:
            lines[-1] += piece
        elif not piece.isspace():
            lines += chop_cells(piece, room)
    return [line.strip() for line in lines if line.strip()] or [""]
