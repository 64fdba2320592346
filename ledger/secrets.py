"""Secrets by which lenders, and those who process payments for them, prove who they are. Two of a kind may hold at once, to change one."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, Literal, NamedTuple, get_args

import asyncpg

from domain.errors import BadInput
from ledger.named import queries

SECRETS = queries("secrets")
Kind = Literal["arrears", "stripe", "gocardless", "gocardless_token"]
KINDS: tuple[str, ...] = get_args(Kind)
MOST_AT_ONCE = 2
SHORTEST = 16  # characters
REREAD_AFTER_SECONDS = 5.0


class Secret(NamedTuple):
    """A secret that holds; `lender_id` is None for one that may sign for every lender."""

    secret_id: str
    lender_id: str | None
    secret: str


class SecretBook:
    """The secrets that hold, read again every few seconds: what is added or retired counts within REREAD_AFTER_SECONDS everywhere."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._held: Mapping[str, Sequence[tuple[str, Secret]]] = {}
        self._read_at = -REREAD_AFTER_SECONDS
        self._reading = asyncio.Lock()

    async def of(self, kind: Kind, lender_id: str | None = None) -> list[Secret]:
        """The secrets of a kind, of one lender or of all.

        Raises:
            asyncpg.PostgresError, OSError: the ledger does not answer, and what was read before is too old to be believed.
        """
        if monotonic() - self._read_at > REREAD_AFTER_SECONDS:
            async with self._reading:
                if monotonic() - self._read_at > REREAD_AFTER_SECONDS:
                    await self._read()
        return [secret for owner, secret in self._held.get(kind, ()) if lender_id in (None, owner)]

    async def _read(self) -> None:
        began = monotonic()
        held: dict[str, list[tuple[str, Secret]]] = {}
        async with self._pool.acquire() as conn:
            async for r in SECRETS.valid_secrets(conn):
                held.setdefault(r["kind"], []).append(
                    (r["lender_id"], Secret(r["secret_id"], r["lender_id"], r["secret"]))
                )
        self._held, self._read_at = held, began


async def add_secret(conn: Any, lender_id: str, kind: Kind, given: str | None = None) -> Secret:
    """Give a lender a secret that holds from now on: a new one, or the one that a payment processor gave.

    Raises:
        BadInput: the lender is unknown, has two of the kind already, or the given one is too short.
    """
    if given is not None and (len(given) < SHORTEST or not given.isprintable() or not given.isascii()):
        raise BadInput(f"the secret given is no text of {SHORTEST} characters or more: copy the whole of it.")
    secret = Secret(f"sec_{secrets.token_hex(6)}", lender_id, given or secrets.token_urlsafe(32))
    async with conn.transaction():
        if await SECRETS.lock_lender(conn, lender_id=lender_id) is None:
            raise BadInput(f"lender {lender_id!r} is unknown: lenders come with the loans of `arrears intake`.")
        if await SECRETS.count_valid(conn, lender_id=lender_id, kind=kind) >= MOST_AT_ONCE:
            raise BadInput(
                f"lender {lender_id} has {MOST_AT_ONCE} secrets of kind {kind} that hold: retire one of them first."
            )
        await SECRETS.add_secret(conn, **secret._asdict(), kind=kind)
    return secret


async def retire_secret(conn: Any, lender_id: str, secret_id: str, *, hours: float = 0) -> dict[str, Any]:
    """End a secret after some hours of real time, or now. One that has ended stays so.

    Raises:
        BadInput: the lender has no such secret.
    """
    row = await SECRETS.retire_secret(conn, lender_id=lender_id, secret_id=secret_id, hours=hours)
    if row is None:
        raise BadInput(f"lender {lender_id} has no secret {secret_id}: `arrears secret list {lender_id}` shows them.")
    return dict(row)


async def list_secrets(conn: Any, lender_id: str | None = None) -> list[dict[str, Any]]:
    """What there is, without the secrets themselves."""
    return [dict(r) async for r in SECRETS.list_secrets(conn, lender_id=lender_id)]
