"""Permits as they are kept: facts and verdict beside the contact, rulebooks once by their content. A permit can be given again from them."""

import hashlib
import json
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from domain.errors import BadInput
from domain.gate import ENGINE, ENGINES, ContactRequest, Defer, Forbid, GateFacts, Permit, decide
from domain.rulebook import Rulebook
from ledger.named import queries

GATE = queries("gate")


def plain(model: BaseModel) -> dict[str, Any]:
    """A model as JSON values, without what is at its default, so that a release which adds a field reads old ones alike."""
    return model.model_dump(mode="json", exclude_defaults=True)


def canonical(model: BaseModel) -> str:
    """The one JSON text of a model: sorted keys, no spaces."""
    return json.dumps(plain(model), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=256)
def digest(book: Rulebook) -> str:
    """SHA-256 of a rulebook's canonical content."""
    return hashlib.sha256(canonical(book).encode()).hexdigest()


async def keep_rulebooks(conn: Any, books: Iterable[Rulebook], kept: Collection[str] = ()) -> dict[str, str]:
    """Keep the content of rulebooks that decide, once; their digests by name. `kept` are digests that the ledger is known to have."""
    by_digest = {digest(book): book for book in books}
    for new in by_digest.keys() - set(kept):
        await GATE.keep_rulebook(conn, digest=new, name=by_digest[new].name, content=plain(by_digest[new]))
    return {book.name: known for known, book in by_digest.items()}


def record(
    request: ContactRequest, facts: GateFacts, digests: dict[str, str], verdict: Permit | Defer | Forbid
) -> dict[str, Any]:
    """What is kept of a verdict."""
    return {
        "engine": ENGINE,
        "request": plain(request),
        "facts": plain(facts),
        "rulebooks": digests,
        "verdict": verdict.model_dump(mode="json"),
    }


async def rulebooks_of(conn: Any, permit: dict[str, Any]) -> tuple[Rulebook, ...]:
    """The rulebooks that gave a permit, as they then were.

    Raises:
        BadInput: the ledger has lost one.
    """
    found = []
    for name, kept in permit["rulebooks"].items():
        content = await GATE.rulebook(conn, digest=kept)
        if content is None:
            raise BadInput(f"rulebook {name} of digest {kept:.12} is not in the ledger: restore it from a backup.")
        found.append(Rulebook.model_validate(content))
    return tuple(found)


def decide_again(permit: dict[str, Any], books: tuple[Rulebook, ...]) -> Permit | Defer | Forbid:
    """The verdict on the recorded facts, by the engine that gave it.

    Raises:
        BadInput: this release does not have that engine.
    """
    engine = permit["engine"]
    if engine not in ENGINES:
        raise BadInput(f"engine {engine} of the gate is not in this release: verify with one that has it.")
    request, facts = ContactRequest.model_validate(permit["request"]), GateFacts.model_validate(permit["facts"])
    return decide(request, facts, books, engine)
