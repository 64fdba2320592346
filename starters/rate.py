"""How often one client may ask: a bucket of tokens for each, which fills up steadily. Kept in memory, for this process alone."""

import re
from time import monotonic

from domain.errors import BadInput

GENEROUS = "1000/second"
PERIODS = {"second": 1, "minute": 60, "hour": 3600}
LIMIT = re.compile(r"([1-9]\d{0,8})/(second|minute|hour)", re.ASCII)
MOST_CLIENTS = 10_000  # who has not asked for longest is forgotten first


class RateLimit:
    """A limit such as `1000/second`: that many at once, and that many in each period from then on. An empty one limits nobody.

    Raises:
        BadInput: the limit cannot be read.
    """

    def __init__(self, limit: str) -> None:
        found = LIMIT.fullmatch(limit)
        if limit and found is None:
            raise BadInput(f"ARREARS_RATE_LIMIT {limit!r} cannot be read: write it as 1000/second, or leave it empty.")
        self._most = float(found[1]) if found else 0.0
        self._refill = self._most / PERIODS[found[2]] if found else 0.0  # tokens a second
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens left at a moment

    def charge(self, client: str, tokens: int, now: float | None = None) -> None:
        """Take tokens for what a client was let send; where there are too few, it waits for them before its next request."""
        if self._most:
            left, at = self._filled(client, now)
            self._buckets[client] = (left - tokens, at)

    def wait(self, client: str, now: float | None = None) -> float:
        """Take a token for a client: 0.0 where there was one, else the seconds until there is; `now` is any steady clock's."""
        if not self._most:
            return 0.0
        left, now = self._filled(client, now)
        taken = left >= 1
        self._buckets[client] = (left - taken, now)
        if len(self._buckets) > MOST_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        return 0.0 if taken else (1 - left) / self._refill

    def _filled(self, client: str, now: float | None) -> tuple[float, float]:
        """Take a client's bucket out, with what has come into it until now."""
        now = monotonic() if now is None else now
        left, at = self._buckets.pop(client, (self._most, now))
        return min(self._most, left + (now - at) * self._refill), now
