"""Kills the processes of an embedded system by a plan."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from chaos.plan import Kill
from system.data_folder import DataFolder
from system.processes import ProcessIdentity, wait_until

BACK_SECONDS: Final = 120.0
BEHIND: Final = 3
"""So many kills may be due and not done before new commands wait."""


class DoesNotComeBack(Exception):
    """A process was not there again in time after a kill."""


@dataclass
class Killer:
    """Kills by `plan`, as `answered` of about `expected` commands have been answered."""

    folder: Path
    plan: Sequence[Kill]
    answered: Callable[[], int]
    expected: int
    told: Callable[[int], None] = lambda _done: None
    done: list[tuple[float, str, int]] = field(default_factory=list)
    """Seconds since the start, victim, answers until then."""
    moments: list[tuple[datetime, str]] = field(default_factory=list)
    """The same by the clock: when, and victim."""
    _last: dict[str, ProcessIdentity] = field(default_factory=dict)

    def _due(self) -> int:
        answered = self.answered()
        return sum(answered >= kill.share * self.expected for kill in self.plan)

    async def gate(self) -> None:
        """Wait while too many kills are due: the orders must not be over before the kills are."""
        while self._due() - len(self.done) > BEHIND:  # noqa: ASYNC110 - a count, and two tasks that change it
            await asyncio.sleep(0.1)

    async def run(self) -> None:
        """All kills, one after the other, each as soon as its victim runs again. Raises DoesNotComeBack."""
        begun = time.monotonic()
        for kill in self.plan:
            while self.answered() < kill.share * self.expected:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await asyncio.sleep(kill.pause)
            await asyncio.to_thread(self._kill, kill.victim)
            self.done.append((round(time.monotonic() - begun, 2), kill.victim, self.answered()))
            self.moments.append((datetime.now(UTC), kill.victim))
            self.told(len(self.done))

    def _kill(self, victim: str) -> None:
        def who() -> ProcessIdentity:
            state = DataFolder(self.folder).read_system()
            found = (state.get("children") or {}).get(victim) or state.get(victim) or {}
            return ProcessIdentity(found.get("pid") or 0, found.get("started") or "")

        def killed() -> bool:
            found = who()
            if found == self._last.get(victim) or not found.alive():
                return False
            self._last[victim] = found
            with suppress(ProcessLookupError):  # it ended by itself just now: the next one is killed
                os.kill(found.pid, signal.SIGKILL)
                return True
            return False

        if not wait_until(killed, BACK_SECONDS, every=0.1):
            raise DoesNotComeBack(f"{victim} does not come back within {BACK_SECONDS:g} s")
