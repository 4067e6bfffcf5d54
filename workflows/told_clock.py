"""A clock that looks when something falls due, and also when somebody tells it that something has changed."""

import builtins
from datetime import timedelta
from typing import ClassVar, Final

from temporalio import workflow

SIGNAL: Final = "look"


class ToldClock:
    """What such clocks share. Each is a workflow of its own: it says in `run` at what it looks, and how long it sleeps.

    One runs for each system; systems that share a server have task queues of their own.
    """

    name: ClassVar[str]
    """What its workflow id begins with."""
    summary: ClassVar[str]
    """What operations read of it."""

    def __init__(self) -> None:
        self._changed = True

    @classmethod
    def workflow_id(cls, task_queue: str) -> str:
        """The id of the system's one clock of this kind."""
        return f"{cls.name}/{task_queue}"

    async def _sleep(self, wait: timedelta | None, summary: str) -> None:
        """Wait as long as this (None: without an end), or until somebody tells of a change."""
        try:
            await workflow.wait_condition(
                lambda: self._changed,
                timeout=None if wait is None else max(wait, timedelta(0)),
                timeout_summary=summary,
            )
        except builtins.TimeoutError:
            return

    @workflow.signal(name=SIGNAL)
    def look(self) -> None:
        """Something was changed: there may be another time to look at now."""
        self._changed = True
