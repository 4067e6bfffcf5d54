"""Workers that die are forked from one process that has imported everything: dying young costs no seconds of imports.

`python -m tests.kills.nursery` reads one JSON line for each worker, `{"environment": {…}, "arguments": […]}`, forks it,
and answers `{"started": pid}`; when one has ended, `{"ended": pid, "code": -9}`. At the end of its input it kills those
that are left. The kill is a real one, of a process of its own; only how it came to be differs from `python -m`.
"""

import asyncio
import gc
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

_SECONDS = 120


class Born:
    """A worker, as the test sees it: the part of `asyncio.subprocess.Process` that is needed."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: Future[int] = Future()

    @property
    def returncode(self) -> int | None:
        """As `subprocess` says it; None while it lives."""
        return self.ended.result() if self.ended.done() else None

    async def wait(self) -> int:
        """Wait for its end; who is cancelled meanwhile takes nothing from others who wait."""
        return await asyncio.shield(asyncio.wrap_future(self.ended))

    def kill(self) -> None:
        """SIGKILL. One that has ended is dead already, also in the moment before the nursery has told of it."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """The process that forks, started at the first call; one for all tests of a process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._one_at_a_time = threading.Lock()
        self._started: Future[Born] = Future()
        self._born: dict[int, Born] = {}

    def ready(self) -> None:
        """Start it, when it is not there; what it imports is imported when the first worker is asked for."""
        with self._one_at_a_time:
            if self._process is None:
                command = [sys.executable, "-m", "tests.kills.nursery"]
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                assert self._process.stdout is not None
                self._process.stdout.readline()
                self._reader = threading.Thread(target=self._listen, name="nursery", daemon=True)
                self._reader.start()

    def worker(self, environment: Mapping[str, str], *arguments: str) -> Born:
        """A new worker, in some milliseconds: call `ready` before."""
        assert self._process is not None
        assert self._process.stdin is not None
        with self._one_at_a_time:
            self._started = Future()
            asked = json.dumps({"environment": dict(environment), "arguments": arguments})
            self._process.stdin.write(asked.encode() + b"\n")
            self._process.stdin.flush()
            return self._started.result(_SECONDS)

    def close(self) -> None:
        """End it and whoever is left in it."""
        if self._process is None or self._reader is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._reader.join(_SECONDS)
        self._process.wait(_SECONDS)
        self._process.stdout.close()
        self._process = None

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "started" in said:
                born = self._born[said["started"]] = Born(said["started"])
                self._started.set_result(born)
            else:
                self._born.pop(said["ended"]).ended.set_result(said["code"])


NURSERY = Nursery()
"""Closed at the end by `tests/kills/conftest.py`."""


def _say(said: Mapping[str, Any]) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")


def _live(asked: Mapping[str, Any]) -> None:
    """In the new process: as if it had been started with this environment and these arguments."""
    from tests.kills import deadly_worker

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    os.environ.clear()
    os.environ.update(asked["environment"])
    queue, marks, *doomed = asked["arguments"]
    asyncio.run(deadly_worker.run(queue, Path(marks), frozenset(doomed)))


def _fork(asked: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _live(asked)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        # The interpreter's own end would wait for threads of the SDK.
        os._exit(code)


def _reap(living: set[int]) -> None:
    while living:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        living.discard(pid)
        _say({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def main() -> None:
    """Fork until nobody asks any more."""
    import tests.kills.deadly_worker  # noqa: F401 what every worker needs

    gc.freeze()
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    living: set[int] = set()
    _say({"ready": os.getpid()})
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    pending = b""
    while True:
        for key, _ in selector.select():
            if key.fd == woken:
                os.read(woken, 4096)
                _reap(living)
                continue
            read = os.read(0, 1 << 20)
            if not read:
                for pid in living:
                    os.kill(pid, signal.SIGKILL)
                return
            *lines, pending = (pending + read).split(b"\n")
            for line in lines:
                pid = _fork(json.loads(line))
                living.add(pid)
                _say({"started": pid})


if __name__ == "__main__":
    main()
