"""The clock of reports: what is planned is made at its time, and what fell due while nothing ran is made afterwards.

One durable process for all schedules, as the clock of the equipment register is. It sleeps until the next report is
due, and looks at least once an hour, so that a schedule that it was not told of is not late for long.
"""

from datetime import timedelta
from typing import Final

from temporalio import workflow

from activities import stubs
from workflows import policies
from workflows.told_clock import ToldClock

LONGEST_SLEEP: Final = timedelta(hours=1)


@workflow.defn(name="ReportClock")
class ReportClockWorkflow(ToldClock):
    """Makes what is due, sleeps until the next report is, or until somebody has changed a schedule."""

    name = "report-clock"
    summary = "scheduled reports"

    @workflow.run
    async def run(self) -> None:
        while not workflow.info().is_continue_as_new_suggested():
            self._changed = False
            look = stubs.MakeDueRequest(at=workflow.now())
            answer = await workflow.execute_activity(stubs.make_due, look, **policies.MAKE_REPORTS)
            wait = LONGEST_SLEEP if answer.next_look_at is None else answer.next_look_at - workflow.now()
            await self._sleep(min(LONGEST_SLEEP, wait), "a report is due")
        workflow.continue_as_new()
