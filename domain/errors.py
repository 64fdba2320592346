"""Errors that people outside the code get to read."""

from pydantic import ValidationError


class BadInput(ValueError):
    """Something given to Arrears cannot be used; the message is one sentence naming the thing, the place and the remedy.

    `code` is what programs tell kinds of errors apart by: the `error.code` of `--json`.
    """

    code = "bad_use"


class UnknownLoan(BadInput):
    """The ledger has no loan of that id."""

    code = "unknown_loan"


class PartDown(BadInput):
    """A part that the command needs, such as the database or Temporal, is not there."""

    code = "part_down"


def first_fault(error: ValidationError) -> tuple[str, str]:
    """The field that a model refused first, with dots, and why in words of ours that name the remedy."""
    first = error.errors()[0]
    return ".".join(map(str, first["loc"])), _fault(first["type"], first["msg"])


def _fault(kind: str, words: str) -> str:
    match kind:
        case "extra_forbidden":
            return "there is no such field, check its spelling"
        case "missing":
            return "it is missing, add it"
        case "too_short":
            return "it is empty, give at least one"
        case "decimal_parsing" | "decimal_type" | "finite_number":
            return 'it is no amount, write it as a string such as "50.00"'
        case "date_from_datetime_parsing" | "date_parsing" | "date_type":
            return "it is no date, write it as 2026-01-31"
        case "string_type":
            return "it is no text, put it in quotes"
    return words.removeprefix("Value error, ").replace("Input should", "it should").rstrip(".")
