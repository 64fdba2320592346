"""Brings a database to the schema of this release, with dbmate: plain SQL files, each run once, in order."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from domain.errors import BadInput, PartDown

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(dsn: str) -> None:
    """Apply the migrations that the database does not have yet.

    Raises:
        PartDown: the database cannot be reached, or a migration fails; the message carries the reason.
    """
    dbmate = shutil.which("dbmate", path=str(Path(sys.executable).parent)) or shutil.which("dbmate")
    if dbmate is None:
        raise BadInput("the command dbmate is missing: install the project again with its locked requirements.")
    done = subprocess.run(
        [dbmate, "--migrations-dir", str(MIGRATIONS), "--no-dump-schema", "--migration-lock", "migrate"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DATABASE_URL": _with_ssl_mode(dsn)},  # not an argument: it may hold a password
    )
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise PartDown(
            f"the database could not be migrated: {reason[0]} Check ARREARS_DATABASE_URL and that it is running."
        )


def _with_ssl_mode(dsn: str) -> str:
    """Dbmate insists on TLS where the address does not say; asyncpg prefers it. Say what asyncpg means."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query))
    if "sslmode" in query:
        return dsn
    local = parts.hostname in {None, "localhost", "127.0.0.1", "::1"}
    query["sslmode"] = "disable" if local else "prefer"
    return urlunsplit(parts._replace(query=urlencode(query)))
