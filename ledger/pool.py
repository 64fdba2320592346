"""Opens connections to the ledger; whoever opens a pool hands it on, nobody keeps one for all."""

import asyncio
import json
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg

from domain.errors import PartDown

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Pool = asyncpg.Pool

# The ledger does not answer, or broke off: what was asked may be asked again.
LEDGER_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection whose server died while it was being made
    OSError,  # and TimeoutError, which is one
)
# Casts between timestamptz and date must not depend on the server's zone.
SETTINGS = {"application_name": "arrears", "timezone": "UTC"}
# Somebody waits at the other end of an API's connection, and tries again: what is not had by then is given up.
LOCK_WITHIN = "3s"
FREE_WITHIN = 5.0  # seconds until a connection is free
CLOSED_WITHIN = 10.0  # seconds until a connection that is in use is ended
ANSWER_WITHIN = 10.0  # seconds for a statement; a server that is frozen gives none


class LedgerPool(Pool):
    """Connections to the ledger whose jsonb values are Python values. Those `for_callers` wait for nothing longer than a caller does."""

    def __init__(self, dsn: str, size: int, *, for_callers: bool) -> None:
        self._dsn = dsn
        self._free_within = FREE_WITHIN if for_callers else None
        super().__init__(
            dsn,
            min_size=1,
            max_size=size,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            init=speak_json,
            reset=_as_it_is,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            command_timeout=ANSWER_WITHIN if for_callers else None,
            server_settings=SETTINGS | ({"lock_timeout": LOCK_WITHIN} if for_callers else {}),
        )

    def acquire(self, *, timeout: float | None = None) -> Any:
        """A connection; giving it back may take as long as getting it, for it is asked whether it is well."""
        return super().acquire(timeout=timeout if timeout is not None else self._free_within)

    async def close(self) -> None:
        """Close all connections; those that nobody gives back are ended, so that a service ends when it is told to."""
        with suppress(TimeoutError):
            await asyncio.wait_for(super().close(), CLOSED_WITHIN)

    async def connect_beside(self, within: float) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection that is none of these, for who must hear of the ledger when all are taken; the caller closes it."""
        return await asyncpg.connect(self._dsn, timeout=within, command_timeout=within, server_settings=SETTINGS)


async def open_pool(dsn: str, *, size: int = 10, for_callers: bool = False) -> LedgerPool:
    """A pool of up to `size` connections; `for_callers` gives up soon, with an error of `starters.problems`.

    Raises:
        PartDown: the address is malformed, or nothing usable answers there.
    """
    try:
        pool = LedgerPool(dsn, size, for_callers=for_callers)
        await pool
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise PartDown(
            f"the database cannot be reached ({reason}): start it, or correct ARREARS_DATABASE_URL."
        ) from None
    return pool


async def _as_it_is(conn: Any) -> None:
    """Take a connection back without asking the server to forget its session: a sixth of what a posting costs.

    Transactions are ended and listeners removed by asyncpg in any case. Whoever changes more of a session than its transaction
    (a session's own advisory lock, say) undoes it before the connection goes back.
    """


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
