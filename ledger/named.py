"""Named queries: all SQL stands in `queries/*.sql`, each statement under a name and a line that says what it is for."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import aiosql

QUERIES = Path(__file__).parent / "queries"


@lru_cache
def queries(family: str) -> Any:
    """The statements of one file, as functions that take a connection and named parameters."""
    return aiosql.from_path(QUERIES / f"{family}.sql", "asyncpg", mandatory_parameters=False)
