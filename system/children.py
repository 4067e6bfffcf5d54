"""The processes of the system beside its servers: started, watched, started again, stopped."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from system import processes
from system.data_folder import DataFolder
from system.refusals import ChildFailed, SystemRefusal

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
_STEADY_SECONDS = 60.0


@dataclass(frozen=True)
class ChildSpec:
    """One process to run. `env` is put on top of our own environment; `ready` is asked until it says True.

    `grace` is the time between SIGTERM and SIGKILL when the system stops.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60.0
    grace: float = 20.0

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a child's name names its log: lower-case letters, digits and -, not {self.name!r}")


class Service(Protocol):
    """What the supervisor watches: a server or a child."""

    @property
    def name(self) -> str: ...

    def start(self) -> None: ...

    def alive(self) -> bool: ...

    def stop(self) -> None: ...

    def describe(self) -> dict[str, object]: ...


class Child:
    """One run of a ChildSpec after another."""

    def __init__(self, spec: ChildSpec, folder: DataFolder) -> None:
        self.name = spec.name
        self._spec = spec
        self._log = folder.log(spec.name)
        self._since = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process. Raises ChildFailed when its program cannot be run."""
        self._since = processes.turn_over(self._log)
        try:
            self._process = processes.spawn(self._spec.argv, log=self._log, env={**os.environ, **self._spec.env})
        except OSError as error:
            raise ChildFailed(f"{self.name} cannot be run: {error}.", "Check the installation.") from None

    def wait_ready(self) -> None:
        """Wait until it says it is ready. Raises ChildFailed when it ends first or the time is over."""
        ready = self._spec.ready
        if ready is None:
            return
        processes.wait_until(lambda: not self.alive() or ready(), self._spec.ready_seconds, every=0.05)
        if self.alive() and ready():
            return
        what = "was not ready in time" if self.alive() else f"ended with {self.exit_code()}"
        said = processes.tail(self._log, self._since)
        raise ChildFailed(f"{self.name} {what}. It said:\n{said}\n", f"See {self._log} for all it said.")

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """How the last run ended; None while it runs."""
        return self._process.poll() if self._process else None

    def stop(self) -> None:
        """SIGTERM, the grace, SIGKILL."""
        if self._process:
            processes.end(self._process, signal.SIGTERM, self._spec.grace)

    def describe(self) -> dict[str, object]:
        """What system.json says about it."""
        return {"pid": self._process.pid if self._process and self.alive() else None, "exit_code": self.exit_code()}


class Keeper:
    """Starts a service again when it has ended: soon, then after ever longer pauses while it keeps ending."""

    def __init__(
        self, service: Service, report: Callable[[str], None], longest_pause: float = LONGEST_PAUSE_SECONDS
    ) -> None:
        self.service = service
        self.restarts = 0
        self._report = report
        self._longest_pause = longest_pause
        self._pause = min(_FIRST_PAUSE_SECONDS, longest_pause)
        self._started = time.monotonic()
        self._due: float | None = None

    def tend(self) -> bool:
        """Look after the service once, from the watching thread only; True when system.json should say it anew."""
        now = time.monotonic()
        if self.service.alive():
            if now - self._started > _STEADY_SECONDS:
                self._pause = min(_FIRST_PAUSE_SECONDS, self._longest_pause)
            return False
        if self._due is None:
            self._due = now + self._pause
            self._report(f"{self.service.name} ended; it is started again in {self._pause:.1f} s")
            self._pause = min(self._pause * 2, self._longest_pause)
            return True
        if now < self._due:
            return False
        self._due = None
        self.restarts += 1
        self._started = time.monotonic()
        try:
            self.service.start()
        except Exception as error:
            # Whatever it is (a full disk, a server that refuses): the others still have to be looked after.
            detail = error.detail if isinstance(error, SystemRefusal) else repr(error)
            self._report(f"{self.service.name} does not start: {detail}")
        return True

    def describe(self) -> dict[str, object]:
        """The service's own words and how often it was started again."""
        return {**self.service.describe(), "restarts": self.restarts}
