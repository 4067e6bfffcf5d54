"""A workflow task that gets no time for two seconds is interrupted and repeated, with the signals that came with it."""

import gc
import time

from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from system.addresses import Addresses
from workflows.runtime import connect

_starved = [True]


@workflow.defn(name="Starved")
class Starved:
    """Counts its signals; its first task is held up until the SDK interrupts it."""

    @workflow.init
    def __init__(self) -> None:
        self._signals = 0
        if _starved:
            _starved.clear()
            limit = time.monotonic() + 60
            while time.monotonic() < limit:
                time.sleep(0.01)

    @workflow.run
    async def run(self) -> int:
        """How many signals came."""
        await workflow.wait_condition(lambda: self._signals == 2)
        return self._signals

    @workflow.signal
    def count(self) -> None:
        """One more."""
        self._signals += 1


async def test_an_interrupted_task_is_repeated_and_what_was_thrown_away_blames_no_test(servers: Addresses) -> None:
    client = await connect(servers.temporal_address)
    handle = await client.start_workflow("Starved", id="starved", task_queue="starved", start_signal="count")
    await handle.signal("count")
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="starved", workflows=[Starved], workflow_runner=runner):
        assert await handle.result() == 2
    gc.collect()  # signals of the interrupted task that never began: an error of the whole run, without the hook
