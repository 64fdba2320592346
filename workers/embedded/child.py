"""Server processes that outlive a Ctrl-C meant for their parent, and never outlive the parent itself."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from workers.embedded.failure import PortTaken, StartFailed

_PR_SET_PDEATHSIG = 1
_TAIL_CHARACTERS = 600


class Child:
    """One running server.

    It has a session of its own, so that the terminal's Ctrl-C reaches only the parent, which stops its children in
    order. On Linux the kernel sends it the first stop signal when the parent is killed.

    Args:
        part: The server's name as a person knows it.
        command: Program and arguments.
        directory: The folder the process works in; `stop_leftovers` later finds it by this folder.
        log: The file that takes its output, appended to.
        stop_signals: What to send to stop it, in order, each after the one before had its patience.
        account: User and group id to run as; None for the caller's own.
        environment: The whole environment of the process.

    Call from a thread that lives as long as the server (the main one): to the kernel that thread is the parent.

    Raises:
        StartFailed: the program cannot be executed.
    """

    def __init__(
        self,
        part: str,
        command: Sequence[str],
        *,
        directory: Path,
        log: Path,
        stop_signals: Sequence[signal.Signals],
        account: tuple[int, int] | None = None,
        environment: Mapping[str, str],
    ) -> None:
        self.part = part
        self.log = log
        self._stop_signals = stop_signals
        user, group = account or (None, None)
        with log.open("ab") as output:
            self._log_start = output.tell()
            try:
                self._process = subprocess.Popen(
                    command,
                    cwd=directory,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    user=user,
                    group=group,
                    extra_groups=None if account is None else [],
                    preexec_fn=_end_with_parent(stop_signals[0]),  # noqa: PLW1509 -- one system call, no lock taken
                )
            except OSError as error:
                raise StartFailed(part, f"{part} cannot be started: {error}.") from error

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def failure(self, why: str) -> StartFailed:
        """The error to raise when this server did not become ready: why, its last words, and where the rest is."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            words = " ".join(log.read().decode("utf-8", "replace").split())
        last_words = words[-_TAIL_CHARACTERS:] or "it said nothing"
        kind = PortTaken if "address already in use" in words.lower() else StartFailed
        return kind(
            self.part,
            f"{self.part} did not start: {why}. Its last words: {last_words} (all of them are in {self.log}).",
        )

    async def stop(self, patience: float = 30.0) -> None:
        """Stop the server with its stop signals in turn, at last by force; return when it is gone.

        Args:
            patience: Seconds that each signal is given.
        """
        for step in (*self._stop_signals, signal.SIGKILL):
            if not self.running:
                return
            self._process.send_signal(step)
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, patience)


def _end_with_parent(stop: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    # PyDLL keeps the interpreter's lock: between fork and exec no other thread is there to hand it back.
    prctl = ctypes.PyDLL(None).prctl

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(stop))

    return ask_the_kernel


def stop_leftovers(program: str, directory: Path, stop: signal.Signals, patience: float = 20.0) -> int:
    """End the servers that an earlier, killed run left in a folder; return how many processes there were.

    A process is ours when it runs this program *in this folder*; unlike a recorded process id, that cannot come to
    mean somebody else's process. The caller must hold the folder, or it would end a server that is in use.

    Args:
        program: Name of the executable.
        directory: The working folder its processes have.
        stop: The signal for a clean shutdown.
        patience: Seconds before they are killed.
    """
    found = [process for process in psutil.process_iter() if _is_ours(process, program, directory.resolve())]
    pids = {process.pid for process in found}
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            # A server's own workers are ended by the server.
            if process.ppid() not in pids:
                process.send_signal(stop)
    _, stubborn = psutil.wait_procs(found, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=patience)
    return len(found)


def _is_ours(process: psutil.Process, program: str, directory: Path) -> bool:
    try:
        return process.name() == program and Path(process.cwd()) == directory
    except psutil.Error:
        return False


def quiet_environment(*without: str) -> dict[str, str]:
    """This process's environment less the variables with one of these prefixes, in plain English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}
