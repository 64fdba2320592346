"""Proves who sent a signed request, and holds them to their rate. Nothing of a body is read as anything before."""

import math
import time
from collections.abc import Sequence

import asyncpg
from fastapi import Request

from ledger.secrets import Secret, SecretBook
from starters.bodies import read_body
from starters.problems import Refused
from starters.rate import RateLimit
from starters.signature import HEADER, Forged, check_signature

SHARED = "shared"


class Desk:
    """Those who may send, and how often: whose signature is proved by their secret's id, everybody else by their address.

    Nobody's rate is touched by what others send from the same address without a proof.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", shared: Sequence[str], limit: str) -> None:
        self.book = SecretBook(pool)
        self._shared = [Secret(f"{SHARED}-{n}", None, secret) for n, secret in enumerate(shared)]
        self._limit = RateLimit(limit)

    async def proved(self, request: Request, header: str | None) -> tuple[Secret, bytes]:
        """The secret by which an Arrears-Signature was made, and the body.

        Raises:
            Refused: 401, it proves nothing; 413, the body is too large; 429, too often; 503, there is no secret.
        """
        body = await read_body(request)
        secrets = self._shared + await self.book.of("arrears")
        if not secrets:
            raise Refused(503, "no secret is set here: set ARREARS_WEBHOOK_SECRET, or run `arrears secret add LENDER`.")
        try:
            signer = secrets[check_signature(header, body, [s.secret for s in secrets], time.time())]
        except Forged as error:
            self.not_too_often(request)
            raise Refused(401, str(error), {"WWW-Authenticate": HEADER}) from None
        self.not_too_often(signer)
        return signer, body

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
