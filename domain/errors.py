"""Errors that people outside the code get to read."""


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
