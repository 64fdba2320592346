"""What a command works with: the ledger, the clock, Temporal; opened when asked for and closed at the end."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from arrears.folding import hanging
from domain.errors import PartDown
from domain.money import plain
from ledger.clock import LedgerClock
from ledger.pool import open_pool
from workers.settings import settings

# Temporal's client takes longer to import than most commands to run: only those that need it load it.
if TYPE_CHECKING:
    from temporalio.client import Client

T = TypeVar("T")
AWAY = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError)


@dataclass(frozen=True)
class Ledger:
    """An open ledger and its clock."""

    pool: asyncpg.Pool
    clock: LedgerClock


@asynccontextmanager
async def ledger(*, for_callers: bool = False) -> AsyncIterator[Ledger]:
    """The ledger that ARREARS_DATABASE_URL names; `for_callers` gives up soon, for who answers requests.

    Raises:
        BadInput: it is not named.
        PartDown: it cannot be reached, goes away meanwhile, or has another schema.
    """
    pool = await open_pool(settings().dsn, size=20 if for_callers else 10, for_callers=for_callers)
    try:
        clock = LedgerClock(pool)
        await clock.mapping()  # read before anybody waits for it inside a transaction
        yield Ledger(pool, clock)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        raise PartDown("the database has not the schema of this release: run `arrears migrate`.") from None
    except AWAY as error:
        raise PartDown(f"the database went away ({type(error).__name__}): try again when it is back.") from None
    finally:
        await pool.close()


async def temporal(*, serves_figures: bool = False) -> "Client":
    """A client of the Temporal server that the `TEMPORAL_*` profile names.

    Args:
        serves_figures: The process serves the SDK's figures at ARREARS_METRICS_ADDRESS. Services alone do: a command that is run beside
            one, in its container and with its environment, must leave the address to it.

    Raises:
        PartDown: it cannot be reached.
    """
    from temporalio.client import Client
    from temporalio.envconfig import ClientConfig
    from temporalio.service import RPCError

    from workers.codec import data_converter
    from workers.telemetry import runtime

    # A container's variable that is not set is empty; an empty key would still ask for TLS.
    given = {name: value for name, value in os.environ.items() if value}
    config: dict[str, Any] = dict(ClientConfig.load_client_connect_config(override_env_vars=given))
    address = config.setdefault("target_host", "localhost:7233")
    try:
        return await Client.connect(**config, data_converter=data_converter(), runtime=runtime(serves_figures))
    except (RPCError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise PartDown(
            f"Temporal at {address} cannot be reached ({reason:.120}): start it, or check TEMPORAL_ADDRESS."
        ) from None


if sys.platform == "win32":
    loop_of_choice = asyncio.run
else:
    import uvloop

    loop_of_choice = uvloop.run  # the ledger's protocol costs a third less on it


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Run a command's coroutine to its end."""
    return loop_of_choice(main())  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no JSON form")


def print_json(value: Any) -> None:
    """Print one JSON value on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def say(line: str = "") -> None:
    """Print a line for people."""
    sys.stdout.write(line + "\n")


def say_folded(text: str, indent: int = 0) -> None:
    """Print a text for people, folded to the width of the terminal."""
    for line in hanging(" " * indent, text, max(get_terminal_size().columns, indent + 30)):
        say(line)


def say_rows(shown: dict[str, Any]) -> None:
    """Print names and values for people, one below the other, within the width of the terminal."""
    column = max(map(len, shown)) + 2
    width = max(get_terminal_size().columns, column + 30)
    for name, value in shown.items():
        line = f"{name.replace('_', ' '):{column}}{readable(value)}"
        say(fill(line, width, subsequent_indent=" " * column, break_long_words=False, break_on_hyphens=False))


def money(amount: Any, currency: str) -> str:
    """An amount as people read it everywhere here: `105.00 GBP`."""
    return f"{plain(Decimal(amount), currency)} {currency}"


def readable(value: Any) -> str:
    """A value as people read it: times to the minute, in UTC; what is not there as `none`."""
    match value:
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case dict():
            return (
                ", ".join(f"{k.replace('_', ' ')} {readable(v)}" for k, v in value.items() if v is not None) or "none"
            )
        case list():
            between = "; " if any(isinstance(v, dict) for v in value) else ", "
            return between.join(map(readable, value)) or "none"
        case None:
            return "none"
        case _:
            return str(value)


READ_AS = {"miss_deadline": "wait", "reconsider": "look again"}


def readable_step(step: dict[str, Any]) -> str:
    """A case's next step in one line: what, when, and in brackets why."""
    at = step.get("at")
    when = datetime.fromisoformat(at) if isinstance(at, str) else at
    if when is None:
        return f"nothing, until something is told ({step['why']})"
    what = READ_AS.get(step["what"], step["what"].replace("_", " "))
    return f"{what}{' until' if what == 'wait' else ','} {readable(when)} ({step['why']})"
