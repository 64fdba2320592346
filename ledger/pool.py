"""Opens connections to the ledger; whoever opens a pool hands it on, nobody keeps one for all."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg

from domain.errors import PartDown


async def open_pool(dsn: str, *, size: int = 10) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool of up to `size` connections whose jsonb values are Python values.

    Raises:
        PartDown: the address is malformed, or nothing usable answers there.
    """
    try:
        return await asyncpg.create_pool(dsn, min_size=1, max_size=size, init=speak_json, server_settings=SETTINGS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise PartDown(
            f"the database cannot be reached ({reason}): start it, or correct ARREARS_DATABASE_URL."
        ) from None


# Casts between timestamptz and date must not depend on the server's zone.
SETTINGS = {"application_name": "arrears", "timezone": "UTC"}


async def speak_json(conn: Any) -> None:
    """Make one connection read and write jsonb as Python values: amounts as strings out, as Decimal in, never as float."""
    await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=_encode, decoder=_decode, format="binary")


def _encode(value: Any) -> bytes:
    return b"\x01" + json.dumps(value, default=_as_text, ensure_ascii=False).encode()


def _decode(raw: bytes) -> Any:
    return json.loads(raw[1:], parse_float=Decimal)  # the first byte is the format's version


def _as_text(value: Any) -> str:
    match value:
        case Decimal():
            return str(value)
        case date():  # and datetime
            return value.isoformat()
        case _:
            raise TypeError(f"{type(value).__name__} has no form in JSON")
