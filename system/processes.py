"""Starting, recognising and ending processes so that none is ever left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_TETHER = Path(__file__).with_name("tether.py")
_LOG_TURNOVER_BYTES = 20_000_000

_NOT_KNOWN = "not known"

# The kernel calls the *thread* that made a process its parent. A thread that lives as long as the interpreter makes
# them all, so that a short-lived thread's end does not end a server.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mes-spawner")


@dataclass(frozen=True)
class ProcessIdentity:
    """A process that a reused number cannot be mistaken for: its pid, and the boot and tick at which it started."""

    pid: int
    started: str

    @property
    def certain(self) -> bool:
        """Whether a process with this number is surely this one; not where there is no /proc."""
        return self.started != _NOT_KNOWN

    def alive(self) -> bool:
        """Whether that very process still runs (a zombie does not)."""
        return identity(self.pid) == self


def identity(pid: int) -> ProcessIdentity | None:
    """Who runs under this number now; None for nobody or a zombie."""
    if not Path("/proc/self/stat").exists():
        return ProcessIdentity(pid, _NOT_KNOWN) if number_taken(pid) else None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return None
    return None if fields[0] in "ZX" else ProcessIdentity(pid, f"{boot}-{fields[19]}")


def command_line(pid: int) -> list[str]:
    """The words a process was started with; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def number_taken(pid: int) -> bool:
    """Whether anything, even a zombie, has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    prefix: Sequence[str] = (),
    on_parent_death: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own (Ctrl-C does not reach it) whose end is tied to ours.

    `prefix` is run before the tether (a change of user namespace). Raises OSError when it cannot be started.
    """
    tether = (sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), str(int(on_parent_death)))
    command = [*prefix, *tether, *argv]

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as sink:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=dict(env),
                start_new_session=True,
            )

    return _spawner.submit(start).result()


def end(process: subprocess.Popen[bytes], first: signal.Signals, patience: float) -> bool:
    """Ask with `first`, wait; then SIGKILL the whole session. Says whether the first signal was enough."""
    if process.poll() is not None:
        return True
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(first)
    try:
        process.wait(patience)
        return True
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False


def end_stranger(who: ProcessIdentity, first: signal.Signals, patience: float) -> None:
    """End a process that an earlier supervisor left behind: `first`, then SIGKILL.

    Does nothing when it has gone, or when it may be another one with the same number.
    """
    for number, seconds in ((first, patience), (signal.SIGKILL, 5.0)):
        if not (who.certain and who.alive()):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(who.pid, number)
        wait_until(lambda: not who.alive(), seconds)


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.02) -> bool:
    """Ask again and again until it is true or the time is over; says which."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def turn_over(log: Path) -> int:
    """Where the next start's words begin in this log; a big one is set aside as `.1` first."""
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return 0
    if size < _LOG_TURNOVER_BYTES:
        return size
    log.replace(log.with_name(log.name + ".1"))
    return 0


def tail(log: Path, since: int = 0, lines: int = 8) -> str:
    """The last lines written after `since`, for an error message."""
    try:
        with log.open("rb") as source:
            source.seek(since)
            words = source.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return "\n".join(words[-lines:])
