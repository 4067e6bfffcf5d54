"""A workflow with nothing to decide, and an activity with nothing to do."""

from datetime import timedelta

from temporalio import activity, workflow


@activity.defn(name="floor.nothing")
def nothing(number: int) -> int:
    """Do nothing."""
    return number


@workflow.defn(name="floor-empty")
class EmptyWorkflow:
    """Takes signals, one local activity for each, until its history is as long as it was asked to make it."""

    def __init__(self) -> None:
        self._came = self._done = 0

    @workflow.run
    async def run(self, events: int) -> int:
        """End when there are so many events; gives the number of signals that it took."""
        while workflow.info().get_current_history_length() < events:
            await workflow.wait_condition(lambda: self._came > self._done)
            self._done = await workflow.execute_local_activity(
                nothing, self._done + 1, start_to_close_timeout=timedelta(seconds=10)
            )
        return self._done

    @workflow.signal
    def go(self) -> None:
        """One more."""
        self._came += 1
