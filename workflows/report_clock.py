"""The clock of reports: what is planned is made at its time, and what fell due while nothing ran is made afterwards.

One durable process for all schedules, as the clock of the equipment register is. It sleeps until the next report is
due, and looks at least once an hour, so that a schedule that it was not told of is not late for long.
"""

import builtins
from datetime import timedelta
from typing import Final

from temporalio import workflow

from activities import stubs
from workflows import policies

SIGNAL: Final = "look"
LONGEST_SLEEP: Final = timedelta(hours=1)


def workflow_id(task_queue: str) -> str:
    """One clock for each system; systems that share a server have task queues of their own."""
    return f"report-clock/{task_queue}"


@workflow.defn(name="ReportClock")
class ReportClockWorkflow:
    """Makes what is due, sleeps until the next report is, or until somebody has changed a schedule."""

    @workflow.init
    def __init__(self) -> None:
        self._changed = True

    @workflow.run
    async def run(self) -> None:
        while not workflow.info().is_continue_as_new_suggested():
            self._changed = False
            look = stubs.MakeDueRequest(at=workflow.now())
            answer = await workflow.execute_activity(stubs.make_due, look, **policies.MAKE_REPORTS)
            wait = LONGEST_SLEEP if answer.next_look_at is None else answer.next_look_at - workflow.now()
            await self._sleep(min(LONGEST_SLEEP, max(wait, timedelta(0))))
        workflow.continue_as_new()

    async def _sleep(self, wait: timedelta) -> None:
        try:
            await workflow.wait_condition(lambda: self._changed, timeout=wait, timeout_summary="a report is due")
        except builtins.TimeoutError:
            return

    @workflow.signal(name=SIGNAL)
    def look(self) -> None:
        """A schedule was made or stopped: there may be another due time now."""
        self._changed = True
