"""Reads rulebooks from TOML."""

import tomllib

from pydantic import TypeAdapter, ValidationError

from domain.errors import BadInput
from domain.rulebook.rules import Rulebook


def read_rulebook(text: str, source: str) -> Rulebook:
    """Read a rulebook from TOML.

    Raises:
        BadInput: one sentence that names the file, the key and the reason.
    """
    try:
        return TypeAdapter(Rulebook).validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"rulebook {source} is not valid TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BadInput(f"rulebook {source}, key {key}: {first['msg'].removeprefix('Value error, ')}.") from None
