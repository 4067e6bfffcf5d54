"""The clock of the equipment register: clean, calibrated and qualified end by themselves, and dirt does not wait.
The same activity looks at the lots that have a date: due for retest, expired.

One durable process for the whole register. It sleeps until the next moment at which time changes something and never
longer than the shortest hold of any class: so it is never late, even when nobody tells it that something happened.
A start is safe without it: the gate compares the instants themselves.
"""

from temporalio import workflow

from activities import stubs
from workflows import policies
from workflows.told_clock import ToldClock


@workflow.defn(name="EquipmentClock")
class EquipmentClockWorkflow(ToldClock):
    """Looks, sleeps until something is due or until somebody has changed the register, and looks again."""

    name = "equipment-clock"
    summary = "equipment register"

    @workflow.run
    async def run(self) -> None:
        while not workflow.info().is_continue_as_new_suggested():
            self._changed = False
            look = stubs.ExpireRequest(at=workflow.now())
            answer = await workflow.execute_activity(stubs.expire, look, **policies.WATCH_EQUIPMENT)
            wait = None if answer.next_look_at is None else answer.next_look_at - workflow.now()
            await self._sleep(wait, "equipment falls due")
        workflow.continue_as_new()
