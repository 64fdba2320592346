"""Statements of banks and processors, as files: camt.053 (ISO 20022) and CSV."""

from pathlib import Path

from domain.errors import BadInput
from starters.statements.camt import read_camt
from starters.statements.csv_file import read_csv
from starters.statements.statement import Statement

__all__ = ["Statement", "read_statement"]


def read_statement(file: Path) -> Statement:
    """Read a statement; what begins with `<` is camt.053, all else CSV.

    Raises:
        BadInput: the file cannot be read, or something in it cannot be used; the message says where.
    """
    try:
        with file.open("rb") as opened:
            first = opened.read(1024)
    except OSError as error:
        raise BadInput(f"statement {file} cannot be read ({error.strerror}): check its name.") from None
    # XML may be in two bytes a character; its first sign is then among zeros.
    begins = (
        first.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").lstrip(b"\x00 \t\r\n")
    )
    return read_camt(file) if begins.startswith(b"<") else read_csv(file)
