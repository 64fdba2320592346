"""The signature on what lenders post: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`."""

import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from typing import NamedTuple

from domain.errors import BadInput

HEADER = "Arrears-Signature"
TOLERANCE = 300  # seconds of real time, either way
MOST_SIGNATURES = 8  # a sender that changes its secret signs with the old one and the new one
MOMENT = re.compile(r"\d{1,12}", re.ASCII)


class Forged(BadInput):
    """The signature does not prove who sent this; the message does not say which secret would."""


def sign(secret: str, body: bytes, at: int | None = None) -> str:
    """The header for a body, signed at a moment (Unix seconds; now if None)."""
    moment = str(int(time.time()) if at is None else at)
    return f"t={moment},v1={_digest(secret, moment, body)}"


class Signed(NamedTuple):
    """A header of the right shape, made lately; what it proves is not known yet."""

    moment: str
    signatures: tuple[bytes, ...]

    def by(self, body: bytes, secrets: Sequence[str], *, name: str = HEADER) -> int:
        """Which of the secrets made one of its signatures over the body.

        Raises:
            Forged: none did.
        """
        # Every pair is compared, so that the time taken tells nothing.
        wanted = [_digest(secret, self.moment, body).encode() for secret in secrets]
        equal = [any([hmac.compare_digest(given, mine) for given in self.signatures]) for mine in wanted]  # noqa: C419
        if not any(equal):
            raise Forged(
                f"header {name} does not fit the body: sign the very bytes that are sent, with the shared secret."
            )
        return equal.index(True)


def read_header(headers: Sequence[str], now: float, *, name: str = HEADER) -> Signed:
    """What a header says, before anything is worked out from a body: `headers` are all of this name.

    Raises:
        Forged: it is missing, malformed or too old, or there is more than one.
    """
    if not headers or not headers[0]:
        raise Forged(f"header {name} is missing: sign the body as t=<unix seconds>,v1=<hex HMAC-SHA256 of t.body>.")
    if len(headers) > 1:
        raise Forged(
            f"header {name} comes {len(headers)} times: send one; a second signature goes into it as a second v1."
        )
    fields = [part.strip().partition("=") for part in headers[0].split(",")]
    moments = [value for field, _, value in fields if field == "t"]
    # Hex is the same in capitals.
    signatures = tuple(value.lower().encode() for field, _, value in fields if field == "v1")
    if len(moments) != 1 or not MOMENT.fullmatch(moments[0]) or not 1 <= len(signatures) <= MOST_SIGNATURES:
        raise Forged(f"header {name} is malformed: write it as t=<unix seconds>,v1=<hex HMAC-SHA256 of t.body>.")
    if abs(now - int(moments[0])) > TOLERANCE:
        raise Forged(f"the signature is more than {TOLERANCE} s from our clock: sign anew, and check your clock.")
    return Signed(moments[0], signatures)


def check_signature(header: str | None, body: bytes, secrets: Sequence[str], now: float, *, name: str = HEADER) -> int:
    """See that one of the header's signatures was made with one of the secrets, and lately. Returns which secret it was.

    Raises:
        Forged: it was not, or the header is missing or malformed.
    """
    return read_header([header or ""], now, name=name).by(body, secrets, name=name)


def _digest(secret: str, moment: str, body: bytes) -> str:
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
