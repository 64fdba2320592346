"""Reads the ledger for the checks in streams, so that memory does not grow with the number of contacts."""

import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import ValidationError

from domain.errors import BadInput
from domain.rulebook import Limit, Rulebook, Silence
from ledger.named import queries
from ledger.permits import digest

PROOF, GATE = queries("proof"), queries("gate")
AT_ONCE = 500  # rows in one answer of the server's
K = TypeVar("K")
R = TypeVar("R")


def stream(conn: Any, query: Any, *values: Any) -> AsyncIterable[Any]:
    """The rows of a named query through a cursor of the server's, inside the transaction that is open."""
    rows: AsyncIterable[Any] = conn.cursor(query.sql, *values, prefetch=AT_ONCE)
    return rows


async def grouped(rows: AsyncIterable[R], key: Callable[[R], K]) -> AsyncIterator[tuple[K, list[R]]]:
    """Rows that come sorted by a key, one key at a time."""
    its: K | None = None
    found: list[R] = []
    async for row in rows:
        this = key(row)
        if found and this != its:
            yield its, found  # type: ignore[misc]
            found = []
        its = this
        found.append(row)
    if found:
        yield its, found  # type: ignore[misc]


async def batches(rows: AsyncIterable[R], size: int) -> AsyncIterator[list[R]]:
    """So many at a time."""
    batch: list[R] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class Library:
    """The rulebooks that gave permits, each read once. They are few, whatever the number of permits."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self._known: dict[str, Rulebook | str] = {}
        self._counting: dict[str, tuple[Limit | Silence, ...]] = {}

    async def books(self, permit_books: Any) -> tuple[Rulebook, ...]:
        """The rulebooks of a permit, as they then were.

        Raises:
            BadInput: one is lost, or is not what its digest says.
        """
        if not isinstance(permit_books, Mapping):
            raise BadInput("its permit does not name its rulebooks as the gate does")
        found = []
        for name, kept in permit_books.items():
            if kept not in self._known:
                self._known[kept] = await self._read(name, kept)
            book = self._known[kept]
            if isinstance(book, str):
                raise BadInput(book)
            found.append(book)
        return tuple(found)

    async def counting(self, text: str) -> tuple[Limit | Silence, ...]:
        """The rules that count contacts, of the rulebooks that a permit names; none where these are not as they were."""
        if text not in self._counting:
            try:
                books = await self.books(part(text))
            except BadInput:
                books = ()  # the check of permits names it
            self._counting[text] = tuple(r for book in books for r in book.rules if isinstance(r, Limit | Silence))
        return self._counting[text]

    async def _read(self, name: str, kept: str) -> Rulebook | str:
        content = await GATE.rulebook(self.conn, digest=kept)
        if content is None:
            return f"rulebook {name} of digest {kept:.12} is not in the ledger: restore it from a backup"
        try:
            book = Rulebook.model_validate(content)
        except ValidationError:
            return f"rulebook {name} of digest {kept:.12} cannot be read any more: restore it from a backup"
        if digest(book) != kept:
            return f"rulebook {name} is not what its digest {kept:.12} says: somebody changed it in the ledger"
        return book


@lru_cache(maxsize=4096)
def part(text: str | None) -> Any:
    """A part of a permit; the same text gives the same value, which nobody may change."""
    return None if text is None else json.loads(text)


def consented(consents: list[dict[str, Any]] | None, scope: str, on: date, days: int | None = None) -> bool:
    """Whether the consents that a permit recorded lift a rule on a day; each for so many days only, where that is given."""
    for consent in consents or ():
        given = date.fromisoformat(consent["given_on"])
        expires, revoked = consent.get("expires_on"), consent.get("revoked_on")
        if (
            consent["scope"] == scope
            and given <= on
            and (expires is None or on <= date.fromisoformat(expires))
            and (revoked is None or on < date.fromisoformat(revoked))
            and (days is None or (on - given).days < days)
        ):
            return True
    return False
