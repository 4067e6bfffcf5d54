"""The clock of alarms: what nobody acknowledges in time escalates, also when every process was down meanwhile.

One durable process for a system. It sleeps until the next alarm is due and never longer than the shortest time of any
rule: so an alarm that was raised while it slept is not late.
"""

from datetime import timedelta
from typing import Final

from temporalio import workflow

from activities import stubs
from workflows import policies

LEAST_SECONDS: Final = 1.0


def workflow_id(task_queue: str) -> str:
    """One clock for each system; systems that share a server have task queues of their own."""
    return f"alarm-clock/{task_queue}"


@workflow.defn(name="AlarmClock")
class AlarmClockWorkflow:
    """Looks, sleeps, looks again."""

    @workflow.run
    async def run(self) -> None:
        while not workflow.info().is_continue_as_new_suggested():
            look = stubs.EscalateRequest(at=workflow.now())
            answer = await workflow.execute_activity(stubs.escalate_alarms, look, **policies.WATCH_EQUIPMENT)
            wait = (answer.next_look_at - workflow.now()).total_seconds()
            await workflow.sleep(timedelta(seconds=max(wait, LEAST_SECONDS)), summary="alarms escalate")
        workflow.continue_as_new()
