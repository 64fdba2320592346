"""Proves who sent a signed request, and holds them to their rate. Nothing of a body is read as anything before."""

import math
import time
from collections.abc import Sequence

import asyncpg
from fastapi import Request

from domain.errors import BadInput
from ledger.secrets import Secret, SecretBook
from starters.bodies import read_body
from starters.problems import Refused
from starters.rate import RateLimit
from starters.signature import HEADER, Forged, read_header

SHARED = "shared"
SHORTEST_SHARED = 10  # characters; lenders' own are made here and longer


def _usable(shared: Sequence[str]) -> list[str]:
    """The shared secrets; blanks around one come from the file it stands in, and an empty one is none.

    Raises:
        BadInput: one could be guessed.
    """
    given = [secret.strip() for secret in shared if secret.strip()]
    for place, secret in enumerate(given, start=1):
        if len(secret) < SHORTEST_SHARED:
            raise BadInput(
                f"ARREARS_WEBHOOK_SECRET is too short in place {place}: give every secret {SHORTEST_SHARED} characters or more."
            )
    return given


class Desk:
    """Those who may send, and how often: whose signature is proved by their secret's id, everybody else by their address.

    Nobody's rate is touched by what others send from the same address without a proof.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", shared: Sequence[str], limit: str) -> None:
        self.book = SecretBook(pool)
        self._shared = [Secret(f"{SHARED}-{n}", None, secret) for n, secret in enumerate(_usable(shared))]
        self._limit = RateLimit(limit)

    async def proved(self, request: Request) -> tuple[Secret, bytes]:
        """The secret by which an Arrears-Signature was made, and the body, which is read only behind a header of the right shape.

        Raises:
            Refused: 401, it proves nothing; 408, 413, the body is too slow or too large; 429, too often; 503, there is no secret.
        """
        try:
            signed = read_header(request.headers.getlist(HEADER), time.time())
            body = await read_body(request)
            secrets = self._shared + await self.book.of("arrears")
            if not secrets:
                raise Refused(
                    503, "no secret is set here: set ARREARS_WEBHOOK_SECRET, or run `arrears secret add LENDER`."
                )
            signer = secrets[signed.by(body, [s.secret for s in secrets])]
        except Forged as error:
            self.not_too_often(request)
            raise Refused(401, str(error), {"WWW-Authenticate": HEADER}) from None
        self.not_too_often(signer)
        return signer, body

    def charge(self, who: Secret, more: int) -> None:
        """Count what else a request held; its signer waits for it before the next one."""
        self._limit.charge(who.secret_id, more)

    def not_too_often(self, who: Request | Secret) -> None:
        """Count a request of a signer, or of an address where nobody is proved.

        Raises:
            Refused: 429.
        """
        name = who.secret_id if isinstance(who, Secret) else f"from {who.client.host if who.client else 'nowhere'}"
        wait = self._limit.wait(name)
        if wait:
            raise Refused(
                429,
                "more requests came than this client may send: wait as long as Retry-After says.",
                {"Retry-After": str(math.ceil(wait))},
            )
