"""Bodies of requests, read piece by piece, so that a huge one never fills the memory and a slow one is not waited for."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic_core import from_json

from starters.problems import Refused

LARGEST = 1_000_000  # bytes
PATIENCE = 16 * LARGEST  # a sender that is let finish gets its answer; one that goes on for ever is cut off
COMES_WITHIN = 30.0  # seconds
MOST_FIELDS = 200
CLOSE = {"Connection": "close"}


async def read_body(request: Request) -> bytes:
    """The body.

    Raises:
        Refused: 413, it has more than a million bytes; where it says so itself, none of it is read. 408, it comes too slowly.
    """
    said = request.headers.get("Content-Length", "")
    if said.isascii() and said.isdigit() and (len(said) > 18 or int(said) > LARGEST):
        raise _too_large()
    kept, size = bytearray(), 0
    try:
        async with asyncio.timeout(COMES_WITHIN):
            async for piece in request.stream():
                size += len(piece)
                if size <= LARGEST:
                    kept += piece
                elif size > PATIENCE:
                    break
    except TimeoutError:
        raise Refused(408, f"the body did not come within {COMES_WITHIN:.0f} s: send it again.", CLOSE) from None
    if size > LARGEST:
        raise _too_large()
    return bytes(kept)


def _too_large() -> Refused:
    return Refused(413, f"the body has more than {LARGEST} bytes: send it in parts.", CLOSE)


def parse_json(body: bytes) -> Any:
    """What a body of JSON says; one nested too deeply is none.

    Raises:
        Refused: 400, it is not JSON, or an object in it gives a key twice: readers differ in which of the two they take.
    """
    try:
        said = from_json(body, allow_inf_nan=False)
        json.loads(body, object_pairs_hook=_each_once)  # the quick and strict reader does not tell of keys
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not JSON ({error}): send one JSON value in UTF-8.") from None
    return said


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for at, key in enumerate(keys) if key in keys[:at])
        raise Refused(400, f"the body gives {twice[:40]!r} twice in one object: give each key once.")


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
