"""Published strategies: immutable, by name and version; a case pins one."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

from domain.errors import BadInput
from domain.loan import LoanKey
from domain.strategy import Strategy, parse_strategy, read_strategy

DEFAULT = "standard"
_parsed: dict[str, Strategy] = {}


async def pinned(conn: Any, name: str, version: int, digest: str) -> Strategy:
    """A published strategy, read and parsed once per process: the content of a digest never changes."""
    if digest not in _parsed:
        _parsed[digest] = parse_strategy(await content_of(conn, name, version), f"{name} {version}")
    return _parsed[digest]


async def publish(conn: Any, strategy: Strategy) -> bool:
    """Put a strategy into the ledger; False when it is there already, word for word.

    Raises:
        BadInput: the same name and version stands there with other content.
    """
    row = await conn.fetchrow(
        "select digest from strategies where name = $1 and version = $2", strategy.name, strategy.version
    )
    if row is not None and row["digest"] != strategy.digest:
        raise BadInput(
            f"strategy {strategy.name} version {strategy.version} is published with other content: raise its version number."
        )
    if row is not None:
        return False
    await conn.execute(
        "insert into strategies (name, version, digest, content) values ($1, $2, $3, $4) on conflict do nothing",
        strategy.name,
        strategy.version,
        strategy.digest,
        strategy.model_dump(mode="json"),
    )
    return True


@lru_cache
def shipped() -> tuple[Strategy, ...]:
    """The strategies that come with the package."""
    folder = files("policies") / "strategies"
    return tuple(read_strategy(f.read_text("utf-8"), f.name) for f in sorted(folder.iterdir(), key=lambda f: f.name))


async def publish_shipped(conn: Any) -> None:
    """Publish what comes with the package; what is there stays as it is."""
    for strategy in shipped():
        await publish(conn, strategy)


async def strategy_for(conn: Any, key: LoanKey) -> tuple[str, int]:
    """The name and newest version of the strategy a new case of this loan takes: asked for at intake, the lender's, or the shipped one.

    Raises:
        BadInput: no version of that strategy is published.
    """
    name = await conn.fetchval(
        """
        select coalesce(l.strategy, b.strategy, $3) from loans l join lenders b using (lender_id)
        where l.lender_id = $1 and l.loan_id = $2
        """,
        key.lender_id,
        key.loan_id,
        DEFAULT,
    )
    version = await conn.fetchval("select max(version) from strategies where name = $1", name)
    if version is None:
        raise BadInput(
            f"strategy {name!r} of loan {key} is not published: publish it with `arrears strategy publish FILE`."
        )
    return name, version


async def listed(conn: Any) -> list[dict[str, Any]]:
    """What is published, by name and version."""
    rows = await conn.fetch("select name, version, digest, published_at from strategies order by name, version")
    return [dict(r) for r in rows]


async def content_of(conn: Any, name: str, version: int | None) -> dict[str, Any]:
    """One published strategy; its newest version where none is given.

    Raises:
        BadInput: there is none of that name and version.
    """
    row = await conn.fetchrow(
        "select content from strategies where name = $1 and ($2::int is null or version = $2) order by version desc limit 1",
        name,
        version,
    )
    if row is None:
        raise BadInput(f"strategy {name!r} is not published: `arrears strategy list` shows what is.")
    content: dict[str, Any] = row["content"]
    return content
