"""Bodies of requests, read piece by piece, so that a huge one never fills the memory."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic_core import from_json

from starters.problems import Refused

LARGEST = 1_000_000  # bytes
PATIENCE = 16 * LARGEST  # a sender that is let finish gets its answer; one that goes on for ever is cut off
MOST_FIELDS = 200


async def read_body(request: Request) -> bytes:
    """The body.

    Raises:
        Refused: 413, it has more than a million bytes.
    """
    kept, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= LARGEST:
            kept += piece
        elif size > PATIENCE:
            break
    if size > LARGEST:
        raise Refused(413, f"the body has more than {LARGEST} bytes: send it in parts.", {"Connection": "close"})
    return bytes(kept)


def parse_json(body: bytes) -> Any:
    """What a body of JSON says; one nested too deeply is none.

    Raises:
        Refused: 400, it is not JSON.
    """
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(400, f"the body is not JSON ({error}): send one JSON value in UTF-8.") from None


def parse_form(body: bytes) -> dict[str, str]:
    """What a posted form says.

    Raises:
        Refused: 400, it is no form.
    """
    try:
        return dict(
            parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        )
    except ValueError:
        raise Refused(400, "the body is no form: send it as application/x-www-form-urlencoded.") from None
