"""Errors that people outside the code get to read."""


class BadInput(ValueError):
    """Something given to Arrears cannot be used; the message is one sentence naming the thing, the place and the remedy."""
