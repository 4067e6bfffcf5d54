"""The clock of the equipment register: clean, calibrated and qualified end by themselves, and dirt does not wait.

One durable process for the whole register. It sleeps until the next moment at which time changes something and never
longer than the shortest hold of any class: so it is never late, even when nobody tells it that something happened.
A start is safe without it: the gate compares the instants themselves.
"""

import builtins
from datetime import timedelta
from typing import Final

from temporalio import workflow

from activities import stubs
from workflows import policies

SIGNAL: Final = "look"


def workflow_id(task_queue: str) -> str:
    """One clock for each system; systems that share a server have task queues of their own."""
    return f"equipment-clock/{task_queue}"


@workflow.defn(name="EquipmentClock")
class EquipmentClockWorkflow:
    """Looks, sleeps until something is due or until somebody has changed the register, and looks again."""

    @workflow.init
    def __init__(self) -> None:
        self._changed = True

    @workflow.run
    async def run(self) -> None:
        while not workflow.info().is_continue_as_new_suggested():
            self._changed = False
            look = stubs.ExpireRequest(at=workflow.now())
            answer = await workflow.execute_activity(stubs.expire, look, **policies.WATCH_EQUIPMENT)
            wait = None if answer.next_look_at is None else answer.next_look_at - workflow.now()
            await self._sleep(wait)
        workflow.continue_as_new()

    async def _sleep(self, wait: timedelta | None) -> None:
        try:
            await workflow.wait_condition(
                lambda: self._changed,
                timeout=None if wait is None else max(wait, timedelta(0)),
                timeout_summary="equipment falls due",
            )
        except builtins.TimeoutError:
            return

    @workflow.signal(name=SIGNAL)
    def look(self) -> None:
        """The register was changed: there may be another deadline now."""
        self._changed = True
